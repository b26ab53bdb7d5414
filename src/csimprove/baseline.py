"""Where are we: indicators against targets, by every declared cut, week by week, and the gap to the goals."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

if TYPE_CHECKING:  # the result needs no engine
    from csimprove.tickets import Reading


@dataclass(frozen=True, slots=True)
class Indicator:
    """One metric over the whole period.

    Parameters
    ----------
    metric, unit, better, variant
        Name, ``share`` or ``minutes``, ``higher`` or ``lower``, and which published definition.
    group
        ``"all"``.
    numerator, denominator
        Successes (or the sum, in the unit) and decided tickets.
    undecided, left_out
        Tickets whose clock or window is still running at ``as_of``; tickets outside the metric.
    value, ci_low, ci_high
        ``numerator / denominator`` with its 95 % interval: Wilson for rates, t for means. The interval takes
        tickets as independent: it ignores that agents and teams differ. ``None`` without a decided ticket.
    target, alert_threshold
        From the settings, else the catalogue's.
    below_threshold
        The contract: the value is on the bad side of the alert threshold (above it if ``better`` is
        ``lower``).
    statistically_below
        The evidence: a one-sided 5 % test says so too (exact binomial for rates, t for means).
    on_target
        The interval lies wholly at or beyond the target, wholly short of it, or holds it.
    thin
        CSAT from fewer than 30 answers.
    """

    metric: str
    unit: str
    better: str
    variant: str
    group: str
    numerator: float
    denominator: int
    undecided: int
    left_out: int
    value: float | None
    ci_low: float | None
    ci_high: float | None
    target: float | None
    alert_threshold: float | None
    below_threshold: bool | None
    statistically_below: bool | None
    on_target: Literal["reached", "not_reached", "cannot_tell"] | None
    thin: bool


@dataclass(frozen=True, slots=True)
class Goal:
    """How far a metric is from its target.

    Parameters
    ----------
    metric, value, target
        Name, value of the period and target, in the metric's unit.
    gap
        What is still to go towards the better side; negative when the target is passed.
    tickets_per_week
        Rates: ``gap`` times the eligible tickets a week: how many would have to turn out otherwise. ``None``
        for means.
    owner, due
        From the settings.
    """

    metric: str
    value: float
    target: float
    gap: float
    tickets_per_week: float | None
    owner: str | None
    due: date | None


@dataclass(frozen=True, slots=True)
class BaselineResult:
    """Where the service stands in one period.

    Parameters
    ----------
    indicators
        One per available metric.
    cuts
        Columns ``cut, group, metric, numerator, denominator, undecided, value, ci_low, ci_high``; group
        ``""`` is "missing".
    trend
        Columns ``week`` (its Monday)``, metric, numerator, denominator, undecided, value, complete``: not
        complete are weeks cut off by the period or by ``as_of`` and weeks with undecided tickets.
    goals
        One per metric with a target and a value.
    unavailable
        Metrics of the catalogue whose columns the source does not have.
    first, last
        The period, local days, both included.
    as_of, zone, reading
        When and of which data.
    tickets
        Tickets opened in the period.
    """

    indicators: tuple[Indicator, ...]
    cuts: pd.DataFrame
    trend: pd.DataFrame
    goals: tuple[Goal, ...]
    unavailable: tuple[str, ...]
    first: date
    last: date
    as_of: datetime
    zone: str
    tickets: int
    reading: Reading

    def to_frame(self) -> pd.DataFrame:
        """Return one row an indicator: the fields of `Indicator`."""
        return pd.DataFrame([asdict(indicator) for indicator in self.indicators])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {
            "metrics": [asdict(indicator) for indicator in self.indicators],
            "cuts": _records(self.cuts),
            "trend": _records(self.trend),
            "goals": [{**asdict(goal), "due": goal.due and goal.due.isoformat()} for goal in self.goals],
            "unavailable": list(self.unavailable),
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "as_of": self.as_of.isoformat(),
            "zone": self.zone,
            "tickets": self.tickets,
            "reading": self.reading.to_dict(),
        }


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dicts of Python's own numbers and texts: dates as ISO texts, missing as ``None``."""
    if "week" in frame:
        frame = frame.assign(week=frame["week"].astype(str))
    return frame.astype(object).where(frame.notna(), None).to_dict("records")
