"""Tickets that are used although something about many of them together looks wrong."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

#: Tickets that one customer opens, or that are resolved by one hand, in one minute: a machine or a bulk edit.
#: Also five times the usual number, so that a large centre does not look like one.
BULK_OPENED, BULK_RESOLVED, TIMES_USUAL = 10, 20, 5
#: Share of the tickets that no single customer should have, and the least number worth a word.
DOMINANT_SHARE, DOMINANT_LEAST = 0.05, 20
#: Different times of day below which a column holds days only, where everything happens at once.
DAYS_ONLY = 25
#: Ratings of a month from which its scale can be told; share of them beyond 5 that makes a wider scale.
SCALE_LEAST, SCALE_WIDER = 30, 0.05


def suspicious(con: DuckDBPyConnection, used: str, names: Collection[str]) -> dict[str, int]:
    """Count the tickets that look wrong beside others.

    Parameters
    ----------
    con
        Connection that knows the tickets.
    used
        The tickets as SQL; beside the canonical columns "bad csat", the rating that could not be used.
    names
        Canonical columns that the source has.

    Returns
    -------
    dict
        ``opened_twice``: further tickets of one customer, channel and category opened in the same second.
        ``opened_in_bulk``, ``resolved_in_bulk``: tickets in minutes with at least `BULK_OPENED` of one
        customer (`BULK_RESOLVED` if there are no customers) or `BULK_RESOLVED` of one agent (else team, else
        all), and `TIMES_USUAL` the mean of such minutes.
        ``dominant_customer``: tickets of customers who have more than `DOMINANT_SHARE` of them.
        ``rating_scale_changed``: ratings of months whose scale (1 and 5 only, 1 to 5, wider) is not that of
        most ratings.
    """
    found = {}
    if "customer_key" in names:
        same = ", ".join(
            name for name in ("customer_key", "opened_at", "channel", "category") if name in names
        )
        found["opened_twice"] = _number(
            con,
            f"""SELECT sum(k - 1) FROM (SELECT count(*) AS k FROM {used} WHERE customer_key IS NOT NULL
                GROUP BY {same} HAVING k > 1)""",
        )
        found["dominant_customer"] = _number(
            con,
            f"""SELECT sum(k) FROM (SELECT count(*) AS k FROM {used} WHERE customer_key IS NOT NULL
                GROUP BY customer_key HAVING k >= {DOMINANT_LEAST})
                WHERE k > {DOMINANT_SHARE} * (SELECT count(*) FROM {used})""",
        )
    who = "customer_key" if "customer_key" in names else ""
    hand = next((name for name in ("agent", "team") if name in names), "")
    found["opened_in_bulk"] = _number(
        con, _bulk(used, "opened_at", who, BULK_OPENED if who else BULK_RESOLVED)
    )
    if "resolved_at" in names:
        found["resolved_in_bulk"] = _number(con, _bulk(used, "resolved_at", hand, BULK_RESOLVED))
    if "csat" in names:
        found["rating_scale_changed"] = _number(con, _scales(used))
    return found


def net_promoter_scale(
    con: DuckDBPyConnection, used: str, *, declared: tuple[int, int] | None
) -> dict[str, int]:
    """Check that answers can be those of a net promoter score, 0 to 10.

    Parameters
    ----------
    con, used
        As for :func:`suspicious`.
    declared
        The scale of the settings, if any.

    Returns
    -------
    dict
        ``nps_without_zero``: answers of which none is 0; ``nps_scale_changed``: answers of months that end at
        5, 6 or 7 where others go beyond.

    Raises
    ------
    ValueError
        If the scale is not declared and the answers do not go beyond 7, or not in every month.
    """
    months = con.execute(f"""SELECT strftime(opened_at, '%Y-%m'), count(*), min(nps_score), max(nps_score)
        FROM {used} WHERE nps_score IS NOT NULL GROUP BY 1 ORDER BY 1""").fetchall()
    answers, top = sum(month[1] for month in months), max((month[3] for month in months), default=0)
    narrow = [month for month in months if month[1] >= SCALE_LEAST and 5 <= month[3] <= 7 < top]
    what = ""
    if 5 <= top <= 7:
        what = f"the largest of {answers} answers is {top}"
    elif narrow:
        ends = ", ".join(f"{month} ends at {most}" for month, _, _, most in narrow)
        what = f"the scale changes: {ends}, other months at {top}"
    if what and declared is None:
        raise ValueError(
            f"must be answers from 0 to 10: {what}. Promoters are 9-10 and detractors 0-6. If the scale was "
            "0 to 10 all the time, declare it: `scales.nps_score = [0, 10]` under [source]; else map it to "
            "csat."
        )
    none_zero = declared is None and answers >= SCALE_LEAST and min(month[2] for month in months) > 0
    return {
        "nps_without_zero": answers if none_zero else 0,
        "nps_scale_changed": sum(month[1] for month in narrow),
    }


def _bulk(used: str, at: str, key: str, least: int) -> str:
    known = f"AND {key} IS NOT NULL" if key else ""
    return f"""SELECT sum(k) FROM (
        SELECT count(*) AS k FROM {used} WHERE {at} IS NOT NULL {known}
        GROUP BY date_trunc('minute', {at}){", " + key if key else ""}
        QUALIFY k >= greatest({least}, {TIMES_USUAL} * avg(k) OVER ()))
        WHERE (SELECT count(DISTINCT CAST({at} AS TIME)) FROM {used}) >= {DAYS_ONLY}"""


def _scales(used: str) -> str:
    beyond = """try_cast("bad csat" AS DOUBLE) > 5"""
    return f"""SELECT sum(k) - max(k) FROM (SELECT scale, sum(k) AS k FROM (
        SELECT count(*) AS k, CASE WHEN count(*) FILTER ({beyond}) > {SCALE_WIDER} * count(*) THEN 'wider'
            WHEN bool_and(csat = 1 OR csat = 5) THEN 'two' ELSE 'five' END AS scale
        FROM {used} WHERE csat IS NOT NULL OR {beyond}
        GROUP BY date_trunc('month', opened_at) HAVING k >= {SCALE_LEAST}) GROUP BY scale)"""


def _number(con: DuckDBPyConnection, query: str) -> int:
    [(value,)] = con.execute(query).fetchall()
    return int(value or 0)
