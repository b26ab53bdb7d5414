"""Whether to believe a pilot's effects: other ways of looking, false starts, false pilots, week by week."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

import pandas as pd

from csimprove.pilot.result import records

Way = Literal[
    "main",
    "crude",
    "standardised",
    "ticket_weighted",
    "pooled_t",
    "wild_bootstrap",
    "agents",
    "leave_one_out",
]
Trend = Literal["parallel", "diverging", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Robustness:
    """One other way of looking at one metric.

    Parameters
    ----------
    metric
        Its name.
    way
        ``main``: as decided, Welch over units. ``crude`` or ``standardised``: the basis that is not the main
        one. ``ticket_weighted``: units weigh by their tickets of both periods, interval by clusters (CRV1,
        t). ``pooled_t``: one variance for both arms. ``wild_bootstrap``: wild cluster bootstrap with the null
        imposed; a p-value, no interval. ``agents``: every agent a unit, if teams did not matter; only where
        measures are cut by agent. ``leave_one_out``: the unit whose absence moves the effect most.
    effect, ci_low, ci_high, pvalue
        In the metric's unit; 95 %, two-sided. ``None`` where there is none.
    units
        Units (or agents) compared.
    left_out
        The unit left out, for ``leave_one_out``.
    """

    metric: str
    way: Way
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    pvalue: float | None
    units: int
    left_out: str | None = None


@dataclass(frozen=True, slots=True)
class PreTrend:
    """Whether both arms moved alike before the pilot, judged by equivalence and not by non-significance.

    Parameters
    ----------
    metric
        Its name.
    weeks
        Whole weeks before the start.
    drift, ci_low, ci_high
        Pilot's minus control's linear change over those weeks, with its 90 % Welch interval over units.
    margin
        The minimum gain or margin of the metric in the plan; ``None`` for a secondary metric.
    status
        ``parallel``: the interval lies within ``-/+ margin``; ``diverging``: wholly outside; else, and
        without a margin or 3 weeks, ``cannot_tell``.
    """

    metric: str
    weeks: int
    drift: float | None
    ci_low: float | None
    ci_high: float | None
    margin: float | None
    status: Trend


@dataclass(frozen=True, slots=True, eq=False)
class PilotCredibility:
    """Checks beside the decision; none of them changes the verdict.

    Parameters
    ----------
    robustness
        Ways of looking, metric by metric, ``main`` first.
    placebo_dates
        Columns ``metric, start, real`` (the true start), ``weeks_before, weeks_after, effect, ci_low,
        ci_high``: the period before the pilot with a false start every week, at least one week on either
        side.
    placebo_groups
        Columns ``metric, group, real, units, effect, ci_low, ci_high, rank, of``: every control group as if
        it were the pilot against the other controls, and the true one; ``rank`` 1 is the largest absolute
        effect. Empty where groups are the units.
    event_study
        Columns ``metric, week`` (7 days, counted from the start of the pilot: -1 is the last week before),
        ``start`` (its first day), ``effect`` (crude, pilot's units minus control's, relative to their mean
        before), ``ci_low, ci_high`` (95 %), ``units, decided_share``.
    pretrends
        One per metric.
    """

    robustness: tuple[Robustness, ...]
    placebo_dates: pd.DataFrame
    placebo_groups: pd.DataFrame
    event_study: pd.DataFrame
    pretrends: tuple[PreTrend, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return one row a metric and way of looking, with the fields of `Robustness`."""
        return pd.DataFrame([asdict(row) for row in self.robustness])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain numbers, texts, lists and dicts; missing numbers are ``None``."""
        return {
            "robustness": [asdict(row) for row in self.robustness],
            "placebo_dates": records(self.placebo_dates),
            "placebo_groups": records(self.placebo_groups),
            "event_study": records(self.event_study),
            "pretrends": [asdict(trend) for trend in self.pretrends],
        }
