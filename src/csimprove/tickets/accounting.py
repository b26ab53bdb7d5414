"""Every row of a source accounted for: read, used, rejected, left out, flagged."""

from __future__ import annotations

import hashlib
from datetime import UTC
from typing import TYPE_CHECKING

from csimprove import columns
from csimprove.errors import Failure, TicketDataError
from csimprove.settings import Settings, Source
from csimprove.tickets import parsing
from csimprove.tickets.folding import derived_columns
from csimprove.tickets.loading import Tickets, one_row
from csimprove.tickets.mapping import (
    known,
    missing_texts,
    repeated,
)
from csimprove.tickets.parsing import DAY_FIRST, quoted
from csimprove.tickets.reading import ColumnNote, Reading
from csimprove.tickets.suspicion import net_promoter_scale, suspicious

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


#: Rows that become tickets.
USED = "rule IS NULL AND ticket_id IS NOT NULL AND opened_at IS NOT NULL"
#: What is suspicious about a row: the first time lies before the second.
_REVERSED = {
    "answered_before_opened": ("first_response_at", "opened_at"),
    "resolved_before_opened": ("resolved_at", "opened_at"),
    "resolved_before_answered": ("resolved_at", "first_response_at"),
    "closed_before_resolved": ("closed_at", "resolved_at"),
}


def account(con: DuckDBPyConnection, table: Tickets, settings: Settings) -> Reading:
    """Count what was read, used, rejected and left out, and flag what is suspicious."""
    derived = derived_columns(settings.source, table.columns)
    names = (*table.columns, *derived)
    more = "".join(f", {sql} AS {name}" for name, sql in derived.items())
    used = f"(SELECT *{more} FROM tickets WHERE {USED})"
    has = {flag: " < ".join(pair) for flag, pair in _REVERSED.items() if set(pair) <= set(names)} | {
        flag: flag for flag in ("missing_local_time", "ambiguous_local_time", "swapped_day_month")
    }
    if "channel" in names and (others := known(settings.source)["not_inbound"]):
        has["not_inbound"] = parsing.among("channel", others)
    [unusable] = one_row(con, "tickets", ["count(*) FILTER (ticket_id IS NULL OR opened_at IS NULL)"])
    tickets, first, last, *counts = one_row(
        con,
        used,
        [
            "count(*)",
            "min(opened_at)",
            "max(opened_at)",
            *(f"count(*) FILTER ({rule})" for rule in has.values()),
            *(f"count({quoted(name)})" for name in names),
        ],
    )
    left_out = con.execute(
        "SELECT rule, count(*) FROM tickets WHERE rule IS NOT NULL "
        "AND ticket_id IS NOT NULL AND opened_at IS NOT NULL GROUP BY rule"
    ).fetchall()
    excluded = dict.fromkeys(settings.source.exclude, 0) | dict(left_out)
    rejected = table.sum(lambda each: each.malformed) + unusable
    if not tickets:
        reason = (
            f"holds no ticket: {rejected} rows are rejected, {sum(excluded.values())} left out by a rule."
        )
        raise TicketDataError(table.label, [Failure("", None, "", reason), *table.rejects])
    stamps = [f"max({quoted(name)})" for name in table.columns if parsing.is_time(name) and name != "due_at"]
    flags = (
        {
            "repeated_heading": max(repeated(each.fields, each.file.headings) for each in table.tables),
            "continued_lines": table.sum(
                lambda each: max(each.file.lines - 1 - each.read - each.malformed - each.footer, 0)
            ),
            "footer_lines": table.sum(lambda each: each.footer),
        }
        | dict(zip(has, counts, strict=False))
        | suspicious(con, used, names)
        | _nps_flags(con, table, settings, used)
    )
    present = ["recontact_at"] if "customer_key" in names else []
    hashes = [each.file.sha256 for each in table.tables]
    return Reading(
        source=table.label,
        sha256=hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest(),
        encoding=table.each(lambda file: file.encoding),
        delimiter=table.each(lambda file: file.delimiter),
        preset=settings.source.preset,
        rows=table.sum(lambda each: each.read + each.malformed),
        used=tickets,
        rejected_rows=rejected,
        excluded=excluded,
        rejects=table.rejects,
        reject_count=table.sum(lambda each: each.reject_count),
        flags={flag: count for flag, count in flags.items() if count},
        columns=tuple(name for name in columns.TICKETS if name in (*names, *present)),
        filled={name: count / tickets for name, count in zip(names, counts[len(has) :], strict=True)},
        headings={field.name: field.heading for each in table.tables for field in each.fields},
        first_opened=first.replace(tzinfo=UTC),
        last_opened=last.replace(tzinfo=UTC),
        latest=max(stamp for stamp in one_row(con, "tickets", stamps) if stamp).replace(tzinfo=UTC),
        zone=settings.source.zone,
        customers=_customers(con, used, settings.calendar.zone) if "customer_key" in names else {},
        notes=(
            *_notes(con, table, used, missing_texts(settings.source)),
            *_not_read(table, settings.source, tickets),
        ),
    )


def _notes(con: DuckDBPyConnection, table: Tickets, used: str, missing: tuple[str, ...]) -> list[ColumnNote]:
    """Count what texts of the columns were taken for."""
    found: list[ColumnNote] = []
    fields = {field.name: field for each in table.tables for field in each.fields}
    for name, field in fields.items():
        if choices := parsing.taken(field, missing):
            said = quoted(f"said {name}")
            query = f"SELECT {said}, count(*) FROM {used} WHERE {said} IS NOT NULL GROUP BY 1 ORDER BY 1"
            for text, n in con.execute(query).fetchall():
                code = "renamed" if choices[text] else "no_value"
                found.append(ColumnNote(code, name, text, choices[text], n))
    times = {name: how for each in table.tables for name, how in each.times.items() if parsing.mixed(how)}
    for name, how in times.items():
        marked = quoted(f"marked {name}")
        n, others = one_row(con, used, [f"count(*) FILTER ({marked})", f"count(*) FILTER (NOT {marked})"])
        if n and others:
            order = "day_first" if set(DAY_FIRST) & set(how.formats) else "month_first"
            found.append(ColumnNote(order, name, "", "", n))
    return sorted(found, key=lambda note: -note.n)


def _not_read(table: Tickets, source: Source, tickets: int) -> list[ColumnNote]:
    """Name the columns that look like what they are not, unless they are read after all."""
    used = {field.heading for each in table.tables for field in each.fields}
    there = {heading for each in table.tables for heading in each.file.headings} - used
    reasons = known(source)["not_read"].items()
    return [ColumnNote("not_read", heading, why, "", tickets) for heading, why in reasons if heading in there]


def _customers(con: DuckDBPyConnection, used: str, zone: str) -> dict[str, int]:
    """Count the different customers of each local month."""
    month = parsing.local_month("opened_at", zone)
    query = f"SELECT {month} AS month, count(DISTINCT customer_key) FROM {used} GROUP BY month ORDER BY month"
    return dict(con.execute(query).fetchall())


def _nps_flags(con: DuckDBPyConnection, table: Tickets, settings: Settings, used: str) -> dict[str, int]:
    if "nps_score" not in table.columns:
        return {}
    try:
        return net_promoter_scale(con, used, declared=settings.source.scales.get("nps_score"))
    except ValueError as error:
        heading = next(
            field.heading for each in table.tables for field in each.fields if field.name == "nps_score"
        )
        raise TicketDataError(table.label, [Failure(heading, None, "", str(error))]) from None
