"""The effect of an action, from the measures: before and after, or against units that did not do it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.errors import SettingsError
from csimprove.inference import Floats
from csimprove.pdca.cycle import Days, Method, Plan, Verdict, listed
from csimprove.settings.programme import Where

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures, Metric

#: Fewest units of the action, and in all, from which an effect against others is taken (pilots: the same).
FEWEST_UNITS, FEWEST_IN_ALL = 3, 6
#: Fewest whole weeks before and after.
FEWEST_WEEKS = 3
#: A window with more undecided tickets than this share is not decided yet.
UNDECIDED_SHARE = 0.05


class PlanError(SettingsError):
    """A plan that the data do not bear out; ``problems`` holds every reason."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("the plan does not fit the data:" + listed(*problems))


@dataclass(frozen=True, slots=True)
class Effect:
    """What an action did to its metric.

    Parameters
    ----------
    verdict
        ``confirmed``: the whole interval lies at or beyond the planned gain. ``harmed``: it lies on the worse
        side of no change. ``too_small``: it lies below the gain. ``not_shown``: it holds the gain.
        ``cannot_tell``: there is no interval.
    method
        ``units_compared``: change of the action's units minus change of the compared ones (Welch's t).
        ``units``: mean change of the units; ``weeks``: weeks after against weeks before (Welch's t); of these
        two the wider interval is taken. ``none``: too few of either.
    before, after, n_before, n_after
        Pooled value of the action's tickets in baseline and window, and decided tickets.
    undecided
        Tickets of the window that are not decided.
    effect, ci_low, ci_high
        Change towards the better side with its 95 % interval, in the metric's unit; ``None`` without one.
    units, units_compared
        How many changed, and how many they are compared with.
    """

    verdict: Verdict
    method: Method
    before: float | None
    after: float | None
    n_before: int
    n_after: int
    undecided: int
    effect: float | None
    ci_low: float | None
    ci_high: float | None
    units: int
    units_compared: int


def reads_on(plan: Plan, window_days: int) -> date | None:
    """Return the first day on which every ticket of the window is old enough to be decided."""
    return None if plan.window is None else plan.window[1] + timedelta(days=window_days + 1)


def effect(measures: Measures, plan: Plan) -> Effect:
    """Measure the effect of an action as its plan says.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment after the window.
    plan
        A complete plan.

    Returns
    -------
    Effect
        Only decided tickets count.

    Raises
    ------
    PlanError
        If the plan does not fit the data, or its window is not decided.

    Notes
    -----
    Tickets of one team are alike, so the unit is the team (or what the plan names). Against compared units
    the change of every unit is taken, as in a pilot; what both shared (season, volume) cancels, what only
    one of them met does not. Without them the change of the units ignores what befell everybody at the same
    time and the change of the weeks ignores that they follow one another: the wider interval is taken, and
    any other change between the windows still counts as effect.
    """
    if problems := plan_problems(measures, plan):
        raise PlanError(*problems)
    metric = measures.metric(str(plan.metric))
    sums = [_sums(measures, plan, metric, days, plan.where) for days in _windows(plan)]
    before, after = (_ratio(one["numerator"].sum(), one["denominator"].sum()) for one in sums)
    undecided = int(sums[1]["undecided"].sum())
    decided = [int(one["denominator"].sum()) for one in sums]
    if undecided > UNDECIDED_SHARE * (decided[1] + undecided):
        raise PlanError(
            f"the window is not decided: {undecided:,} of its {decided[1] + undecided:,} tickets are open "
            f"as of {measures.as_of:%Y-%m-%d %H:%M} UTC. Check again when they are decided"
        )
    sign = 1 if metric.better == "higher" else -1
    changes = sign * _changes(measures, plan, metric, plan.where)
    compared = sign * _changes(measures, plan, metric, plan.compare) if plan.compare else np.array([])
    method, value, low, high = _interval(measures, plan, metric, changes, compared, sign)
    return Effect(
        verdict=_verdict(low, high, float(plan.gain or 0)),
        method=method,
        before=before,
        after=after,
        n_before=decided[0],
        n_after=decided[1],
        undecided=undecided,
        effect=value,
        ci_low=low,
        ci_high=high,
        units=len(changes),
        units_compared=len(compared),
    )


def plan_problems(measures: Measures, plan: Plan) -> list[str]:
    """Return everything by which a plan does not fit the data, apart from the decision of its window."""
    cuts = measures.keys[1:]
    found = []
    if plan.metric is not None:
        try:
            measures.metric(plan.metric)
        except SettingsError as error:
            found.append(str(error))
    for name, where in (("where", plan.where), ("compare", plan.compare)):
        for cut, values in where.items():
            if cut not in cuts:
                found.append(f"`{name}` must name cuts of these measures ({', '.join(cuts)}), not {cut}")
            elif unknown := sorted(set(values) - set(measures.frame[cut])):
                found.append(f"`{name}.{cut}` must name values of the data, not {', '.join(unknown)}")
    if plan.unit not in cuts and plan.compare:
        found.append(f"`unit` must be a cut of these measures ({', '.join(cuts)}), not {plan.unit}")
    return found


def undecided_until(measures: Measures, plan: Plan) -> date | None:
    """Return the day on which the window will be decided, if that is still to come."""
    if problems := plan_problems(measures, plan):
        raise PlanError(*problems)
    day = reads_on(plan, measures.metric(str(plan.metric)).window_days)
    return day if day is not None and day > measures.whole_day + timedelta(days=1) else None


def _windows(plan: Plan) -> tuple[Days, Days]:
    if plan.baseline is None or plan.window is None:
        raise SettingsError(
            "the plan must have `baseline` and `window`. Add them with `csimprove pdca plan`."
        )
    return plan.baseline, plan.window


def _sums(measures: Measures, plan: Plan, metric: Metric, days: Days, where: Where, *by: str) -> pd.DataFrame:
    return measures.pooled(*by, metrics=(metric.name,), first=days[0], last=days[1], where=dict(where))


def _ratio(numerator: float, denominator: float) -> float | None:
    return float(numerator / denominator) if denominator else None


def _changes(measures: Measures, plan: Plan, metric: Metric, where: Where) -> Floats:
    """Change of every unit that has decided tickets in both windows."""
    if plan.unit not in measures.keys:
        return np.array([])
    values = []
    for days in _windows(plan):
        rows = _sums(measures, plan, metric, days, where, plan.unit)
        rows = rows[(rows["denominator"] > 0) & (rows[plan.unit] != "")].set_index(plan.unit)
        values.append(rows["numerator"] / rows["denominator"])
    return (values[1] - values[0]).dropna().to_numpy(dtype=float)


def _weeks(measures: Measures, plan: Plan, metric: Metric, days: Days) -> Floats:
    """Value of every stretch of seven days that fits into a window."""
    rows = _sums(measures, plan, metric, days, plan.where, "day")
    week = (rows["day"] - pd.Timestamp(days[0])).dt.days // 7
    whole = ((days[1] - days[0]).days + 1) // 7
    sums = rows[week < whole].groupby(week[week < whole])[["numerator", "denominator"]].sum()
    sums = sums[sums["denominator"] > 0]
    return (sums["numerator"] / sums["denominator"]).to_numpy(dtype=float)


#: Method, effect, lower and upper limit.
_Found = tuple[Method, float | None, float | None, float | None]


def _interval(
    measures: Measures, plan: Plan, metric: Metric, changes: Floats, compared: Floats, sign: int
) -> _Found:
    if plan.compare:
        many = len(changes) >= FEWEST_UNITS and len(changes) + len(compared) >= FEWEST_IN_ALL
        if not many or len(compared) < 2:
            return "none", None, None, None
        test = inference.welch(changes, compared)
        return "units_compared", test.effect, test.ci_low, test.ci_high
    found: list[_Found] = []
    if len(changes) >= FEWEST_UNITS:
        found.append(("units", *inference.one_sample_t(changes)))
    before, after = (sign * _weeks(measures, plan, metric, days) for days in _windows(plan))
    if min(len(before), len(after)) >= FEWEST_WEEKS:
        test = inference.welch(after, before)
        found.append(("weeks", test.effect, test.ci_low, test.ci_high))
    return max(found, key=_width, default=("none", None, None, None))


def _width(found: _Found) -> float:
    _, _, low, high = found
    return math.inf if low is None or high is None else high - low


def _verdict(low: float | None, high: float | None, gain: float) -> Verdict:
    if low is None or high is None or math.isnan(low):
        return "cannot_tell"
    if low >= gain:
        return "confirmed"
    if high < 0:
        return "harmed"
    return "too_small" if high < gain else "not_shown"
