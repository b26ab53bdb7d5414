"""What a regular report finds: fields, tables and a JSON-able form; no drawing, no language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from csimprove.baseline import Indicator
from csimprove.plain import plain_fields
from csimprove.spc import ControlChart, Variation

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.tickets import Reading


Period = Literal["daily", "weekly", "monthly", "quarterly"]


@dataclass(frozen=True, slots=True)
class Window:
    """Which days a figure is about.

    Parameters
    ----------
    first, last
        Local days of opening, both included.
    lag
        Days from ``last`` to the data date.
    provisional
        Days are still to come, or tickets are undecided: the figure will be restated.
    """

    first: date
    last: date
    lag: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class Check:
    """One alert rule on one group: an event if the value is beyond the threshold.

    Parameters
    ----------
    id
        Stable name of the event: hash of rule, group and period.
    rule
        ``threshold``, or ``late_urgent``: urgent tickets whose first response is late.
    cut, group
        Column and value that it is about; ``""`` and ``"all"``: every ticket.
    to
        Role that is told.
    window
        The latest decided period of the metric.
    indicator
        Value with interval, threshold and both flags: below threshold (the contract), statistically below
        (the evidence; one-sided exact 5 %).
    """

    id: str
    rule: Literal["threshold", "late_urgent"]
    cut: str
    group: str
    to: str
    window: Window
    indicator: Indicator

    @property
    def fires(self) -> bool:
        """Whether it is an event."""
        return bool(self.indicator.below_threshold)

    def to_dict(self) -> dict[str, Any]:
        """Return everything flat, days as ISO texts."""
        own = {"id": self.id, "rule": self.rule, "cut": self.cut, "to": self.to, "fires": self.fires}
        return own | _flat(self.indicator, self.window)


@dataclass(frozen=True, slots=True)
class Problem:
    """An indicator that needs attention.

    Parameters
    ----------
    metric
        Name.
    gap
        What is still to go to the target, towards the better side; ``None`` without a target.
    tickets_per_week
        Rates: how many tickets a week would have to turn out otherwise; problems are ordered by it.
    since
        First day of the pattern by which the control chart calls it worse; ``None``: it is steady.
    where
        Groups of the compared cut that lie outside the funnel on the bad side.
    owner, due
        From the settings.
    """

    metric: str
    gap: float | None
    tickets_per_week: float | None
    since: date | None
    where: tuple[str, ...]
    owner: str | None
    due: date | None


@dataclass(frozen=True, slots=True)
class Arms:
    """Pilot beside control, with the same phases, and their difference.

    Parameters
    ----------
    pilot, control
        One chart each.
    difference
        Pilot minus control (individuals chart).
    """

    pilot: ControlChart
    control: ControlChart
    difference: ControlChart


@dataclass(frozen=True, slots=True)
class MonitoringResult:
    """One regular report: figures, tables and JSON are made from it.

    Parameters
    ----------
    period
        ``daily``, ``weekly``, ``monthly`` or ``quarterly``.
    indicators, windows
        Every available metric in its period. Days and weeks are the latest that are decided for the metric;
        months and quarters are the calendar's, provisional where tickets are undecided.
    before
        The same one period earlier, as the data say now: what was provisional is restated.
    checks
        Every alert rule on the latest decided period; events first.
    kpis
        A weekly control chart of each metric that has one.
    chart
        The chosen metric by day, by week if there are more than 200 days.
    arms
        Pilot beside control; ``None`` without a pilot.
    funnels
        The chosen rate across the groups of each cut in the period.
    comparison
        The chosen metric by every cut of the settings but the agent, in the period: ``cut, group, numerator,
        denominator, undecided, value, ci_low, ci_high``.
    problems
        What needs attention, most tickets first.
    metric, cut
        What is charted, and by what it is compared.
    unavailable, first, last, as_of, zone, tickets, reading
        As in the baseline; ``first`` and ``last`` span all windows.
    """

    period: Period
    indicators: tuple[Indicator, ...]
    windows: dict[str, Window]
    before: tuple[Indicator, ...]
    checks: tuple[Check, ...]
    kpis: tuple[ControlChart, ...]
    chart: ControlChart
    arms: Arms | None
    funnels: tuple[ControlChart, ...]
    comparison: pd.DataFrame
    problems: tuple[Problem, ...]
    metric: str
    cut: str
    unavailable: tuple[str, ...]
    first: date
    last: date
    as_of: datetime
    zone: str
    tickets: int
    reading: Reading

    @property
    def alerts(self) -> tuple[Check, ...]:
        """The events among the checks."""
        return tuple(check for check in self.checks if check.fires)

    @property
    def variants(self) -> dict[str, str]:
        """Which published definition each metric takes."""
        return {one.metric: one.variant for one in self.indicators}

    @property
    def funnel(self) -> ControlChart | None:
        """The funnel of the chosen cut."""
        return next((one for one in self.funnels if one.group == self.cut), None)

    def to_frame(self) -> pd.DataFrame:
        """Return one row a metric: indicator and window."""
        return pd.DataFrame(self._metrics())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        values = plain_fields(self)
        del values["indicators"], values["windows"]
        return {"period": self.period, "metrics": self._metrics()} | values

    def _metrics(self) -> list[dict[str, Any]]:
        return [_flat(one, self.windows[one.metric]) for one in self.indicators]


def verdict(of: ControlChart) -> Variation:
    """Return what a chart says of the latest points: against the phase before, else within the phase."""
    return of.variation if of.change in (None, "common_cause") else of.change


def outside(funnel: ControlChart, *, bad: bool) -> list[str]:
    """Return the groups beyond the limits of a funnel on the bad (or the good) side."""
    side = "below" if (funnel.better == "higher") == bad else "above"
    return [str(funnel.points["period"].iloc[one.first]) for one in funnel.signals if one.side == side]


def _flat(one: Indicator, window: Window) -> dict[str, Any]:
    return plain_fields(one) | plain_fields(window)
