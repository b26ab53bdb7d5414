"""Control charts of a project's metrics."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Literal

import pandas as pd

from csimprove.errors import SettingsError
from csimprove.metrics import Measures
from csimprove.metrics.definitions import Metric
from csimprove.settings import PilotPlan
from csimprove.spc.chart import ChartOptions, chart
from csimprove.spc.limits import COUNTS
from csimprove.spc.result import ControlChart, PhaseStart

By = Literal["day", "week"]

#: A period with more undecided tickets than this share is not decided yet. A single ticket that waits for its
#: customer can stay undecided for months and must not take its day off the chart.
UNDECIDED_SHARE = 0.05
_DAYS: dict[By, int] = {"day": 1, "week": 7}


def control_chart(
    measures: Measures,
    metric: str,
    *,
    by: By = "day",
    first: date | None = None,
    last: date | None = None,
    where: dict[str, tuple[str, ...]] | None = None,
    options: ChartOptions | None = None,
) -> ControlChart:
    """Chart a metric over its decided days or weeks.

    Parameters
    ----------
    measures, metric
        Sums per day, and the metric's name.
    by
        ``day``, or ``week`` from its Monday.
    first, last
        Local days of opening, both included.
    where
        Cut = the values kept.
    options
        Kind (``p_laney`` for a rate, ``xmr`` for a mean unless given), rules, phases, exclusions, target (the
        metric's unless given). In weeks a phase starts with the first whole week, and a week is excluded if
        one of its days is.

    Returns
    -------
    ControlChart
        ``left_out`` counts the periods that are cut off, still running or not decided (more than 5 % of the
        tickets undecided). Periods without a ticket are no points.

    Raises
    ------
    SettingsError
        If the metric or a cut is not there, or the chart is not one for such a metric.
    """
    found, options = _prepared(measures, metric, by=by, options=options)
    rows = measures.pooled(by, metrics=(metric,), first=first, last=last, where=where)
    group = " + ".join(value for values in (where or {}).values() for value in values)
    return _drawn(found, *_decided(rows, measures, by, first, last), by=by, group=group, options=options)


def funnel_chart(
    measures: Measures,
    metric: str,
    cut: str = "team",
    *,
    first: date | None = None,
    last: date | None = None,
    where: dict[str, tuple[str, ...]] | None = None,
    options: ChartOptions | None = None,
) -> ControlChart:
    """Compare teams or agents of unlike size: who differs by more than chance and the usual spread.

    Parameters are those of :func:`control_chart`; ``cut`` names the units.

    Returns
    -------
    ControlChart
        One point a unit over its decided tickets; ``group`` is the cut, ``left_out`` counts the units that
        have none. Tickets without a unit are not charted. Inside the limits units do not differ.
    """
    found, options = _prepared(
        measures, metric, by="day", options=replace(options or ChartOptions(), kind="funnel")
    )
    rows = measures.pooled(cut, metrics=(metric,), first=first, last=last, where=where)
    rows = rows[rows[cut] != ""]
    used = rows[rows["denominator"] > 0]
    return _drawn(found, used, len(rows) - len(used), by=cut, group=cut, options=options)


def paired_charts(
    measures: Measures,
    metric: str,
    plan: PilotPlan,
    *,
    by: By = "week",
    first: date | None = None,
    last: date | None = None,
    options: ChartOptions | None = None,
) -> tuple[ControlChart, ControlChart, ControlChart]:
    """Chart the pilot beside its control, and the difference of the two.

    Parameters
    ----------
    measures, metric, by, first, last, options
        As for :func:`control_chart`. The start of the pilot is a phase of all three charts.
    plan
        Groups, and when the pilot starts.

    Returns
    -------
    tuple of ControlChart
        Pilot, control (kinds as for :func:`control_chart`) and pilot minus control (XmR, without target),
        over the periods that are decided in both.

    Notes
    -----
    What moves both arms (season, volume) cancels in the difference. The charts show when something happened;
    whether the process caused it is for :func:`csimprove.pilot.pilot`, whose unit is the team.
    """
    found, options = _prepared(measures, metric, by=by, options=options)
    begin = PhaseStart(plan.during[0], "pilot", "pilot")
    options = replace(options, phases=(begin, *options.phases))  # of two at one place the declared one counts
    arms = []
    for groups in (plan.pilot, plan.control):
        rows = measures.pooled(by, metrics=(metric,), first=first, last=last, where={plan.group: groups})
        arms.append(_decided(rows, measures, by, first, last)[0].set_index(by))
    both = arms[0].index.intersection(arms[1].index)
    left_out = max(len(arm.index) for arm in arms) - len(both)
    pilot, control = (arm.loc[both].reset_index() for arm in arms)
    value = [arm["numerator"] / arm["denominator"] for arm in (pilot, control)]
    difference = chart(
        value[0] - value[1],
        period=both,
        by=by,
        metric=metric,
        better=found.better,
        unit=found.unit,
        group="difference",
        left_out=left_out,
        options=replace(options, kind="xmr", target=None),
    )
    return (
        _drawn(found, pilot, left_out, by=by, group="pilot", options=options),
        _drawn(found, control, left_out, by=by, group="control", options=options),
        difference,
    )


def _prepared(
    measures: Measures, metric: str, *, by: By, options: ChartOptions | None
) -> tuple[Metric, ChartOptions]:
    found, options = measures.metric(metric), options or ChartOptions()
    kind = options.kind or ("p_laney" if found.kind == "rate" else "xmr")
    if kind in COUNTS and found.kind == "mean":
        raise SettingsError(
            f"`kind` must be xmr, ewma or run for {metric}, not {kind!r}. It is a mean, not a count."
        )
    target = found.target if options.target is None else options.target
    options = replace(options, kind=kind, target=target)
    if by == "week":
        mondays = {day - timedelta(days=day.weekday()): why for day, why in options.exclude.items()}
        whole = options.baseline - timedelta(days=6) if isinstance(options.baseline, date) else None
        options = replace(options, exclude=mondays, baseline=whole)
    return found, options


def _decided(
    rows: pd.DataFrame, measures: Measures, by: By, first: date | None, last: date | None
) -> tuple[pd.DataFrame, int]:
    """Whole, past, decided periods, and how many others there are."""
    begin = pd.Timestamp(first or measures.frame["day"].min())
    end = pd.Timestamp(min(last or measures.whole_day, measures.whole_day) - timedelta(days=_DAYS[by] - 1))
    tickets = rows["denominator"] + rows["undecided"]
    rows, tickets = rows[tickets > 0], tickets[tickets > 0]
    kept = rows[rows[by].between(begin, end) & (rows["undecided"] <= UNDECIDED_SHARE * tickets)]
    return kept, len(rows) - len(kept)


def _drawn(
    metric: Metric, rows: pd.DataFrame, left_out: int, *, by: str, options: ChartOptions, group: str = ""
) -> ControlChart:
    units = by not in _DAYS
    period: Any = rows[by].to_numpy(dtype=object) if units else rows[by]
    return chart(
        rows["numerator"],
        rows["denominator"],
        period=period,
        by="unit" if units else by,
        metric=metric.name,
        better=metric.better,
        unit=metric.unit,
        group=group,
        left_out=left_out,
        options=options,
    )
