"""Figures of a baseline: indicators against targets, one metric by groups, weeks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from csimprove.baseline import BaselineResult, Indicator
from csimprove.charts import theme
from csimprove.charts.sheet import (
    DASHES,
    SHORT_DASHES,
    Icon,
    Panel,
    Sheet,
    dot,
    estimate,
    weekly_lines,
)
from csimprove.charts.theme import Scale, fit, scale, text_width
from csimprove.settings import Language
from csimprove.wording import count, date_text, group_name, level, metric_name, missing, target_level

_STATUS: dict[str, Icon] = {"reached": "tick", "not_reached": "cross", "cannot_tell": "unknown"}


@theme.applied()
def baseline_indicators(result: BaselineResult, *, language: Language = "en") -> Figure:
    """Draw every indicator with its 95 % interval against target and alert threshold.

    Parameters
    ----------
    result
        A baseline.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row an indicator; shares, small shares and minutes on axes of their own.
    """
    blocks = theme.by_axis(result.indicators, _values)
    pitch, foot = 60.0, 44.0
    left = theme.column(_names(result, language), at_most=260) + 8
    sheet = Sheet(sum(len(block) * pitch + foot for block in blocks) - 14, language)
    top = 0.0
    for block in blocks:
        axis = scale([0.0, *(value for row in block for value in _values(row))], block[0].unit)
        panel = sheet.value_rows(left, top, 640 - left, len(block) * pitch, axis)
        for i, row in enumerate(block):
            sheet.rule(top + i * pitch + 0.5)
            _indicator(sheet, panel, (i + 0.5) * pitch, row, axis)
        top += len(block) * pitch + foot
    return sheet.figure


def _values(row: Indicator) -> list[float | None]:
    return [row.value, row.ci_low, row.ci_high, row.target, row.alert_threshold]


def _names(result: BaselineResult, language: Language) -> list[str]:
    return [metric_name(row.metric, language, variant=row.variant) for row in result.indicators]


def _indicator(sheet: Sheet, panel: Panel, y: float, row: Indicator, axis: Scale) -> None:
    middle, right = panel.top + y, 748.0
    name = metric_name(row.metric, sheet.language, variant=row.variant)
    sheet.text(0, middle - 2, fit(name, panel.left - 12), strong=True)
    sheet.text(0, middle + 15, sheet.words(f"better_{row.better}"), "small")
    _thresholds(sheet, panel, y, row, axis)
    if row.value is None:
        sheet.text(panel.left + 6, middle + 4, sheet.words("no_data"), "tick", over=True)
    else:
        estimate(panel, y, row.value, row.ci_low, row.ci_high)
    value = level(row.value, axis.unit, sheet.language)
    sheet.text(right, middle - 1, value, "value", align="right", strong=True)
    words = sheet.words("tickets_thin" if row.thin else "tickets", count=count(row.denominator))
    sheet.text(right, middle + 15, words, "small", align="right")
    if row.on_target is not None:
        sheet.icon(_STATUS[row.on_target], right + 28, middle)
        sheet.text(right + 42, middle + 4, sheet.words(row.on_target), "name", color=theme.INK)


def _thresholds(sheet: Sheet, panel: Panel, y: float, row: Indicator, axis: Scale) -> None:
    """Draw the alert threshold named above the row, the target named below it."""
    middle = panel.top + y
    if row.alert_threshold is not None:
        at = row.alert_threshold
        style: dict[str, Any] = {"color": theme.ALERT, "lw": theme.MAIN_LINE, "solid_capstyle": "butt"}
        panel.axes.plot([at, at], [y - 13, y + 7], clip_on=False, **style)
        words = sheet.words("alert", value=target_level(at, axis.unit, sheet.language))
        half = text_width(words, theme.SMALL) / 2
        center = min(max(panel.x(at), panel.left + half + 14), panel.right - half)
        sheet.text(center, middle - 16, words, "small", color=theme.INK2, align="center", over=True)
        sheet.icon("watch", center - half - 8, middle - 20, 10)
    if row.target is not None:
        ends = [y - 11, y + 13]
        panel.axes.plot([row.target] * 2, ends, color=theme.TARGET, lw=1.6, ls=SHORT_DASHES, clip_on=False)
        words = sheet.words("target", value=target_level(row.target, axis.unit, sheet.language))
        sheet.labels(panel, middle + 24, [(panel.x(row.target), words, theme.INK)])


@theme.applied()
def baseline_cuts(result: BaselineResult, metric: str, cut: str, *, language: Language = "en") -> Figure:
    """Draw one metric by the groups of one cut: dot and 95 % interval, best group first.

    Parameters
    ----------
    result
        A baseline.
    metric
        Name of a metric of the result.
    cut
        One of the cuts of the result.
    language
        Language of the words.

    Returns
    -------
    Figure
        At most twelve groups, those with most tickets; the rest is stated in words.

    Raises
    ------
    ValueError
        If the result has no such metric or cut.
    """
    pooled = theme.row_of(result.indicators, metric)
    if cut not in set(result.cuts["cut"]):
        raise ValueError(f"`cut` must be one of {', '.join(result.cuts['cut'].unique())}, not {cut!r}.")
    shown, folded = result.groups(metric, cut)
    shown = shown.sort_values(["value", "group"], ascending=[pooled.better == "lower", True])
    left = theme.column([group_name(group, language) for group in shown["group"]], theme.TICK)
    pitch, top = 25.0, 26.0
    height = len(shown) * pitch
    axis = scale(
        [*shown["value"], *shown["ci_low"], *shown["ci_high"], pooled.value, pooled.target], pooled.unit
    )
    sheet = Sheet(top + height + 48 + (22 if len(folded) else 0), language)
    panel = sheet.value_rows(left, top, theme.WIDTH - 150 - left, height, axis)
    _pooled_and_target(sheet, panel, pooled, axis)
    sheet.text(theme.WIDTH, top - 10, sheet.words("tickets_head"), "small", align="right")
    for i, row in enumerate(shown.to_dict("records")):
        _group(sheet, panel, (i + 0.5) * pitch, row, axis)
    words = sheet.words(f"axis_{axis.unit}", metric=metric_name(metric, language, variant=pooled.variant))
    sheet.axis_label(panel, words, axis, "x")
    if len(folded):
        sheet.text(left, panel.bottom + 60, _folded(sheet, folded, axis), "small")
    return sheet.figure


def _pooled_and_target(sheet: Sheet, panel: Panel, pooled: Indicator, axis: Scale) -> None:
    labels = []
    if pooled.value is not None:
        panel.axes.axvline(pooled.value, color=theme.NEUTRAL, lw=1.0, zorder=1, clip_on=False)
        words = sheet.words("all", value=level(pooled.value, axis.unit, sheet.language))
        labels.append((panel.x(pooled.value), words, theme.INK2))
    if pooled.target is not None:
        panel.axes.axvline(pooled.target, color=theme.TARGET, lw=1.4, ls=DASHES, zorder=1, clip_on=False)
        words = sheet.words("target", value=target_level(pooled.target, axis.unit, sheet.language))
        labels.append((panel.x(pooled.target), words, theme.INK))
    sheet.labels(panel, panel.top - 10, labels)


def _group(sheet: Sheet, panel: Panel, y: float, row: dict[Any, Any], axis: Scale) -> None:
    base = panel.top + y + 4
    sheet.text(0, base, fit(group_name(row["group"], sheet.language), panel.left - 16, theme.TICK), "name")
    sheet.text(theme.WIDTH, base, count(row["denominator"]), "name", align="right")
    if missing(row["value"]):
        sheet.text(panel.left + 6, base, sheet.words("no_data"), "small", over=True)
        return
    ends = (row["ci_low"], row["ci_high"])
    panel.axes.hlines(y, *ends, color=theme.PILOT, lw=theme.MAIN_LINE, zorder=2, clip_on=False)
    dot(panel, row["value"], y, theme.PILOT, size=7)
    value = level(row["value"], axis.unit, sheet.language)
    sheet.text(theme.WIDTH - 72, base, value, "name", color=theme.PILOT, align="right")


def _folded(sheet: Sheet, folded: pd.DataFrame, axis: Scale) -> str:
    tickets = float(folded["denominator"].sum())
    value = level(float(folded["numerator"].sum()) / tickets if tickets else None, axis.unit, sheet.language)
    key = "folded_one" if len(folded) == 1 else "folded"
    return sheet.words(key, groups=count(len(folded)), tickets=count(tickets), value=value)


@theme.applied()
def baseline_trend(result: BaselineResult, *, language: Language = "en") -> Figure:
    """Draw the weekly values of every metric as small charts with their own axes.

    Parameters
    ----------
    result
        A baseline.
    language
        Language of the words.

    Returns
    -------
    Figure
        Name, value of the last complete week, weeks and target of each metric; weeks that are not complete
        are rings, joined to nothing.
    """
    drawn = set(result.trend["metric"])
    rows = [row for row in result.indicators if row.metric in drawn]
    across = 4 if len(rows) > 3 else max(len(rows), 2)
    gap, height = 26.0, 206.0
    width = (theme.WIDTH - (across - 1) * gap) / across
    hollow = not result.trend["complete"].all()
    sheet = Sheet(-(-len(rows) // across) * height + (20 if hollow else 0), language)
    for i, row in enumerate(rows):
        weeks = result.trend.loc[result.trend["metric"] == row.metric].sort_values("week")
        _weeks(sheet, (i % across * (width + gap), i // across * height, width), row, weeks)
    if hollow:
        sheet.text(0, sheet.height - 8, sheet.words("hollow"), "small")
    return sheet.figure


def _weeks(sheet: Sheet, place: tuple[float, float, float], row: Indicator, weeks: pd.DataFrame) -> None:
    left, top, width = place
    axis = scale([*weeks["value"], row.target], row.unit, count=3)
    dates = [pd.Timestamp(week).date() for week in weeks["week"]]
    frame = weeks.assign(group="", day=[day.toordinal() for day in dates]).dropna(subset=["value"])
    sheet.rule(top + 0.5, left, left + width)
    name = metric_name(row.metric, sheet.language, variant=row.variant)
    sheet.text(left, top + 21, fit(name, width), strong=True)
    _last_week(sheet, left, top + 46, frame, axis)
    first, last = dates[0].toordinal(), dates[-1].toordinal()
    edge = 0.03 * max(last - first, 7)
    days = (first - edge, max(last, first + 7) + edge)
    panel = sheet.value_weeks(left, top + 66, width - 6, 94, axis, days)
    _week_marks(panel, frame)
    ends = [
        (panel.x(day.toordinal()), _day(day, sheet), theme.MUTED_TEXT)
        for day in sorted({dates[0], dates[-1]})
    ]
    sheet.labels(panel, panel.bottom + 20, ends, "tick", out=6)
    if row.target is not None:
        panel.axes.axhline(row.target, color=theme.TARGET, lw=1.4, ls=DASHES, zorder=3, clip_on=False)
        key = "target_min" if row.better == "higher" else "target_max"
        words = sheet.words(key, value=target_level(row.target, axis.unit, sheet.language))
        line = panel.y(row.target)
        sheet.note(panel, words, [line - 5, line + 14], frame)


def _last_week(sheet: Sheet, left: float, base: float, frame: pd.DataFrame, axis: Scale) -> None:
    last = frame.loc[frame["complete"]].tail(1).to_dict("records")
    large = level(last[0]["value"] if last else None, axis.unit, sheet.language)
    note = sheet.words("no_week")
    if last:
        note = sheet.words("week_of", date=_day(date.fromordinal(last[0]["day"]), sheet))
    sheet.text(left, base, large, "large")
    sheet.text(left + text_width(large, theme.LARGE) + 8, base, note, "small")


def _day(day: date, sheet: Sheet) -> str:
    return date_text(day, sheet.language, year=False)


def _week_marks(panel: Panel, frame: pd.DataFrame) -> None:
    full, part = frame.loc[frame["complete"]], frame.loc[~frame["complete"]]
    size = 3.6 if len(frame) <= 30 else 2.2
    weekly_lines(panel, full, theme.NEUTRAL, 1.2)
    style: dict[str, Any] = {"zorder": 4, "clip_on": False}
    panel.axes.plot(full["day"], full["value"], "o", color=theme.NEUTRAL, ms=size, mew=0, **style)
    style |= {"mfc": theme.PAPER, "mec": theme.NEUTRAL, "mew": theme.GRID_LINE}
    panel.axes.plot(part["day"], part["value"], "o", ms=size + 0.6, **style)
