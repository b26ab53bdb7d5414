"""Read a project's tickets and pauses into canonical Parquet."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import Settings
from csimprove.tickets import parsing
from csimprove.tickets.files import SourceFile, normal, open_source, source_paths
from csimprove.tickets.folding import derived_columns, fold_events
from csimprove.tickets.mapping import (
    REQUIRED,
    Field,
    headings_of,
    known,
    map_fields,
    missing_texts,
    pause_fields,
    repeated,
)
from csimprove.tickets.masking import mask, project_key
from csimprove.tickets.parsing import DAY_FIRST, ISO_FORMATS, MONTH_FIRST, Times, quoted
from csimprove.tickets.reading import Reading
from csimprove.tickets.suspicion import net_promoter_scale, suspicious

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
#: Seconds after which a folder of copies belongs to a reading that crashed.
_STALE = 86_400
#: Lines at the end of a file among which those that speak about the file are looked for.
_FOOTER = 10
#: What is suspicious about a row: the first time lies before the second.
_REVERSED = {
    "answered_before_opened": ("first_response_at", "opened_at"),
    "resolved_before_opened": ("resolved_at", "opened_at"),
    "resolved_before_answered": ("resolved_at", "first_response_at"),
    "closed_before_resolved": ("closed_at", "resolved_at"),
}
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
    #: lines after the last row that belong to no row
    footer: int
    rejects: tuple[Failure, ...]
    reject_count: int


@dataclass(frozen=True, slots=True)
class _Tickets:
    """The files of a source as the one view ``tickets``, whose ``n`` goes on from file to file."""

    tables: tuple[_Table, ...]
    #: columns of times that come from later events
    folded: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        found = {field.name for table in self.tables for field in table.fields} | {*self.folded}
        return tuple(name for name in columns.TICKETS if name in found)

    @property
    def label(self) -> str:
        """Name for people."""
        first, *others = (table.file.name for table in self.tables)
        return f"{first} … {others[-1]} ({len(self.tables)} files)" if others else first

    @property
    def rejects(self) -> tuple[Failure, ...]:
        if len(self.tables) == 1:
            return self.tables[0].rejects
        named = (
            replace(each, column=f"{table.file.name}: {each.column}".rstrip(": "))
            for table in self.tables
            for each in table.rejects
        )
        return tuple(named)[:KEPT_REJECTS]

    def sum(self, of: Callable[[_Table], int]) -> int:
        return sum(map(of, self.tables))

    def each(self, of: Callable[[SourceFile], str]) -> str:
        """Different facts of the files, in one text."""
        return ", ".join(dict.fromkeys(of(table.file) for table in self.tables))


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
    return _read(source_paths(settings.path(settings.source.path)), settings, folder)


def take(frame: Any, settings: Settings, folder: Path) -> Reading:
    """Read tickets from a frame instead of a file.

    Parameters
    ----------
    frame
        Any frame that narwhals knows: Polars, pandas, PyArrow, a DuckDB relation, PySpark, Ibis. Only the
        mapped columns are taken from it.
    settings
        The project; ``source`` maps the frame's columns. ``source.path`` is not looked at.
    folder
        Where the results are written, as by `read_tickets`.

    Returns
    -------
    Reading
        As of `read_tickets`; its rows are those of the frame, the first one being row 2.

    Raises
    ------
    TicketDataError
        If a mapped column is not there or cannot hold its values.
    """
    import narwhals as nw  # noqa: PLC0415 - heavy

    lazy = nw.from_native(frame).lazy()
    mapped = set(map(normal, headings_of(settings.source)))
    names = [name for name in lazy.collect_schema().names() if normal(name) in mapped]
    folder.mkdir(parents=True, exist_ok=True)
    with _scratch(folder) as scratch:
        path = scratch / "frame.parquet"
        (lazy.select(names) if names else lazy.head(0)).sink_parquet(path)
        return _read(source_paths(path), settings, folder)


def _read(paths: list[Path], settings: Settings, folder: Path) -> Reading:
    folder.mkdir(parents=True, exist_ok=True)
    source, key = settings.source, project_key(settings.folder)
    with _scratch(folder) as scratch:
        files = [
            open_source(
                path,
                encoding=source.encoding,
                delimiter=source.delimiter,
                table=source.table,
                wanted=headings_of(source),
                scratch=scratch,
            )
            for path in paths
        ]
        mapped = [map_fields(source, file) for file in files]
        with _engine(settings, scratch) as con:
            tables = tuple(
                _load(con, f"tickets_{place}", file, fields, settings=settings, key=key)
                for place, (file, fields) in enumerate(zip(files, mapped, strict=True))
            )
            tickets = _joined(con, tables)
            if source.events:
                fold_events(con, _view_of(tables), tickets.columns, events=source.events, used=_USED)
                _mark(con, tickets, "later", "later_event")
                _mark(con, tickets, "copies", "repeated_event")
                tickets = replace(tickets, folded=tuple(source.events))
            _mark_repeated(con, tickets)
            reading = _account(con, tickets, settings)
            _write_tickets(con, tickets, settings, folder / "tickets.parquet")
            reading = _read_pauses(con, tickets, reading, settings=settings, folder=folder, scratch=scratch)
    text = json.dumps(reading.to_dict(), ensure_ascii=False, indent=1)
    (folder / "reading.json").write_text(text + "\n", encoding="utf-8")
    return reading


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder for copies of the source, which name people; remove those that a crash left behind."""
    for old in (*folder.glob(".reading-*"), *folder.parent.glob(".*/.reading-*")):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".reading-") as name:
        yield Path(name)


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
    exclude = {} if name == "pauses" else settings.source.exclude
    options = f"store_rejects = true, rejects_table = 'bad_{name}', rejects_scan = 'scan_{name}'"
    texts = parsing.texts(fields, missing_texts(settings.source), file=file, options=options)
    times = _times(con, file, fields, settings)
    while True:
        parsed = parsing.parse(
            fields,
            times,
            zone=settings.source.zone,
            exclude=exclude,
            key=key,
            vague=settings.records.vague,
        )
        con.execute(f"CREATE OR REPLACE TEMP TABLE loaded_{name} AS {texts}, {parsed}")
        # the engine keeps the order of the file, so that the place in the table tells the line
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS SELECT rowid + 1 + shift AS n, * FROM loaded_{name}"
        )
        if settings.source.formats or not (order := _order_found(con, name, file, fields, times)):
            break
        times |= order
        con.execute(f"DROP TABLE IF EXISTS bad_{name}; DROP TABLE IF EXISTS scan_{name}")
    last = file.lines - _FOOTER if known(settings.source)["footer"] else file.lines
    malformed, malformed_count, footer = ([], 0, 0) if file.types else _malformed(con, name, last)
    read, *unread = _row(con, name, ["count(*)", *(f"count({quoted('bad ' + f.name)})" for f in fields)])
    if not read and not malformed:
        reason = "has a heading but no rows. Export the tickets again, or correct `path` under [source]."
        raise TicketDataError(file.name, [Failure("", None, "", reason)])
    _refuse_hopeless(con, name, file, fields, times)
    rejects = (*malformed, *_unread(con, name, fields, times))
    total = malformed_count + sum(unread)
    return _Table(name, file, fields, times, read, malformed_count, footer, rejects[:KEPT_REJECTS], total)


def _joined(con: DuckDBPyConnection, tables: tuple[_Table, ...]) -> _Tickets:
    con.execute(f"CREATE TEMP VIEW tickets AS {_view_of(tables)}")
    return _Tickets(tables)


def _view_of(tables: tuple[_Table, ...]) -> str:
    parts, base = [], 0
    for table in tables:
        parts.append(f"SELECT n + {base} AS n, {base} AS base, * EXCLUDE (n) FROM {table.name}")
        base += table.read + table.malformed
    return " UNION ALL BY NAME ".join(parts)


def _times(
    con: DuckDBPyConnection, file: SourceFile, fields: tuple[Field, ...], settings: Settings
) -> dict[str, Times]:
    """Find how the times of every column are written: as set, else the usual forms, the likely one first."""
    names = [field.name for field in fields if parsing.is_time(field.name)]
    if formats := settings.source.formats:
        _check_formats(con, formats)
        return dict.fromkeys(names, _as_set(formats))
    more = tuple(known(settings.source)["formats"])
    unix = tuple(form for form in more if form in parsing.UNIX)
    forms = (*ISO_FORMATS, *(form for form in more if form not in unix))
    texts = parsing.texts(fields, missing_texts(settings.source), file=file, options="ignore_errors = true")
    con.execute(f"CREATE OR REPLACE TEMP TABLE sample AS {texts} SELECT * FROM texts LIMIT {_SAMPLE}")
    found = {}
    for name in names:
        order, *counts = _order(con, "sample", quoted(name))
        if not order and any(counts):
            # one text is enough: those against it are found when all are read
            decides = f"regexp_matches({quoted(name)}, {parsing.literal(parsing.DECISIVE)})"
            order, *_ = _order(con, f"({texts} SELECT * FROM texts WHERE {decides} LIMIT 1)", quoted(name))
        tried = (*forms, *order)
        bare = parsing.without_offset(quoted(name))
        tries = [f"count(try_strptime({bare}, {parsing.literal(form)}))" for form in tried]
        offset = f"count(*) FILTER ({parsing.offset_given(quoted(name))})"
        total, carried, *hits = _row(con, "sample", [f"count({quoted(name)})", offset, *tries])
        likely = tuple(tried[place] for place in sorted(range(len(hits)), key=lambda place: -hits[place]))
        described = "written like 2025-03-31 14:05:00"
        found[name] = Times(
            likely, likely, described, offset_first=carried * 2 > total, found=True, unix=unix
        )
    return found


def _as_set(formats: tuple[str, ...]) -> Times:
    unix = tuple(form for form in formats if form in parsing.UNIX)
    offset = tuple(form.replace("%z", "").rstrip() for form in formats if "%z" in form)
    plain = tuple(form for form in formats if "%z" not in form and form not in unix)
    return Times(
        plain,
        offset,
        f"written as {' or '.join(formats)}",
        offset_first=bool(offset) and not plain,
        swapped=parsing.swapped(plain),
        unix=unix,
    )


def _order(con: DuckDBPyConnection, table: str, text: str) -> tuple[tuple[str, ...], int, int, int]:
    """Return the forms that texts like 25/03/2025 decide for, if they agree.

    Also how many only fit with the day first, only with the month first, and with either.
    """
    bare = parsing.without_offset(text)
    first, second = (
        f"try_cast(regexp_extract({bare}, {parsing.literal(parsing.SHORT)}, {group}) AS INTEGER)"
        for group in (1, 2)
    )
    day, month, both = _row(
        con,
        table,
        [
            f"count(*) FILTER ({first} BETWEEN 13 AND 31 AND {second} <= 12)",
            f"count(*) FILTER ({second} BETWEEN 13 AND 31 AND {first} <= 12)",
            f"count(*) FILTER ({first} <= 12 AND {second} <= 12)",
        ],
    )
    forms = () if bool(day) == bool(month) else DAY_FIRST if day else MONTH_FIRST
    return forms, day, month, both


def _order_found(
    con: DuckDBPyConnection,
    name: str,
    file: SourceFile,
    fields: tuple[Field, ...],
    times: dict[str, Times],
) -> dict[str, Times]:
    """Find, for texts like 25/03/2025 that could not be read, whether the day or the month comes first.

    The sample may hold none of them. It is never guessed: raises `TicketDataError` if nothing decides, or if
    both orders occur.
    """
    found, failures = {}, []
    for field in (field for field in fields if field.name in times):
        how, bad = times[field.name], quoted(f"bad {field.name}")
        forms, day, month, both = _order(con, name, bad)
        against = month if DAY_FIRST[0] in how.formats else day if MONTH_FIRST[0] in how.formats else None
        if against == 0 or not day + month + both:
            continue
        if against is None and forms:
            unread = f"(SELECT {bad} AS text FROM {name} WHERE {bad} IS NOT NULL LIMIT {_SAMPLE})"
            tries = [f"-count(try_strptime(text, {parsing.literal(form)}))" for form in forms]
            hits = dict(zip(forms, _row(con, unread, tries), strict=True))
            likely = (*how.formats, *sorted(forms, key=lambda form: hits[form]))
            found[field.name] = replace(how, formats=likely, offset_formats=likely)
            continue
        what = f"{both} values fit with the day first and with the month first, and no other decides"
        if day + month:
            what = "values with the day first and values with the month first stand side by side"
        short = f"regexp_matches({parsing.without_offset(bad)}, {parsing.literal(parsing.SHORT)})"
        rows = con.execute(f"SELECT {bad}, n + 1 FROM {name} WHERE {short} ORDER BY n LIMIT 3").fetchall()
        examples = ", ".join(f"{mask(text)!r} (row {row})" for text, row in rows)
        reason = (
            f"{what}, for example {examples}. Set `formats` under [source] to every form that occurs, "
            'such as ["%d/%m/%Y"] or ["%m/%d/%Y"]; the first that fits is taken.'
        )
        failures.append(Failure(field.heading, None, "", reason))
    if failures:
        raise TicketDataError(file.name, failures)
    return found


def _check_formats(con: DuckDBPyConnection, formats: tuple[str, ...]) -> None:
    import duckdb  # noqa: PLC0415 - heavy

    for form in (form for form in formats if form not in parsing.UNIX):
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


def _malformed(con: DuckDBPyConnection, name: str, last: int) -> tuple[list[Failure], int, int]:
    """List the lines that are no row; count the rows after each of them on by one.

    The lines of one value after the line ``last`` speak about the file: they are counted apart.
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
    failures, footer = [], 0
    for line, kind, message in found:
        counts = re.findall(r"\d+", message) if "COLUMNS" in kind else []
        what = (
            "holds a quote that is not closed or not doubled"
            if "QUOTE" in kind
            else "cannot be split into values"
        )
        if line > last and counts[1:] == ["1"]:
            footer += 1
            continue
        if len(counts) == 2:
            what = f"has {counts[1]} values where the heading has {counts[0]}"
        failures.append(Failure("", line, "", f"{what}. The row is left out."))
    return failures[:KEPT_REJECTS], len(found) - footer, footer


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


def _mark_repeated(con: DuckDBPyConnection, tickets: _Tickets) -> None:
    """Give all rows of one id but the one updated last (else the last one) the rule ``duplicate_id``."""
    twice = f"SELECT ticket_id FROM tickets WHERE {_USED} GROUP BY ticket_id HAVING count(*) > 1"
    updated = "updated_at DESC NULLS LAST, " if "updated_at" in tickets.columns else ""
    con.execute(f"""CREATE TEMP TABLE repeated AS SELECT base, n - base AS n FROM (
        SELECT base, n, row_number() OVER (PARTITION BY ticket_id ORDER BY {updated}n DESC) AS place
        FROM tickets WHERE {_USED} AND ticket_id IN ({twice}))
        WHERE place > 1""")
    _mark(con, tickets, "repeated", "duplicate_id")


def _mark(con: DuckDBPyConnection, tickets: _Tickets, rows: str, rule: str) -> None:
    """Give the rows of a table of places a rule that leaves them out."""
    base = 0
    for table in tickets.tables:
        con.execute(f"""UPDATE loaded_{table.name} SET rule = '{rule}'
            WHERE rowid + 1 + shift IN (SELECT n FROM {rows} WHERE base = {base})""")
        base += table.read + table.malformed


def _account(con: DuckDBPyConnection, table: _Tickets, settings: Settings) -> Reading:
    derived = derived_columns(settings.source, table.columns)
    names = (*table.columns, *derived)
    more = "".join(f", {sql} AS {name}" for name, sql in derived.items())
    used = f"(SELECT *{more} FROM tickets WHERE {_USED})"
    has = {flag: " < ".join(pair) for flag, pair in _REVERSED.items() if set(pair) <= set(names)} | {
        flag: flag for flag in ("missing_local_time", "ambiguous_local_time", "swapped_day_month")
    }
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
        latest=max(stamp for stamp in _row(con, "tickets", stamps) if stamp).replace(tzinfo=UTC),
        zone=settings.source.zone,
    )


def _nps_flags(con: DuckDBPyConnection, table: _Tickets, settings: Settings, used: str) -> dict[str, int]:
    if "nps_score" not in table.columns:
        return {}
    try:
        return net_promoter_scale(con, used, declared=settings.source.scales.get("nps_score"))
    except ValueError as error:
        heading = next(
            field.heading for each in table.tables for field in each.fields if field.name == "nps_score"
        )
        raise TicketDataError(table.label, [Failure(heading, None, "", str(error))]) from None


def _write_tickets(con: DuckDBPyConnection, table: _Tickets, settings: Settings, path: Path) -> None:
    """Write the used rows, in the order of the file, each with its customer's next contact."""
    source = {name: quoted(name) for name in table.columns} | {"row": "n - base + 1"}
    source |= derived_columns(settings.source, table.columns)
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
    tickets: _Tickets,
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
    file = open_source(path, wanted=_PAUSES, scratch=scratch)
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
