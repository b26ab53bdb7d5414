"""Which days a figure is about: the latest that are decided, or the calendar's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

from csimprove.baseline import Indicator, indicator, with_interval
from csimprove.monitoring.result import Period, Window
from csimprove.spc.measured import UNDECIDED_SHARE

if TYPE_CHECKING:  # annotations only
    from csimprove.metrics import Measures, Metric


def measured_rows(
    measures: Measures, metric: Metric, window: Window, *by: str
) -> Iterator[tuple[str, Indicator]]:
    """Give each group of a cut, or ``all``, with its indicator in a window."""
    rows = measures.pooled(*by, metrics=(metric.name,), first=window.first, last=window.last)
    for row in with_interval(rows, measures).to_dict("records"):
        group = str(row[by[0]]) if by else "all"
        yield group, indicator(metric, row, group=group)


def measured(measures: Measures, metric: Metric, window: Window) -> Indicator:
    """Return the indicator of all tickets in a window."""
    return next(one for _, one in measured_rows(measures, metric, window))


def decided_day(measures: Measures, metric: Metric) -> date:
    """Return the last day that is old enough for the metric and has next to no undecided ticket."""
    latest = measures.whole_day - timedelta(days=metric.window_days)
    rows = measures.pooled("day", metrics=(metric.name,), last=latest)
    every = rows["denominator"] + rows["undecided"]
    open_days = rows.loc[(rows["undecided"] > UNDECIDED_SHARE * every), "day"]
    recent = {day.date() for day in open_days}
    while latest in recent:
        latest -= timedelta(days=1)
    return latest


def dated(measures: Measures, first: date, last: date) -> Window:
    """Return the window of two days, with its lag."""
    return Window(first, last, (measures.today - last).days, provisional=False)


def window_of(measures: Measures, metric: Metric, period: Period) -> Window:
    """Return the latest complete period of a metric; the running one, marked, if there is no other."""
    begins, ends = (day.date() for day in measures.frame["day"].agg(["min", "max"]))
    by_metric = period in ("daily", "weekly")
    whole = decided_day(measures, metric) if by_metric else measures.whole_day
    whole = max(whole, begins)
    first, last = _span(period, whole)
    running = last > whole
    if running and (earlier := _span(period, first - timedelta(days=1)))[1] >= begins:
        (first, last), running = earlier, False
    while first > ends:  # the export ends long before the data date
        first, last = _span(period, first - timedelta(days=1))
    window = dated(measures, first, min(last, whole))
    undecided = measured(measures, metric, window).undecided
    return replace(window, provisional=running or (undecided > 0 and not by_metric))


def earlier_window(window: Window, period: Period) -> Window:
    """Return the period before a window."""
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
