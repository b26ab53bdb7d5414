"""What a team lead sees every day and a committee every quarter: alerts, indicators, charts, comparison."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, get_args
from zoneinfo import ZoneInfo

import pandas as pd

from csimprove.baseline import Indicator, indicator, with_interval
from csimprove.errors import SettingsError
from csimprove.pdca import Cycle, course
from csimprove.plain import plain_fields
from csimprove.settings import AlertRule, Settings
from csimprove.spc import (
    ChartOptions,
    ControlChart,
    PhaseStart,
    Variation,
    control_chart,
    funnel_chart,
    paired_charts,
)
from csimprove.spc.measured import UNDECIDED_SHARE

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures, Metric
    from csimprove.tickets import Reading

Period = Literal["daily", "weekly", "monthly", "quarterly"]

#: Severity whose every late first response is a reminder (service standard, alerts).
URGENT = "A"
#: Local days, up to the data date, whose late urgent tickets are reminders.
URGENT_DAYS = 2
#: Beyond so many days the chart of the chosen metric goes by week, to stay legible.
MOST_DAYS = 200
#: Code of the phase that begins with the pilot, where the settings do not name it.
PILOT_PHASE = "pilot"


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
    windows = {one.name: _window(measures, one, period) for one in measures.metrics}
    indicators = tuple(_measured(measures, one, windows[one.name]) for one in measures.metrics)
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
            _measured(measures, one, _earlier(windows[one.name], period)) for one in measures.metrics
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


def checks(measures: Measures, *, settings: Settings) -> tuple[Check, ...]:
    """Hold every alert rule against the latest decided period of its metric.

    Parameters
    ----------
    measures
        Sums per day and cut as of a moment.
    settings
        Thresholds of the metrics and own rules.

    Returns
    -------
    tuple of Check
        Events first. A metric with an alert threshold is looked at over 7 days; own rules as set; urgent
        tickets answered late are counted for each of the last two days, undecided ones not yet.

    Raises
    ------
    SettingsError
        If a rule names a metric, a column or a threshold that is not there.
    """
    found = [check for rule in rules(measures, settings) for check in _threshold_checks(measures, rule)]
    found += _urgent_checks(measures)
    return tuple(sorted(found, key=lambda check: not check.fires))


def rules(measures: Measures, settings: Settings) -> tuple[AlertRule, ...]:
    """Return every threshold rule: one for each metric with an alert line, then the project's own."""
    lines = [AlertRule(metric=one.name) for one in measures.metrics if one.alert is not None]
    return (*lines, *settings.alerts)


def threshold_of(rule: AlertRule, metric: Metric) -> float:
    """Return the threshold of a rule, by default the metric's own; none is a SettingsError."""
    threshold = metric.alert if rule.threshold is None else rule.threshold
    if threshold is None:
        raise SettingsError(
            f"`alerts` must give a threshold for {rule.metric}: it has none of its own. Add threshold = ...."
        )
    return threshold


def verdict(of: ControlChart) -> Variation:
    """Return what a chart says of the latest points: against the phase before, else within the phase."""
    return of.variation if of.change in (None, "common_cause") else of.change


def _threshold_checks(measures: Measures, rule: AlertRule) -> Iterator[Check]:
    metric = measures.metric(rule.metric)
    threshold = threshold_of(rule, metric)
    last = min(decided_day(measures, metric), measures.frame["day"].max().date())
    window = _dated(measures, last - timedelta(days=rule.days - 1), last)
    by = (rule.cut,) if rule.cut else ()
    for group, one in _rows(measures, replace(metric, alert=threshold), window, *by):
        key = ("threshold", rule.metric, threshold, rule.cut, group, window.first, window.last)
        yield Check(event_id(*key), "threshold", rule.cut or "", group, rule.to, window, one)


def _urgent_checks(measures: Measures) -> Iterator[Check]:
    if "severity" not in measures.keys or "response_on_time" not in {one.name for one in measures.metrics}:
        return
    # a share below 1 means that at least one is late
    metric = replace(measures.metric("response_on_time"), alert=1.0)
    for day in range(URGENT_DAYS):
        at = _today(measures) - timedelta(days=day)
        window = _dated(measures, at, at)
        for group, one in _rows(measures, metric, window, "severity"):
            if group == URGENT and one.denominator:
                late = int(one.denominator - one.numerator)  # one more late ticket is another event
                key = event_id("late_urgent", "severity", group, at, late)
                yield Check(key, "late_urgent", "severity", group, "team_lead", window, one)


def event_id(*parts: object) -> str:
    """Return the stable name of an event: hash of rule, group and period."""
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()[:12]


def _rows(measures: Measures, metric: Metric, window: Window, *by: str) -> Iterator[tuple[str, Indicator]]:
    rows = measures.pooled(*by, metrics=(metric.name,), first=window.first, last=window.last)
    for row in with_interval(rows, measures).to_dict("records"):
        group = str(row[by[0]]) if by else "all"
        yield group, indicator(metric, row, group=group)


def _measured(measures: Measures, metric: Metric, window: Window) -> Indicator:
    return next(one for _, one in _rows(measures, metric, window))


def _today(measures: Measures) -> date:
    return measures.as_of.astimezone(ZoneInfo(measures.zone)).date()


def _whole_day(measures: Measures) -> date:
    """Last local day that is over at the data date."""
    return (measures.as_of + timedelta(seconds=1)).astimezone(ZoneInfo(measures.zone)).date() - timedelta(
        days=1
    )


def decided_day(measures: Measures, metric: Metric) -> date:
    """Return the last day that is old enough for the metric and has next to no undecided ticket."""
    latest = _whole_day(measures) - timedelta(days=metric.window_days)
    rows = measures.pooled("day", metrics=(metric.name,), last=latest)
    every = rows["denominator"] + rows["undecided"]
    open_days = rows.loc[(rows["undecided"] > UNDECIDED_SHARE * every), "day"]
    recent = {day.date() for day in open_days}
    while latest in recent:
        latest -= timedelta(days=1)
    return latest


def _dated(measures: Measures, first: date, last: date) -> Window:
    return Window(first, last, (_today(measures) - last).days, provisional=False)


def _window(measures: Measures, metric: Metric, period: Period) -> Window:
    begins, ends = (day.date() for day in measures.frame["day"].agg(["min", "max"]))
    by_metric = period in ("daily", "weekly")
    whole = decided_day(measures, metric) if by_metric else _whole_day(measures)
    whole = max(whole, begins)
    first, last = _span(period, whole)
    running = last > whole
    if running and (earlier := _span(period, first - timedelta(days=1)))[1] >= begins:
        (first, last), running = earlier, False
    while first > ends:  # the export ends long before the data date
        first, last = _span(period, first - timedelta(days=1))
    window = _dated(measures, first, min(last, whole))
    undecided = _measured(measures, metric, window).undecided
    return replace(window, provisional=running or (undecided > 0 and not by_metric))


def _earlier(window: Window, period: Period) -> Window:
    first, last = _span(period, _span(period, window.last)[0] - timedelta(days=1))
    return Window(first, last, window.lag + (window.last - last).days, False)


def _span(period: Period, day: date) -> tuple[date, date]:
    """First and last day of the period that holds a day."""
    if period == "daily":
        return day, day
    if period == "weekly":
        monday = day - timedelta(days=day.weekday())
        return monday, monday + timedelta(days=6)
    months = 1 if period == "monthly" else 3
    first = day.replace(day=1, month=(day.month - 1) // months * months + 1)
    following = first + timedelta(days=31 * months)
    return first, following.replace(day=1) - timedelta(days=1)


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


def outside(funnel: ControlChart, *, bad: bool) -> list[str]:
    """Return the groups beyond the limits of a funnel on the bad (or the good) side."""
    side = "below" if (funnel.better == "higher") == bad else "above"
    return [str(funnel.points["period"].iloc[one.first]) for one in funnel.signals if one.side == side]


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


def _flat(one: Indicator, window: Window) -> dict[str, Any]:
    return plain_fields(one) | plain_fields(window)
