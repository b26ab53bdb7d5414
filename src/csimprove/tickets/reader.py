"""Read a project's tickets and pauses into canonical Parquet."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from csimprove import columns
from csimprove.settings import Settings
from csimprove.tickets import parsing
from csimprove.tickets.accounting import USED, account
from csimprove.tickets.files import SourceFile, normal, open_source, source_paths
from csimprove.tickets.folding import derived_columns, fold_events
from csimprove.tickets.loading import KEPT_REJECTS, Tickets, joined, load, one_row, view_of
from csimprove.tickets.mapping import (
    headings_of,
    is_name,
    map_fields,
    missing_texts,
    pause_fields,
    suggesting,
)
from csimprove.tickets.masking import NAME, project_key
from csimprove.tickets.parsing import quoted
from csimprove.tickets.reading import Reading

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PARQUET = "(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 500000)"
#: Seconds after which a folder of copies belongs to a reading that crashed.
_STALE = 86_400
_PAUSES = ("ticket_id", "start_at", "end_at")
_PEOPLE = ("customer_key", "agent")


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
    mapped = set(map(normal, headings_of(settings)))
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
        files = [_opened(path, settings, scratch) for path in paths]
        mapped = [(*map_fields(source, file), *suggesting(settings, file)) for file in files]
        with _engine(settings, scratch) as con:
            tables = tuple(
                load(con, f"tickets_{place}", file, fields, settings=settings, key=key)
                for place, (file, fields) in enumerate(zip(files, mapped, strict=True))
            )
            tickets = joined(con, tables)
            if source.events:
                fold_events(con, view_of(tables), tickets.columns, events=source.events, used=USED)
                _mark(con, tickets, "later", "later_event")
                _mark(con, tickets, "copies", "repeated_event")
                tickets = replace(tickets, folded=tuple(source.events))
            _mark_repeated(con, tickets)
            reading = account(con, tickets, settings)
            _write_tickets(con, tickets, settings, folder / "tickets.parquet")
            reading = _read_pauses(con, tickets, reading, settings=settings, folder=folder, scratch=scratch)
    text = json.dumps(reading.to_dict(), ensure_ascii=False, indent=1)
    (folder / "reading.json").write_text(text + "\n", encoding="utf-8")
    return reading


def names_of_people(settings: Settings) -> set[str]:
    """Return the names in the source's columns of people, to hide them in what others typed."""
    source, found = settings.source, set()
    with tempfile.TemporaryDirectory(prefix=".reading-") as folder, _engine(settings, Path(folder)) as con:
        for path in source_paths(settings.path(source.path)):
            file = _opened(path, settings, Path(folder))
            people = [field for field in map_fields(source, file) if field.name in _PEOPLE or is_name(field)]
            if people:
                texts = parsing.texts(
                    people, missing_texts(source), file=file, options="ignore_errors = true"
                )
                listed = ", ".join(quoted(field.name) for field in people)
                query = f"{texts} SELECT DISTINCT unnest([{listed}]) AS name FROM texts"
                names = f"SELECT name FROM ({query}) WHERE regexp_full_match(name, {parsing.literal(NAME)})"
                found |= {name for [name] in con.execute(names).fetchall()}
    return found


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Make a folder for copies of the source, which name people; remove those that a crash left behind."""
    for old in (*folder.glob(".reading-*"), *folder.parent.glob(".*/.reading-*")):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > _STALE:
                shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".reading-") as name:
        yield Path(name)


def _opened(path: Path, settings: Settings, scratch: Path) -> SourceFile:
    source = settings.source
    return open_source(
        path,
        encoding=source.encoding,
        delimiter=source.delimiter,
        table=source.table,
        wanted=headings_of(settings),
        scratch=scratch,
    )


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


def _mark_repeated(con: DuckDBPyConnection, tickets: Tickets) -> None:
    """Give all rows of one id but the one updated last (else the last one) the rule ``duplicate_id``."""
    twice = f"SELECT ticket_id FROM tickets WHERE {USED} GROUP BY ticket_id HAVING count(*) > 1"
    updated = "updated_at DESC NULLS LAST, " if "updated_at" in tickets.columns else ""
    con.execute(f"""CREATE TEMP TABLE repeated AS SELECT base, n - base AS n FROM (
        SELECT base, n, row_number() OVER (PARTITION BY ticket_id ORDER BY {updated}n DESC) AS place
        FROM tickets WHERE {USED} AND ticket_id IN ({twice}))
        WHERE place > 1""")
    _mark(con, tickets, "repeated", "duplicate_id")


def _mark(con: DuckDBPyConnection, tickets: Tickets, rows: str, rule: str) -> None:
    """Give the rows of a table of places a rule that leaves them out."""
    base = 0
    for table in tickets.tables:
        con.execute(f"""UPDATE loaded_{table.name} SET rule = '{rule}'
            WHERE rowid + 1 + shift IN (SELECT n FROM {rows} WHERE base = {base})""")
        base += table.read + table.malformed


def _write_tickets(con: DuckDBPyConnection, table: Tickets, settings: Settings, path: Path) -> None:
    """Write the used rows, in the order of the file, each with its customer's next contact."""
    source = {name: quoted(name) for name in table.columns} | {"row": "n - base + 1"}
    source |= derived_columns(settings.source, table.columns)
    joined = f"(SELECT * FROM tickets WHERE {USED})"
    if "customer_key" in table.columns:
        category = ", category" if "category" in table.columns else ""
        # times are whole seconds: the first one strictly after, whatever opens at the same moment
        con.execute(f"""CREATE TEMP TABLE contacts AS
            SELECT n, first_value(opened_at) OVER (PARTITION BY customer_key{category} ORDER BY opened_at
                RANGE BETWEEN INTERVAL 1 SECOND FOLLOWING AND UNBOUNDED FOLLOWING) AS recontact_at
            FROM tickets WHERE {USED} AND customer_key IS NOT NULL""")
        joined = f"(SELECT * FROM {joined} LEFT JOIN contacts USING (n))"
        source["recontact_at"] = "recontact_at"
    chosen = _typed(columns.TICKETS, source)
    con.execute(f"COPY (SELECT {chosen} FROM {joined} ORDER BY n) TO {parsing.literal(str(path))} {_PARQUET}")


def _read_pauses(
    con: DuckDBPyConnection,
    tickets: Tickets,
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
    table = load(con, "pauses", file, fields, settings=settings, key="")
    usable = """ticket_id IS NOT NULL AND start_at IS NOT NULL AND "bad end_at" IS NULL"""
    con.execute(f"""CREATE TEMP TABLE stretches AS
        SELECT p.ticket_id, start_at, coalesce(end_at, TIMESTAMP 'infinity') AS end_at,
            t.n IS NOT NULL AS known, t.* EXCLUDE (ticket_id)
        FROM (SELECT * FROM pauses WHERE {usable}) AS p
        LEFT JOIN (SELECT * FROM tickets WHERE {USED}) AS t ON p.ticket_id = t.ticket_id""")
    copied = {name: quoted(name) for name in columns.PAUSES if name in (*tickets.columns, *_PAUSES)}
    con.execute(f"""COPY (
        SELECT {_typed(columns.PAUSES, copied | {"end_at": "nullif(end_at, TIMESTAMP 'infinity')"})}
        FROM (SELECT * REPLACE (greatest(start_at, max(end_at) OVER earlier) AS start_at) FROM stretches
            WHERE known WINDOW earlier AS (PARTITION BY ticket_id ORDER BY start_at, end_at
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING))
        WHERE start_at < end_at ORDER BY n, start_at) TO {target}""")
    good, reversed_, unknown = one_row(
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
