"""A source file loaded into the engine: its times, its malformed lines, what cannot be read in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import Settings
from csimprove.tickets import parsing
from csimprove.tickets.files import SourceFile
from csimprove.tickets.mapping import (
    REQUIRED,
    Field,
    is_name,
    known,
    missing_texts,
)
from csimprove.tickets.masking import mask
from csimprove.tickets.parsing import DAY_FIRST, ISO_FORMATS, MONTH_FIRST, Times, quoted

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Rejected values that a reading keeps; the rest are counted.
KEPT_REJECTS = 1_000
#: A column of times with at least as many values, none of them readable, stops the reading.
_HOPELESS = 10
#: Rows from which the likely format of each column of times is found; the others are tried after it.
_SAMPLE = 1_000
#: Lines at the end of a file among which those that speak about the file are looked for.
_FOOTER = 10


@dataclass(frozen=True, slots=True)
class Table:
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
class Tickets:
    """The files of a source as the one view ``tickets``, whose ``n`` goes on from file to file."""

    tables: tuple[Table, ...]
    #: columns of times that come from later events
    folded: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Canonical columns that a file has."""
        found = {field.name for table in self.tables for field in table.fields} | {*self.folded}
        return tuple(name for name in columns.TICKETS if name in found)

    @property
    def label(self) -> str:
        """Name for people."""
        first, *others = (table.file.name for table in self.tables)
        return f"{first} … {others[-1]} ({len(self.tables)} files)" if others else first

    @property
    def rejects(self) -> tuple[Failure, ...]:
        """What could not be read, named by file where there are several."""
        if len(self.tables) == 1:
            return self.tables[0].rejects
        named = (
            replace(each, column=f"{table.file.name}: {each.column}".rstrip(": "))
            for table in self.tables
            for each in table.rejects
        )
        return tuple(named)[:KEPT_REJECTS]

    def sum(self, of: Callable[[Table], int]) -> int:
        """Add a number over the files."""
        return sum(map(of, self.tables))

    def each(self, of: Callable[[SourceFile], str]) -> str:
        """Different facts of the files, in one text."""
        return ", ".join(dict.fromkeys(of(table.file) for table in self.tables))


def load(
    con: DuckDBPyConnection,
    name: str,
    file: SourceFile,
    fields: tuple[Field, ...],
    *,
    settings: Settings,
    key: str,
) -> Table:
    """Load a file into the engine and find what cannot be read in it."""
    exclude = {} if name == "pauses" else settings.source.exclude
    options = f"store_rejects = true, rejects_table = 'bad_{name}', rejects_scan = 'scan_{name}'"
    texts = parsing.texts(fields, missing_texts(settings.source), file=file, options=options)
    everything, fields = fields, tuple(field for field in fields if not is_name(field))
    times = _times(con, file, fields, settings)
    while True:
        parsed = parsing.parse(
            everything,
            times,
            zone=settings.source.zone,
            exclude=exclude,
            key=key,
            missing=missing_texts(settings.source),
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
    malformed, malformed_count, footer = ([], 0, 0) if file.types else malformed_lines(con, name, last)
    read, *unread = one_row(con, name, ["count(*)", *(f"count({quoted('bad ' + f.name)})" for f in fields)])
    if not read and not malformed:
        reason = "has a heading but no rows. Export the tickets again, or correct `path` under [source]."
        raise TicketDataError(file.name, [Failure("", None, "", reason)])
    _refuse_hopeless(con, name, file, fields, times)
    rejects = (*malformed, *_unread(con, name, fields, times))
    total = malformed_count + sum(unread)
    return Table(name, file, fields, times, read, malformed_count, footer, rejects[:KEPT_REJECTS], total)


def joined(con: DuckDBPyConnection, tables: tuple[Table, ...]) -> Tickets:
    """Make the one view of all files."""
    con.execute(f"CREATE TEMP VIEW tickets AS {view_of(tables)}")
    return Tickets(tables)


def view_of(tables: tuple[Table, ...]) -> str:
    """Return the query over all files, numbered from file to file."""
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
        total, carried, *hits = one_row(con, "sample", [f"count({quoted(name)})", offset, *tries])
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
    day, month, both = one_row(
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
            hits = dict(zip(forms, one_row(con, unread, tries), strict=True))
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


def malformed_lines(con: DuckDBPyConnection, name: str, last: int) -> tuple[list[Failure], int, int]:
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
        good, unread = one_row(con, name, [f"count({quoted(field.name)})", f"count(*) FILTER ({bad} <> '')"])
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


def one_row(con: DuckDBPyConnection, table: str, expressions: list[str]) -> tuple[Any, ...]:
    """Return the only row of a query over a whole table."""
    found: tuple[Any, ...] = con.execute(f"SELECT {', '.join(expressions)} FROM {table}").fetchall()[0]
    return found
