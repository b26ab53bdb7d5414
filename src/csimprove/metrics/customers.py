"""Customers: how many there are, and how many were lost, by declared groups."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from csimprove.errors import Failure, TicketDataError
from csimprove.settings import Settings
from csimprove.tickets.files import open_source
from csimprove.tickets.mapping import named_fields
from csimprove.tickets.parsing import FALSE, ISO_FORMATS, TRUE, literal, quoted, texts, texts_list

#: Days of the period over which losses are counted where the table says when.
YEAR = 365


@dataclass(frozen=True, slots=True)
class Customers:
    """Counts of customers.

    Parameters
    ----------
    count
        Customers that are there at ``as_of``: declared, else those of the table that are not lost.
    source
        Name of the table, ``""`` for a declared count.
    first, last
        The year over which losses are counted, ISO days; ``None``: the table does not say when.
    groups
        ``(cut, group, customers, lost)``: those who were customers at the start of the year (without days:
        all whose flag can be read) and how many of them were lost; cut ``""`` is all, group ``""`` missing.
    rows, unread
        Rows of the table, and those of which a value could not be read.
    """

    count: int
    source: str = ""
    first: str | None = None
    last: str | None = None
    groups: tuple[tuple[str, str, int, int], ...] = ()
    rows: int = 0
    unread: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return the counts as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Customers:
        """Make counts from what `to_dict` returned."""
        return cls(**{**data, "groups": tuple(tuple(group) for group in data["groups"])})

    def frame(self) -> pd.DataFrame:
        """Return the groups as columns ``cut, group, customers, lost``."""
        return pd.DataFrame(self.groups, columns=["cut", "group", "customers", "lost"])


def read_customers(settings: Settings, *, today: date) -> Customers | None:
    """Count customers and losses.

    Parameters
    ----------
    settings
        The project; ``customers`` says where the table is.
    today
        Local day of ``as_of``: the last day of the year.

    Returns
    -------
    Customers or None
        ``None`` if the settings say nothing of customers.

    Raises
    ------
    TicketDataError
        If the table cannot be used: a heading is missing, or no row can be read.
    """
    own = settings.customers
    if own is None:
        return None
    if own.path is None:
        return Customers(own.count or 0)
    import duckdb  # noqa: PLC0415 - heavy

    dated = own.since is not None and own.lost_on is not None
    headings = (
        {"since": own.since or "", "lost_on": own.lost_on or ""} if dated else {"churned": own.churned or ""}
    )
    cuts = {f"cut {place}": heading for place, heading in enumerate(own.cuts)}
    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as con:
        file = open_source(
            settings.path(own.path),
            encoding=own.encoding,
            delimiter=own.delimiter,
            table=own.table,
            wanted=[*headings.values(), *own.cuts],
            scratch=Path(scratch),
        )
        fields = named_fields(file, headings | cuts, table="customers")
        text = texts(fields, own.missing, file=file, options="ignore_errors = true")
        first, last = (today - timedelta(days=YEAR - 1), today) if dated else (None, None)
        columns = _dated(own.formats or ISO_FORMATS, first, last) if first and last else _flagged()
        con.execute(f"CREATE TEMP TABLE c AS {text} SELECT *, {columns} FROM texts")
        rows, unread, there = con.execute(
            "SELECT count(*), count(*) FILTER (NOT readable), count(*) FILTER (there) FROM c"
        ).fetchall()[0]
        if rows == unread:
            _refuse(con, file.name, headings)
        groups = []
        for name, heading in {"": "", **cuts}.items():
            group = f"coalesce({quoted(name)}, '')" if name else "''"
            groups += con.execute(f"""SELECT {literal(heading)}, {group}, count(*) FILTER (began),
                count(*) FILTER (began AND lost) FROM c GROUP BY ALL ORDER BY ALL""").fetchall()
    return Customers(
        count=own.count or there,
        source=file.name,
        first=first.isoformat() if first else None,
        last=last.isoformat() if last else None,
        groups=tuple(map(tuple, groups)),
        rows=rows,
        unread=unread,
    )


def _flagged() -> str:
    """Make columns of a yes or no: whether it can be read, counts, was lost, is there."""
    lost = f"list_contains({texts_list(TRUE)}, lower(churned))"
    known = f"coalesce({lost} OR list_contains({texts_list(FALSE)}, lower(churned)), false)"
    return f"{known} AS readable, {known} AS began, {lost} AS lost, {known} AND NOT {lost} AS there"


def _dated(formats: tuple[str, ...], first: date, last: date) -> str:
    """Make the same columns of two days; a customer lost on a day is one until then."""
    since, gone = (
        f"CAST(try_strptime({name}, {texts_list(formats)}) AS DATE)" for name in ("since", "lost_on")
    )
    readable = f"({since} IS NOT NULL AND ({gone} IS NULL) = (lost_on IS NULL))"
    start, end = f"DATE '{first}'", f"DATE '{last}'"
    return f"""{readable} AS readable,
        {readable} AND {since} < {start} AND coalesce({gone} >= {start}, true) AS began,
        coalesce({gone} <= {end}, false) AS lost,
        {readable} AND {since} <= {end} AND coalesce({gone} > {end}, true) AS there"""


def _refuse(con: Any, name: str, headings: dict[str, str]) -> None:
    failures = []
    for column, heading in headings.items():
        found = con.execute(
            f"SELECT DISTINCT {column} FROM c WHERE {column} IS NOT NULL ORDER BY 1 LIMIT 3"
        ).fetchall()
        values = ", ".join(repr(value) for (value,) in found)
        rule = (
            "yes or no, true or false, 1 or 0, 是 or 否" if column == "churned" else "days such as 2025-03-31"
        )
        advice = "" if column == "churned" else " Set `formats` under [customers]."
        failures.append(Failure(heading, None, "", f"must hold {rule}, not {values or 'nothing'}.{advice}"))
    raise TicketDataError(name, failures)
