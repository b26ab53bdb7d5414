"""What is known of the causes of a problem."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import pandas as pd

from csimprove.inference import Agreement
from csimprove.plain import Plain, plain_fields
from csimprove.settings import Language, Status
from csimprove.tickets import Reading

Labels = dict[Language, str]
#: Why a ticket has no cause: nothing is written, the coder cannot tell, a mark such as "-", coders differ.
NoCause = Literal["not_coded", "cannot_tell", "marked", "disputed"]
NO_CAUSE: tuple[NoCause, ...] = ("not_coded", "cannot_tell", "marked", "disputed")
#: Share that the vital causes reach together.
VITAL_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Cause(Plain):
    """A category, a cause or a sub-cause with the tickets that are coded to it.

    Parameters
    ----------
    key
        Category, cause, sub-cause as far as it goes; a category that nobody named is ``""``.
    labels
        Name for people, by language.
    status, controllable
        What the file of causes says; a category has none.
    count, share, ci_low, ci_high
        Tickets, their share (0-1) of the coded ones, its 95 % Wilson interval; tickets count as independent.
    previous, change, change_low, change_high
        Tickets in the period before, and share now minus share then with Newcombe's interval; ``None``
        without a period before.
    misses, miss_share
        Coded tickets that missed the limit, and their share of all coded ones that did; ``None`` without
        limit.
    delay, delay_low, delay_high
        Median minutes on ``CausesResult.clock`` with its interval, open tickets counted in; ``None`` where
        the observation does not reach it.
    evidence
        What the status rests on, by language.
    parts
        Causes of a category, sub-causes of a cause.
    """

    key: tuple[str, ...]
    labels: Labels
    status: Status | None
    controllable: bool | None
    count: int
    share: float | None
    ci_low: float | None
    ci_high: float | None
    previous: int | None = None
    change: float | None = None
    change_low: float | None = None
    change_high: float | None = None
    misses: int | None = None
    miss_share: float | None = None
    delay: float | None = None
    delay_low: float | None = None
    delay_high: float | None = None
    evidence: Labels | None = None
    parts: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True)
class Stability(Plain):
    """Whether a cause's share of the coded tickets was steady.

    Parameters
    ----------
    key
        Of the cause.
    by, points
        Subgroup, ``day`` or ``week``, and how many of them.
    state
        ``steady``, ``unsteady`` (the chart has a signal) or ``too_short`` (fewer than 6 points).
    trial
        Fewer than 12 points: the limits are trial limits.
    latest_signal
        Start of the last day or week of the latest signal.
    """

    key: tuple[str, ...]
    by: Literal["day", "week"]
    points: int
    state: Literal["steady", "unsteady", "too_short"]
    trial: bool
    latest_signal: date | None


@dataclass(frozen=True, slots=True)
class Association(Plain):
    """How tickets with a cause came off beside the other coded tickets: together, not because of it.

    Parameters
    ----------
    key
        Of the cause.
    outcome
        ``on_time`` (within the limit) or ``satisfied`` (a rating of 4 or 5).
    with_k, with_n, without_k, without_n
        Good ones and decided or rated ones, with the cause and with another one.
    difference, ci_low, ci_high
        With minus without, and Newcombe's 95 % interval, which ignores that agents and teams differ.
    """

    key: tuple[str, ...]
    outcome: Literal["on_time", "satisfied"]
    with_k: int
    with_n: int
    without_k: int
    without_n: int
    difference: float | None
    ci_low: float | None
    ci_high: float | None


@dataclass(frozen=True, slots=True)
class Coding(Plain):
    """What coders said of the same tickets.

    Parameters
    ----------
    coders
        Their names in the sheet.
    found
        Raw agreement and alpha over causes; "can't tell" and "-" are codes, too.
    disagreements
        Columns ``code, other, tickets, ids``: pairs of codes given to the same ticket, most tickets first.
    outside
        Tickets of the sheet that are not among those looked into.
    """

    coders: tuple[str, ...]
    found: Agreement
    disagreements: pd.DataFrame
    outside: int


@dataclass(frozen=True, slots=True)
class CausesResult:
    """Why: the causes of a problem, counted.

    Parameters
    ----------
    problem
        What they are causes of, by language; ``None``: the tickets of ``of``.
    of, where
        Which tickets were looked into.
    source
        ``column`` or ``sheet``.
    tickets, coded, no_cause
        Tickets looked into, those with a cause, and why the others have none; they add up.
    missing
        Texts such as "-" that the reading takes for no value, so that they count as not coded.
    categories
        The tree: categories with causes with sub-causes, in the order of ``order``.
    order
        ``count`` or ``input``.
    measure, clock
        ``first_response`` or ``resolution``: which limit was missed and which delay is told, on the
        ``calendar`` or, where the source states only that, the ``business`` clock; ``None`` without one.
    misses
        Coded tickets that missed the limit.
    lead
        Share of the largest cause minus that of the second, with its 95 % interval (Agresti and Min);
        ``None`` with fewer than two causes.
    stability
        Of the largest causes above the 80 % line, at most three.
    associations
        Of the largest causes above the 80 % line, at most five.
    coding
        What the coding sheet says; ``None`` without one.
    suggested
        Columns ``cause, tickets``: what keywords suggest for tickets without a cause; not counted anywhere.
    whys
        Columns ``cause, id, after, depth, en, zh, evidence_en, evidence_zh, status``: answers to "why?".
    listing
        Columns ``ticket_id, day, category, cause, subcause``: the coded tickets of the period.
    first, last, previous, as_of, zone, reading
        Periods (local days, both included), when, and of which data. ``previous`` is as long, but starts
        with the first day of the data at the earliest; ``None`` if there is no such day.
    """

    problem: Labels | None
    of: str
    where: dict[str, tuple[str, ...]]
    source: Literal["column", "sheet"]
    tickets: int
    coded: int
    no_cause: dict[NoCause, int]
    missing: tuple[str, ...]
    categories: tuple[Cause, ...]
    order: Literal["count", "input"]
    measure: Literal["first_response", "resolution"] | None
    clock: Literal["calendar", "business"] | None
    misses: int | None
    lead: tuple[float, float, float] | None
    stability: tuple[Stability, ...]
    associations: tuple[Association, ...]
    coding: Coding | None
    suggested: pd.DataFrame
    whys: pd.DataFrame
    listing: pd.DataFrame
    first: date
    last: date
    previous: tuple[date, date] | None
    as_of: datetime
    zone: str
    reading: Reading

    @property
    def ranked(self) -> tuple[Cause, ...]:
        """Causes with tickets, most first; those with as many stand in the order of their names."""
        causes = (cause for category in self.categories for cause in category.parts if cause.count)
        return tuple(sorted(causes, key=lambda one: (-one.count, one.key)))

    @property
    def vital(self) -> int:
        """Number of causes above the 80 % line: the fewest that reach it, and those as large as the last."""
        total, ranked = 0, self.ranked
        for place, cause in enumerate(ranked):
            if total >= VITAL_SHARE * self.coded and cause.count < ranked[place - 1].count:
                return place
            total += cause.count
        return len(ranked)

    def every(self) -> Iterator[Cause]:
        """Return categories, causes and sub-causes, each before its parts."""
        for category in self.categories:
            yield category
            for cause in category.parts:
                yield cause
                yield from cause.parts

    def ids(self, key: tuple[str, ...]) -> list[str]:
        """Return the ids of the tickets behind a category, cause or sub-cause."""
        rows = self.listing
        for column, name in zip(("category", "cause", "subcause"), key, strict=False):
            rows = rows[rows[column] == name]
        return rows["ticket_id"].tolist()

    def to_frame(self) -> pd.DataFrame:
        """Return one row a category, cause and sub-cause: the fields of `Cause` but its parts."""
        rows = [{**one.to_dict(), "level": len(one.key)} for one in self.every()]
        return pd.DataFrame(rows).drop(columns="parts", errors="ignore")

    def to_dict(self) -> dict[str, object]:
        """Return everything as plain values, but not the listing: ``csimprove code list`` writes it."""
        data = plain_fields(self)
        return {name: value for name, value in data.items() if name != "listing"} | {"vital": self.vital}
