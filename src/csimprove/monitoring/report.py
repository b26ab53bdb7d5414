"""The regular report itself: measures and settings in, one result out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Literal, get_args

import pandas as pd

from csimprove.baseline import Indicator, with_interval
from csimprove.errors import SettingsError
from csimprove.monitoring.alerts import checks
from csimprove.monitoring.result import Arms, MonitoringResult, Period, Problem, Window, outside, verdict
from csimprove.monitoring.windows import earlier_window, measured, window_of
from csimprove.pdca import Cycle, course
from csimprove.settings import Settings
from csimprove.spc import (
    ChartOptions,
    ControlChart,
    PhaseStart,
    control_chart,
    funnel_chart,
    paired_charts,
)

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures


#: Beyond so many days the chart of the chosen metric goes by week, to stay legible.
MOST_DAYS = 200

#: Code of the phase that begins with the pilot, where the settings do not name it.
PILOT_PHASE = "pilot"


def monitoring(
    measures: Measures,
    *,
    settings: Settings,
    period: Period = "monthly",
    metric: str | None = None,
    cut: str | None = None,
    cycles: Sequence[Cycle] = (),
) -> MonitoringResult:
    """Make the regular report of one period.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment.
    settings
        Targets, alert rules, phases, pilot, owners.
    period
        How often it is read: ``daily``, ``weekly``, ``monthly`` or ``quarterly``.
    metric
        What is charted by day and compared; none: the first metric measured in the period.
    cut
        By what it is compared; none: the pilot's unit, else the first cut with more than one group.
    cycles
        The register (:func:`csimprove.pdca.read_register`): started cycles may be phases of the charts.

    Returns
    -------
    MonitoringResult
        Indicators, checks, charts, comparison and problems.

    Raises
    ------
    SettingsError
        If period, metric, cut or a rule is not there.

    Notes
    -----
    The latest complete period counts: days and weeks that are decided for the metric, else the calendar's
    month or quarter. If the data hold no complete one, the running one is shown and marked. Limits are never
    re-based by themselves: phases come from the settings, the start of the pilot and the register.
    """
    if period not in get_args(Period):
        raise SettingsError(f"`period` must be one of {', '.join(get_args(Period))}, not {period!r}.")
    windows = {one.name: window_of(measures, one, period) for one in measures.metrics}
    indicators = tuple(measured(measures, one, windows[one.name]) for one in measures.metrics)
    name = _metric(measures, indicators, metric)
    cuts = {
        key: funnel for key in _cuts(measures, settings) if (funnel := _funnel(measures, name, key, windows))
    }
    chosen = _cut(cuts, settings, cut)
    plan = settings.pilot

    def options(metric: str) -> ChartOptions:
        phases = phase_starts(settings, cycles, metric)
        return ChartOptions(rules=settings.spc.rules, phases=phases, exclude=settings.spc.exclude)

    kpis = tuple(
        one
        for each in measures.metrics
        if len((one := control_chart(measures, each.name, by="week", options=options(each.name))).points)
    )
    days = (measures.frame["day"].max() - measures.frame["day"].min()).days
    by: Literal["day", "week"] = "day" if days < MOST_DAYS else "week"
    first, last = (
        pick(getattr(one, end) for one in windows.values()) for pick, end in ((min, "first"), (max, "last"))
    )
    opened = measures.frame["day"].between(pd.Timestamp(first), pd.Timestamp(last))
    return MonitoringResult(
        period=period,
        indicators=indicators,
        windows=windows,
        before=tuple(
            measured(measures, one, earlier_window(windows[one.name], period)) for one in measures.metrics
        ),
        checks=checks(measures, settings=settings),
        kpis=kpis,
        chart=control_chart(measures, name, by=by, options=options(name)),
        arms=Arms(*paired_charts(measures, name, plan, by=by, options=options(name))) if plan else None,
        funnels=tuple(cuts.values()),
        comparison=_comparison(measures, settings, windows[name], name),
        problems=_problems(measures, settings, indicators, windows, kpis, chosen),
        metric=name,
        cut=chosen,
        unavailable=measures.unavailable,
        first=first,
        last=last,
        as_of=measures.as_of,
        zone=measures.zone,
        tickets=int(measures.frame.loc[opened, "tickets"].sum()),
        reading=measures.reading,
    )


def phase_starts(settings: Settings, cycles: Sequence[Cycle], metric: str) -> tuple[PhaseStart, ...]:
    """Return the declared phases of a metric in order.

    Of several on one day the first of these counts: a phase of the settings, the start of the pilot, a
    version of the process, the start of a PDCA cycle that asks for it and is about the metric.
    """
    found = {one.start: PhaseStart(one.start, one.name, one.reason) for one in settings.phases}
    if settings.pilot:
        start = settings.pilot.during[0]
        found.setdefault(start, PhaseStart(start, PILOT_PHASE, PILOT_PHASE))
    for version in settings.versions:
        found.setdefault(version.start, PhaseStart(version.start, version.version, version.changed))
    for cycle in cycles:
        started = course(cycle).started
        if started and cycle.plan and cycle.plan.phase and cycle.plan.metric == metric:
            day = started.date()
            found.setdefault(day, PhaseStart(day, cycle.title, cycle.background or cycle.title))
    return tuple(found[start] for start in sorted(found))


def _funnel(measures: Measures, name: str, cut: str, windows: dict[str, Window]) -> ControlChart | None:
    """Chart the groups of one cut in the period; without at least two groups or for means there is none."""
    if measures.metric(name).kind != "rate":
        return None
    found = funnel_chart(measures, name, cut, first=windows[name].first, last=windows[name].last)
    return found if len(found.points) > 1 else None


def _cuts(measures: Measures, settings: Settings) -> list[str]:
    """Columns to compare by: those of the settings but the agent, who must be asked for by name."""
    return [cut for cut in measures.keys[1:] if cut in settings.cuts]


def _comparison(measures: Measures, settings: Settings, window: Window, name: str) -> pd.DataFrame:
    columns = ["cut", "group", "numerator", "denominator", "undecided", "value", "ci_low", "ci_high"]
    named = []
    for cut in _cuts(measures, settings):
        rows = measures.pooled(cut, metrics=(name,), first=window.first, last=window.last)
        if cut != "agent" and len(rows) > 1:
            named.append(with_interval(rows, measures).rename(columns={cut: "group"}).assign(cut=cut))
    return pd.concat(named, ignore_index=True)[columns] if named else pd.DataFrame(columns=columns)


def _metric(measures: Measures, indicators: tuple[Indicator, ...], metric: str | None) -> str:
    if metric is not None:
        return measures.metric(metric).name
    if not indicators:
        raise SettingsError("no `metric` can be shown: the source allows none.")
    return min(indicators, key=lambda one: one.value is None).metric


def _cut(cuts: dict[str, ControlChart], settings: Settings, cut: str | None) -> str:
    if cut is not None and cut not in cuts:
        raise SettingsError(f"`cut` must be one of {', '.join(cuts) or 'none'}, not {cut!r}.")
    unit = settings.pilot.unit if settings.pilot else ""
    return cut or (unit if unit in cuts else next((one for one in cuts if one != "agent"), ""))


def _problems(
    measures: Measures,
    settings: Settings,
    indicators: tuple[Indicator, ...],
    windows: dict[str, Window],
    kpis: tuple[ControlChart, ...],
    cut: str,
) -> tuple[Problem, ...]:
    charts = {one.metric: one for one in kpis}
    found = []
    for one in indicators:
        of = charts.get(one.metric)
        worse = of is not None and verdict(of) == "concern"
        if one.on_target != "not_reached" and not one.below_threshold and not worse:
            continue
        gap = None
        if one.target is not None and one.value is not None:
            gap = (one.target - one.value) * (1 if one.better == "higher" else -1)
        window, own = windows[one.metric], settings.goal(one.metric)
        weeks = ((window.last - window.first).days + 1) / 7
        rate = measures.metric(one.metric).kind == "rate"
        tickets = gap * (one.denominator + one.undecided) / weeks if rate and gap is not None else None
        funnel = _funnel(measures, one.metric, cut, windows) if cut else None
        found.append(
            Problem(
                metric=one.metric,
                gap=gap,
                tickets_per_week=tickets,
                since=_since(of) if of is not None and worse else None,
                where=tuple(outside(funnel, bad=True)) if funnel else (),
                owner=own.owner if own else None,
                due=own.due if own else None,
            )
        )
    return tuple(sorted(found, key=lambda one: -(one.tickets_per_week or 0)))


def _since(of: ControlChart) -> date:
    """First day of the unbroken stretch of patterns on the bad side that reaches the last point."""
    limits = "own" if of.change in (None, "common_cause") else "frozen"
    bad = "below" if of.better == "higher" else "above"
    inside = {
        place
        for one in of.signals
        if one.limits == limits and one.side == bad
        for place in range(one.first, one.last + 1)
    }
    first = max(inside)
    while first - 1 in inside:
        first -= 1
    day: date = of.points["period"].iloc[first].date()
    return day
