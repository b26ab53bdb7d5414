"""Tickets from events, and columns that follow from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csimprove.errors import SettingsError
from csimprove.settings import Source
from csimprove.tickets.parsing import quoted, texts_list

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Times of which the first event counts; of the others the last one does.
_FIRST = ("first_response_at", "reopened_at")


def fold_events(
    con: DuckDBPyConnection,
    rows: str,
    names: tuple[str, ...],
    *,
    events: dict[str, tuple[str, ...]],
    used: str,
) -> None:
    """Give the first event of each ticket the times of the later ones.

    Replaces the view ``tickets`` and makes the tables ``later`` and ``copies``: places (``base, n``) of the
    other events and of exact copies.

    Parameters
    ----------
    con
        Connection that knows the view ``tickets``.
    rows
        What the view selects, as SQL.
    names
        Canonical columns that the source has.
    events
        As `Source.events`.
    used
        Condition of a row that can be used, as SQL.

    Raises
    ------
    SettingsError
        If kinds of events are named but none is mapped.
    """
    has_status = "status" in names
    times = []
    for name, kinds in events.items():
        if kinds and not has_status:
            raise SettingsError(
                f"`source.events.{name}` must be empty without a kind of event, not {', '.join(kinds)}. "
                "Map the kind to status under [source.columns]."
            )
        among = f" FILTER (list_contains({texts_list(kinds)}, status))" if kinds else ""
        times.append(f"{'min' if name in _FIRST else 'max'}(opened_at){among} AS {name}")
    if has_status:
        times.append("max_by(status, (opened_at, n)) AS status")
    con.execute(f"""CREATE TEMP TABLE events AS SELECT base, n - base AS n,
        row_number() OVER (PARTITION BY {", ".join(map(quoted, names))} ORDER BY n) AS copy,
        row_number() OVER (PARTITION BY ticket_id ORDER BY opened_at, n) AS place
        FROM tickets WHERE {used}""")
    con.execute("CREATE TEMP TABLE copies AS FROM events WHERE copy > 1")
    con.execute("CREATE TEMP TABLE later AS FROM events WHERE place > 1")
    con.execute(f"""CREATE TEMP TABLE folded AS
        SELECT ticket_id, {", ".join(times)} FROM tickets WHERE {used} GROUP BY ticket_id""")
    new = [*events, *["status"] * has_status]
    old = [name for name in new if name in names]
    con.execute(f"""CREATE OR REPLACE TEMP VIEW tickets AS
        SELECT t.*{f" EXCLUDE ({', '.join(old)})" if old else ""}, {", ".join(f"f.{name}" for name in new)}
        FROM ({rows}) AS t LEFT JOIN folded AS f USING (ticket_id)""")


def derived_columns(source: Source, names: tuple[str, ...]) -> dict[str, str]:
    """Return what follows from other columns, as SQL; a mapped column wins."""
    if not source.calls or "first_response_at" not in names:
        return {}
    wait = "date_diff('second', opened_at, first_response_at)"
    found = {
        "wait_seconds": f"CASE WHEN {wait} >= 0 THEN {wait} END",
        "abandoned": "first_response_at IS NULL",
    }
    return {name: sql for name, sql in found.items() if name not in names}
