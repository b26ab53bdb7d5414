"""Read a project's tickets and pauses into canonical Parquet."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import Settings
from csimprove.tickets import parsing
from csimprove.tickets.files import SourceFile, open_source
from csimprove.tickets.mapping import (
    REQUIRED,
    Field,
    map_fields,
    missing_texts,
    pause_fields,
    repeated,
    wanted,
)
from csimprove.tickets.masking import mask, project_key
from csimprove.tickets.parsing import ISO_FORMATS, Times, quoted
from csimprove.tickets.reading import Reading

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Rejected values that a reading keeps; the rest are counted.
KEPT_REJECTS = 1_000
#: A column of times with at least as many values, none of them readable, stops the reading.
_HOPELESS = 10
#: Rows from which the likely format of each column of times is found; the others are tried after it.
_SAMPLE = 1_000
#: Rows that become tickets.
_USED = "rule IS NULL AND ticket_id IS NOT NULL AND opened_at IS NOT NULL"
_PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)"
_PAUSES = ("ticket_id", "start_at", "end_at")


@dataclass(frozen=True, slots=True)
class _Table:
    """A file that was loaded into the engine under ``name``, one row a line that is not malformed."""

    name: str
    file: SourceFile
    fields: tuple[Field, ...]
    times: dict[str, Times]
    #: lines that were split into values, and those that could not be
    read: int
    malformed: int
    rejects: tuple[Failure, ...]
    reject_count: int

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)


def read_tickets(settings: Settings, folder: Path) -> Reading:
    """Read, check and mask a project's tickets into canonical Parquet.

    Parameters
    ----------
    settings
        The project; ``source`` says where the file is and how it is to be read.
    folder
        Where ``tickets.parquet``, ``pauses.parquet`` (with the columns of `csimprove.columns`) and, last,
        ``reading.json`` are written. It is made if absent.

    Returns
    -------
    Reading
        What was read and what became of every row.

    Raises
    ------
    TicketDataError
        If the file cannot be used, with every reason.
    SettingsError
        If the settings name what does not exist.

    Notes
    -----
    A row is rejected only if it is malformed or has no id or no opening time; any other value that cannot be
    read is listed and counts as no value. A local hour that comes twice is taken as the second one, an hour
    that is skipped is moved on; both are counted in ``flags``. Of rows with the same id the one updated last
    wins, else the last one. ``recontact_at`` is the next opening by the same customer in the same category
    (tickets without a category form one of their own).
    """
    folder.mkdir(parents=True, exist_ok=True)
    source, key = settings.source, project_key(settings.folder)
    headings = [heading for group in wanted(source).values() for heading in group]
    with tempfile.TemporaryDirectory(dir=folder, prefix=".reading-") as name:
        scratch = Path(name)
        file = open_source(
            settings.path(source.path),
            encoding=source.encoding,
            delimiter=source.delimiter,
            wanted=headings,
            scratch=scratch,
        )
        fields = map_fields(source, file)
        with _engine(settings, scratch) as con:
            table = _load(con, "tickets", file, fields, settings=settings, key=key)
            _mark_repeated(con, table)
            reading = _account(con, table, settings)
            _write_tickets(con, table, folder / "tickets.parquet")
            reading = _read_pauses(con, table, reading, settings=settings, folder=folder, scratch=scratch)
    text = json.dumps(reading.to_dict(), ensure_ascii=False, indent=1)
    (folder / "reading.json").write_text(text + "\n", encoding="utf-8")
    return reading


@contextmanager
def _engine(settings: Settings, scratch: Path) -> Iterator[DuckDBPyConnection]:
    import duckdb  # noqa: PLC0415 - heavy, and not needed where a stored table is read

    limits = settings.engine
    con = duckdb.connect(
        config={
            "threads": limits.threads,
            "memory_limit": limits.memory_limit,
            "temp_directory": str(scratch / "spill"),
            "autoinstall_known_extensions": False,
        }
    )
    try:
        # in a notebook without ipywidgets there is no bar, and the setting is refused
        with suppress(duckdb.InvalidInputException):
            con.execute("SET enable_progress_bar = false")
        yield con
    finally:
        con.close()


def _load(
    con: DuckDBPyConnection,
    name: str,
    file: SourceFile,
    fields: tuple[Field, ...],
    *,
    settings: Settings,
    key: str,
) -> _Table:
    times = _times(con, file, fields, settings)
    exclude = settings.source.exclude if name == "tickets" else {}
    bad = f"store_rejects = true, rejects_table = 'bad_{name}', rejects_scan = 'scan_{name}'"
    texts = parsing.texts(fields, missing_texts(settings.source), file=file, options=bad)
    parsed = parsing.parse(fields, times, zone=settings.source.zone, exclude=exclude, key=key)
    con.execute(f"CREATE TEMP TABLE loaded_{name} AS {texts}, {parsed}")
    # the engine keeps the order of the file, so that the place in the table tells the line
    con.execute(f"CREATE TEMP VIEW {name} AS SELECT rowid + 1 + shift AS n, * FROM loaded_{name}")
    malformed, malformed_count = _malformed(con, name)
    read, *unread = _row(con, name, ["count(*)", *(f"count({quoted('bad ' + f.name)})" for f in fields)])
    if not read and not malformed:
        reason = "has a heading but no rows. Export the tickets again, or correct `path` under [source]."
        raise TicketDataError(file.name, [Failure("", None, "", reason)])
    _refuse_hopeless(con, name, file, fields, times)
    rejects = (*malformed, *_unread(con, name, fields, times))
    total = malformed_count + sum(unread)
    return _Table(name, file, fields, times, read, malformed_count, rejects[:KEPT_REJECTS], total)


def _times(
    con: DuckDBPyConnection, file: SourceFile, fields: tuple[Field, ...], settings: Settings
) -> dict[str, Times]:
    """Find how the times of every column are written: as set, else ISO forms, the likely one first."""
    names = [field.name for field in fields if parsing.is_time(field.name)]
    if formats := settings.source.formats:
        _check_formats(con, formats)
        with_offset = tuple(form.replace("%z", "").rstrip() for form in formats if "%z" in form)
        plain = tuple(form for form in formats if "%z" not in form)
        described = f"written as {' or '.join(formats)}"
        return dict.fromkeys(names, Times(plain, with_offset, described, offset_first=not plain))
    texts = parsing.texts(fields, missing_texts(settings.source), file=file, options="ignore_errors = true")
    con.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {texts} SELECT * FROM texts LIMIT {_SAMPLE}")
    found = {}
    for name in names:
        bare = parsing.without_offset(quoted(name))
        tries = [f"count(try_strptime({bare}, {parsing.literal(form)}))" for form in ISO_FORMATS]
        offset = f"count(*) FILTER ({parsing.offset_given(quoted(name))})"
        total, carried, *hits = _row(con, "sample", [f"count({quoted(name)})", offset, *tries])
        order = sorted(range(len(hits)), key=lambda place: -hits[place])
        likely = tuple(ISO_FORMATS[place] for place in order)
        described = "written like 2025-03-31 14:05:00"
        found[name] = Times(likely, likely, described, offset_first=carried * 2 > total)
    return found


def _check_formats(con: DuckDBPyConnection, formats: tuple[str, ...]) -> None:
    import duckdb  # noqa: PLC0415 - heavy

    for form in formats:
        try:
            con.execute(f"SELECT try_strptime('', {parsing.literal(form)})").fetchall()
            known = "%Z" not in form
        except duckdb.Error:
            known = False
        if not known:
            raise SettingsError(
                f'`source.formats` must hold strptime formats such as "%d.%m.%Y %H:%M", not "{form}". '
                "Names of zones cannot be read: set `zone`, or %z for an offset such as +08:00."
            )


def _malformed(con: DuckDBPyConnection, name: str) -> tuple[list[Failure], int]:
    """List the lines that are no row; count the rows after each of them on by one.

    The text of such a line is not shown: nobody can tell which part of it is a name.
    """
    found = con.execute(f"""SELECT line, min(error_type::VARCHAR), min(error_message)
        FROM bad_{name} GROUP BY line ORDER BY line""").fetchall()
    if found:
        con.execute(f"""CREATE OR REPLACE TEMP TABLE shifts AS
            SELECT line - place AS start, max(place) AS shift
            FROM (SELECT DISTINCT line, dense_rank() OVER (ORDER BY line) AS place FROM bad_{name})
            GROUP BY ALL""")
        con.execute(f"""UPDATE loaded_{name} SET shift = moved.shift
            FROM (SELECT n, s.shift FROM {name} AS t ASOF JOIN shifts AS s ON n >= start) AS moved
            WHERE moved.n = loaded_{name}.rowid + 1""")
    failures = []
    for line, kind, message in found[:KEPT_REJECTS]:
        counts = re.findall(r"\d+", message) if "COLUMNS" in kind else []
        what = (
            "holds a quote that is not closed or not doubled"
            if "QUOTE" in kind
            else "cannot be split into values"
        )
        if len(counts) == 2:
            what = f"has {counts[1]} values where the heading has {counts[0]}"
        failures.append(Failure("", line, "", f"{what}. The row is left out."))
    return failures, len(found)


def _refuse_hopeless(
    con: DuckDBPyConnection, name: str, file: SourceFile, fields: tuple[Field, ...], times: dict[str, Times]
) -> None:
    failures = []
    for field in fields:
        if field.name not in times:
            continue
        bad = quoted(f"bad {field.name}")
        good, unread = _row(con, name, [f"count({quoted(field.name)})", f"count(*) FILTER ({bad} <> '')"])
        if good or unread < (1 if field.name in REQUIRED else _HOPELESS):
            continue
        rows = con.execute(f"SELECT {bad}, n + 1 FROM {name} WHERE {bad} <> '' ORDER BY n LIMIT 3").fetchall()
        examples = ", ".join(f"{mask(text)!r} (row {row})" for text, row in rows)
        reason = (
            f"none of {unread} values is a time between 1990 and today, {times[field.name].described}, "
            f'for example {examples}. Set `formats` under [source], such as ["%d.%m.%Y %H:%M"].'
        )
        failures.append(Failure(field.heading, None, "", reason))
    if failures:
        raise TicketDataError(file.name, failures)


def _unread(
    con: DuckDBPyConnection, name: str, fields: tuple[Field, ...], times: dict[str, Times]
) -> Iterator[Failure]:
    """List the values that were not used, in the order of the file."""
    parts = " UNION ALL ".join(
        f"SELECT n + 1 AS row, {place} AS place, {quoted('bad ' + field.name)} AS value FROM {name}"
        for place, field in enumerate(fields)
    )
    query = f"SELECT * FROM ({parts}) WHERE value IS NOT NULL ORDER BY row, place LIMIT {KEPT_REJECTS}"
    for row, place, value in con.execute(query).fetchall():
        field = fields[place]
        reason = parsing.reason(field, times) if value else "is missing. The row is left out."
        yield Failure(field.heading, row, mask(value), reason)


def _mark_repeated(con: DuckDBPyConnection, table: _Table) -> None:
    """Give all rows of one id but the one updated last (else the last one) the rule ``duplicate_id``."""
    twice = f"SELECT ticket_id FROM tickets WHERE {_USED} GROUP BY ticket_id HAVING count(*) > 1"
    updated = "updated_at DESC NULLS LAST, " if "updated_at" in table.columns else ""
    con.execute(f"""UPDATE loaded_tickets SET rule = 'duplicate_id' WHERE rowid + 1 + shift IN (
        SELECT n FROM (
            SELECT n, row_number() OVER (PARTITION BY ticket_id ORDER BY {updated}n DESC) AS place
            FROM tickets WHERE {_USED} AND ticket_id IN ({twice}))
        WHERE place > 1)""")


def _account(con: DuckDBPyConnection, table: _Table, settings: Settings) -> Reading:
    names, file = table.columns, table.file
    used = f"(SELECT * FROM tickets WHERE {_USED})"
    suspicious = {
        "answered_before_opened": "first_response_at < opened_at",
        "resolved_before_opened": "resolved_at < opened_at",
        "missing_local_time": "missing_local_time",
        "ambiguous_local_time": "ambiguous_local_time",
    }
    has = {flag: rule for flag, rule in suspicious.items() if flag == rule or rule.split()[0] in names}
    [unusable] = _row(con, "tickets", ["count(*) FILTER (ticket_id IS NULL OR opened_at IS NULL)"])
    tickets, first, last, *counts = _row(
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
    rejected = table.malformed + unusable
    if not tickets:
        reason = (
            f"holds no ticket: {rejected} rows are rejected, {sum(excluded.values())} left out by a rule."
        )
        raise TicketDataError(file.name, [Failure("", None, "", reason), *table.rejects])
    stamps = [f"max({quoted(name)})" for name in table.times if name != "due_at"]
    flags = {
        "repeated_heading": repeated(table.fields, file.headings),
        "continued_lines": max(file.lines - 1 - table.read - table.malformed, 0),
    } | dict(zip(has, counts, strict=False))
    present = ["recontact_at"] if "customer_key" in names else []
    return Reading(
        source=file.name,
        sha256=file.sha256,
        encoding=file.encoding,
        delimiter=file.delimiter,
        preset=settings.source.preset,
        rows=table.read + table.malformed,
        used=tickets,
        rejected_rows=rejected,
        excluded=excluded,
        rejects=table.rejects,
        reject_count=table.reject_count,
        flags={flag: count for flag, count in flags.items() if count},
        columns=tuple(name for name in columns.TICKETS if name in (*names, *present)),
        filled={name: count / tickets for name, count in zip(names, counts[len(has) :], strict=True)},
        headings={field.name: field.heading for field in table.fields},
        first_opened=first.replace(tzinfo=UTC),
        last_opened=last.replace(tzinfo=UTC),
        latest=max(stamp for stamp in _row(con, "tickets", stamps) if stamp).replace(tzinfo=UTC),
        zone=settings.source.zone,
    )


def _write_tickets(con: DuckDBPyConnection, table: _Table, path: Path) -> None:
    """Write the used rows, in the order of the file, each with its customer's next contact."""
    source = {name: quoted(name) for name in table.columns} | {"row": "n + 1"}
    joined = f"(SELECT * FROM tickets WHERE {_USED})"
    if "customer_key" in table.columns:
        category = ", category" if "category" in table.columns else ""
        # times are whole seconds: the first one strictly after, whatever opens at the same moment
        con.execute(f"""CREATE TEMP TABLE contacts AS
            SELECT n, first_value(opened_at) OVER (PARTITION BY customer_key{category} ORDER BY opened_at
                RANGE BETWEEN INTERVAL 1 SECOND FOLLOWING AND UNBOUNDED FOLLOWING) AS recontact_at
            FROM tickets WHERE {_USED} AND customer_key IS NOT NULL""")
        joined = f"(SELECT * FROM {joined} LEFT JOIN contacts USING (n))"
        source["recontact_at"] = "recontact_at"
    chosen = _typed(columns.TICKETS, source)
    con.execute(f"COPY (SELECT {chosen} FROM {joined} ORDER BY n) TO {parsing.literal(str(path))} {_PARQUET}")


def _read_pauses(
    con: DuckDBPyConnection,
    tickets: _Table,
    reading: Reading,
    *,
    settings: Settings,
    folder: Path,
    scratch: Path,
) -> Reading:
    """Write the pauses, disjoint within a ticket, and add what became of them to the account."""
    target = f"{parsing.literal(str(folder / 'pauses.parquet'))} {_PARQUET}"
    if settings.source.pauses is None:
        con.execute(f"COPY (SELECT {_typed(columns.PAUSES, {})} LIMIT 0) TO {target}")
        return reading
    path = settings.path(settings.source.pauses)
    file = open_source(path, encoding=None, delimiter=None, wanted=_PAUSES, scratch=scratch)
    fields = pause_fields(file, _PAUSES)
    table = _load(con, "pauses", file, fields, settings=settings, key="")
    usable = """ticket_id IS NOT NULL AND start_at IS NOT NULL AND "bad end_at" IS NULL"""
    con.execute(f"""CREATE TEMP TABLE stretches AS
        SELECT p.ticket_id, start_at, coalesce(end_at, TIMESTAMP 'infinity') AS end_at,
            t.n IS NOT NULL AS known, t.* EXCLUDE (ticket_id)
        FROM (SELECT * FROM pauses WHERE {usable}) AS p
        LEFT JOIN (SELECT * FROM tickets WHERE {_USED}) AS t ON p.ticket_id = t.ticket_id""")
    copied = {name: quoted(name) for name in columns.PAUSES if name in (*tickets.columns, *_PAUSES)}
    con.execute(f"""COPY (
        SELECT {_typed(columns.PAUSES, copied | {"end_at": "nullif(end_at, TIMESTAMP 'infinity')"})}
        FROM (SELECT * REPLACE (greatest(start_at, max(end_at) OVER earlier) AS start_at) FROM stretches
            WHERE known WINDOW earlier AS (PARTITION BY ticket_id ORDER BY start_at, end_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
        WHERE start_at < end_at ORDER BY n, start_at) TO {target}""")
    good, reversed_, unknown = _row(
        con, "stretches", ["count(*)", "count(*) FILTER (end_at < start_at)", "count(*) FILTER (NOT known)"]
    )
    flags = {
        "rejected_pause": table.read + table.malformed - good,
        "reversed_pause": reversed_,
        "pause_without_ticket": unknown,
    }
    rejects = (replace(each, column=f"pauses: {each.column}") for each in table.rejects)
    return replace(
        reading,
        flags=reading.flags | {flag: count for flag, count in flags.items() if count},
        rejects=(*reading.rejects, *rejects)[:KEPT_REJECTS],
        reject_count=reading.reject_count + table.reject_count,
    )


def _typed(types: dict[str, str], source: dict[str, str]) -> str:
    """Every canonical column in order, with its exact type; null where there is no source."""
    return ", ".join(
        f"CAST({source.get(name, 'NULL')} AS {kind}) AS {quoted(name)}" for name, kind in types.items()
    )


def _row(con: DuckDBPyConnection, table: str, expressions: list[str]) -> tuple[Any, ...]:
    row: tuple[Any, ...] = con.execute(f"SELECT {', '.join(expressions)} FROM {table}").fetchall()[0]
    return row
