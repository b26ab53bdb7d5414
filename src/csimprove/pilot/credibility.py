"""Whether to believe a pilot's effects: other ways of looking, false starts, false pilots, week by week."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from csimprove import inference
from csimprove.inference import Floats, TeamTest
from csimprove.pilot import effects
from csimprove.pilot.daily import Daily, daily
from csimprove.pilot.effects import Basis, Sums
from csimprove.pilot.roster import roster, units_of
from csimprove.plain import Plain
from csimprove.settings import PilotPlan

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures

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
class PilotCredibility(Plain):
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
        return pd.DataFrame(list(self.robustness))


def credibility(measures: Measures, *, plan: PilotPlan, rng: np.random.Generator) -> PilotCredibility:
    """Look at a pilot in every other way that could prove its effects wrong.

    Parameters
    ----------
    measures
        Sums per day, unit and stratum as of a moment.
    plan
        Arms, windows, metrics with roles, what is asked of them.
    rng
        For permutations and bootstraps of more assignments than can all be tried.

    Returns
    -------
    PilotCredibility
        Robustness, placebo dates and groups, event study, pre-trends.

    Raises
    ------
    SettingsError
        If the plan does not fit the data; the message lists every reason.

    Notes
    -----
    Every comparison is the one of :func:`csimprove.pilot.pilot` (change scores of units, Welch) but for the
    one thing that its name says. Intervals are not corrected for their number: of twenty placebos one is
    expected to exclude zero.
    """
    units = roster(measures, plan)
    basis: Basis = "crude" if plan.crude_reason else "standardised"
    days = daily(measures, plan, units)
    found = days.window_sums(plan.before, plan.during)
    agents = _agents(measures, plan)
    robustness = []
    for sums in found:
        robustness += [*_robustness(sums, basis=basis, rng=rng), *agents.get(sums.metric.name, ())]
    study, trends = _event_study(days, plan)
    return PilotCredibility(
        robustness=tuple(robustness),
        placebo_dates=_placebo_dates(days, plan, basis),
        placebo_groups=_placebo_groups(found, units, plan, basis),
        event_study=study,
        pretrends=trends,
    )


def _robustness(sums: Sums, *, basis: Basis, rng: np.random.Generator) -> Iterator[Robustness]:
    name = sums.metric.name
    values, treated, usable = effects.unit_values(sums, basis)
    other: Basis = "crude" if basis == "standardised" else "standardised"
    units = int(usable.sum())
    shown = effects.enough(int(treated.sum()), int((~treated).sum()))
    changes = values[1] - values[0]

    def row(way: Way, test: TeamTest, count: int = units, left_out: str | None = None) -> Robustness:
        effect, *rest = _numbers(test)
        low, high, pvalue = rest if shown else (None,) * 3
        return Robustness(name, way, effect, low, high, pvalue, count, left_out)

    main = inference.welch(changes[treated], changes[~treated])
    yield row("main", main)
    side = np.diff(effects.unit_values(sums, other)[0], axis=0)[0]
    yield row(other, inference.welch(side[treated], side[~treated]))
    weights = sums.decided.sum(axis=2)[:, usable]
    yield row("ticket_weighted", inference.cluster_robust(values, treated, weights=weights))
    yield row("pooled_t", inference.pooled_t(changes[treated], changes[~treated]))
    wild = inference.wild_cluster_bootstrap(changes, treated, rng=rng)
    yield replace(
        row("wild_bootstrap", main), ci_low=None, ci_high=None, pvalue=wild.pvalue if shown else None
    )
    if units > 2:
        shift = np.full(units, np.nan)
        for arm in (treated, ~treated):
            if arm.sum() > 1:
                shift[arm] = (changes[arm].mean() - changes[arm]) / (arm.sum() - 1)
        widest = int(np.nanargmax(np.abs(shift)))
        kept = np.arange(units) != widest
        test = inference.welch(changes[kept & treated], changes[kept & ~treated])
        yield row("leave_one_out", test, units - 1, str(np.array(sums.units)[usable][widest]))


def _agents(measures: Measures, plan: PilotPlan) -> dict[str, tuple[Robustness]]:
    """Compare agents as if teams did not matter, metric by metric; an agent of two teams counts as two."""
    if "agent" not in measures.keys or plan.unit == "agent":
        return {}
    frame = measures.frame
    known = (frame["agent"] != "") & (frame[plan.unit] != "")
    agent = (frame[plan.unit] + " / " + frame["agent"]).where(known, "")
    keyed = replace(measures, frame=frame.assign(agent=agent))
    alone = plan.model_copy(update={"unit": "agent", "strata": ()})
    found = {}
    for sums in daily(keyed, alone, units_of(keyed, alone)).window_sums(plan.before, plan.during):
        values, treated, usable = effects.unit_values(sums, "crude")
        test, _ = _compared(values[1] - values[0], treated)
        name = sums.metric.name
        found[name] = (Robustness(name, "agents", *_numbers(test), int(usable.sum())),)
    return found


def _placebo_dates(days: Daily, plan: PilotPlan, basis: Basis) -> pd.DataFrame:
    """Return the effects of starts that never were, every 7 days before the pilot, and the true one."""
    (first, last), (start, end) = plan.before, plan.during
    starts = [first + timedelta(days=step) for step in range(7, (last - first).days + 1 - 6, 7)]
    windows = [((first, day - timedelta(days=1)), (day, last)) for day in starts] + [
        (plan.before, plan.during)
    ]
    rows = []
    for before, after in windows:
        for sums in days.window_sums(before, after):
            rows.append(
                {
                    "metric": sums.metric.name,
                    "start": after[0],
                    "real": after == (start, end),
                    "weeks_before": ((before[1] - before[0]).days + 1) / 7,
                    "weeks_after": ((after[1] - after[0]).days + 1) / 7,
                    **_effect(sums, basis),
                }
            )
    return pd.DataFrame(rows)


def _placebo_groups(sums: list[Sums], units: pd.DataFrame, plan: PilotPlan, basis: Basis) -> pd.DataFrame:
    """Return the effects of every control group taken for the pilot, among the controls only."""
    groups = units["group"].to_numpy()
    columns = ["metric", "group", "real", "units", "effect", "ci_low", "ci_high", "rank", "of"]
    if plan.unit == plan.group or len(plan.control) < 2:
        return pd.DataFrame(columns=columns)
    rows = []
    controls = ~sums[0].treated
    for part in sums:
        fakes = [(name, controls, groups == name) for name in plan.control]
        real = "+".join(plan.pilot)
        for name, kept, treated in ((real, controls | part.treated, part.treated), *fakes):
            chosen = part.of(kept, treated)
            row = {"metric": part.metric.name, "group": name, "real": name == real, **_effect(chosen, basis)}
            rows.append({**row, "units": int(treated.sum())})
    table = pd.DataFrame(rows)
    size = table["effect"].abs().groupby(table["metric"])
    return table.assign(rank=size.rank(ascending=False, method="max"), of=size.transform("count"))[columns]


def _event_study(days: Daily, plan: PilotPlan) -> tuple[pd.DataFrame, tuple[PreTrend, ...]]:
    """Return pilot minus control week by week, relative to their mean before, and the drift before."""
    start = plan.during[0]
    count = (start - plan.before[0]).days // 7
    after = ((plan.during[1] - start).days + 1) // 7
    numbers = [*range(-count, 0), *range(after)]
    firsts = [start + timedelta(days=7 * number) for number in numbers]
    rows, trends = [], []
    for place, metric in enumerate(days.metrics):
        decided, eligible, rates = days.weekly_rates(place, firsts)
        before = rates[: len(numbers) - after]
        known = np.isfinite(before)
        with np.errstate(invalid="ignore"):  # a unit without a ticket before has no mean
            relative = rates - np.where(known, before, 0).sum(axis=0) / known.sum(axis=0)
        for number, day, week, seen, due in zip(numbers, firsts, relative, decided, eligible, strict=True):
            test, units = _compared(week, days.treated)
            row = {"metric": metric.name, "week": number, "start": day, **_limits(test), "units": units}
            rows.append(row | {"decided_share": seen.sum() / due.sum() if due.sum() else math.nan})
        trends.append(_pretrend(metric.name, before, days.treated, plan))
    return pd.DataFrame(rows), tuple(trends)


def _pretrend(name: str, before: Floats, treated: Any, plan: PilotPlan) -> PreTrend:
    """Judge the difference of linear changes over the weeks before by equivalence."""
    weeks = len(before)
    margin = plan.minimum_gain.get(name) or plan.margin.get(name)
    if weeks < 3:
        return PreTrend(name, weeks, None, None, None, margin, "cannot_tell")
    time = np.arange(weeks) - (weeks - 1) / 2
    drift = time @ before / (time @ time) * (weeks - 1)
    test, _ = _compared(drift, treated, level=0.90)
    status: Trend = "cannot_tell"
    if margin is not None:
        if -margin < test.ci_low and test.ci_high < margin:
            status = "parallel"
        elif test.ci_low > margin or test.ci_high < -margin:
            status = "diverging"
    return PreTrend(name, weeks, *_numbers(test)[:3], margin, status)


def _effect(sums: Sums, basis: Basis) -> dict[str, float]:
    values, treated, _ = effects.unit_values(sums, basis)
    test, _ = _compared(values[1] - values[0], treated)
    return _limits(test)


def _limits(test: TeamTest) -> dict[str, float]:
    return {"effect": test.effect, "ci_low": test.ci_low, "ci_high": test.ci_high}


def _compared(values: Floats, treated: Any, *, level: float = 0.95) -> tuple[TeamTest, int]:
    """Compare the arms where a unit has a value; no interval with too few units."""
    usable = np.isfinite(values)
    pilot, control = values[usable & treated], values[usable & ~treated]
    test = inference.welch(pilot, control, level=level)
    if not effects.enough(len(pilot), len(control)):
        test = replace(test, ci_low=math.nan, ci_high=math.nan)
    return test, int(usable.sum())


def _numbers(test: TeamTest) -> tuple[float | None, float | None, float | None, float | None]:
    """Effect, interval and p-value; what there is not is ``None``, and without an interval no p-value."""
    effect, low, high, pvalue = map(effects.number, (test.effect, test.ci_low, test.ci_high, test.pvalue))
    return effect, low, high, None if low is None else pvalue
