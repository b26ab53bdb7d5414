"""Figures of a baseline: indicators against targets, one metric by groups, weeks."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.baseline import BaselineResult, Indicator
from csimprove.charts import theme
from csimprove.charts.sheet import SHORT_DASHES, Panel, Place, Sheet, dashed, dot, estimate, weekly_lines
from csimprove.charts.theme import Scale, fit, scale, text_width, wrapped
from csimprove.settings import Language

_ROWS = 5  # indicators over one axis on a slide


@theme.drawn
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
    blocks = [
        (part, scale([0.0, *(value for row in block for value in _values(row))], block[0].unit))
        for block in theme.by_axis(result.indicators, _values)
        for part in theme.in_parts(block, _ROWS)
    ]
    pitch, foot = 60.0 + 2 * theme.ABOVE * theme.narrow(), 44.0
    names = [wording.metric_name(row.metric, language, variant=row.variant) for row in result.indicators]
    left = theme.column(names, at_most=260) + 8
    sheet = Sheet(sum(len(block) * pitch + foot for block, _ in blocks) - 14, language)
    top = 0.0
    sheet.cuts.append(top)
    for block, axis in blocks:
        right = sheet.width - (240 if sheet.width == theme.PAGE else 110)
        panel = sheet.value_rows(left, top, right - left, len(block) * pitch, axis)
        for i, row in enumerate(block):
            sheet.rule(top + i * pitch + 0.5)
            _indicator(sheet, panel, (i + 1) * pitch - 30, row)
        top += len(block) * pitch + foot
        sheet.cuts.append(top)
    return sheet.figure


def _values(row: Indicator) -> list[float | None]:
    return [row.value, row.ci_low, row.ci_high, row.target, row.alert_threshold]


def _indicator(sheet: Sheet, panel: Panel, y: float, row: Indicator) -> None:
    """Write a row; beside its values stands the verdict, below them where the page is narrower."""
    middle, page = panel.top + y, sheet.width == theme.PAGE
    right = 748.0 if page else sheet.width
    base = middle - (2 if page else 46 if theme.narrow() else 12)
    value = wording.level(row.value, panel.scale.unit, sheet.language)
    room = right - text_width(value) if theme.narrow() else panel.left
    over = theme.narrow()  # lines of the panel run behind
    sheet.text(0, base, fit(sheet.metric(row), room - 12), strong=True, over=over)
    sheet.text(0, base + 17, sheet.words(f"better_{row.better}"), "small", over=over)
    _thresholds(sheet, panel, y, row)
    if row.value is None:
        sheet.text(panel.left + 6, middle + 4, sheet.words("no_data"), "tick", over=True)
    else:
        estimate(panel, y, row.value, row.ci_low, row.ci_high)
    sheet.text(right, base + 1, value, "value", align="right", strong=True)
    words = sheet.words("tickets_thin" if row.thin else "tickets", count=wording.count(row.denominator))
    sheet.text(right, base + 17, words, "small", align="right")
    if row.on_target is not None:
        words, below = sheet.words(row.on_target), middle + (4 if page or theme.narrow() else 21)
        start = right + 28 if page else right - text_width(words, theme.TICK) - 14
        sheet.icon(row.on_target, start, below - 4)
        at = start + 14 if page else right
        sheet.text(at, below, words, "name", color=theme.INK, align="left" if page else "right")


def _thresholds(sheet: Sheet, panel: Panel, y: float, row: Indicator) -> None:
    """Draw the alert threshold named above the row, the target named below it."""
    middle = panel.top + y
    if row.alert_threshold is not None:
        at = row.alert_threshold
        style: dict[str, Any] = {"color": theme.ALERT, "lw": theme.MAIN_LINE, "solid_capstyle": "butt"}
        panel.axes.plot([at, at], [y - 13, y + 7], clip_on=False, **style)
        words = sheet.target(panel, at, "alert")
        half = text_width(words, theme.SMALL) / 2
        center = min(max(panel.x(at), panel.left + half + 14), panel.right - half)
        sheet.text(center, middle - 16, words, "small", color=theme.INK2, align="center", over=True)
        sheet.icon("watch", center - half - 8, middle - 20, 10)
    if row.target is not None:
        ends = [y - 11, y + 13]
        panel.axes.plot([row.target] * 2, ends, color=theme.TARGET, lw=1.6, ls=SHORT_DASHES, clip_on=False)
        entry = (panel.x(row.target), sheet.target(panel, row.target), theme.INK)
        sheet.labels(panel, middle + 24, [entry])


@theme.drawn
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
    left = theme.column([wording.group_name(group, language) for group in shown["group"]], theme.TICK)
    # on a phone names, values and the heading stand on lines of their own, the panel takes the width
    above, beside = (theme.ABOVE, 8.0) if theme.narrow() else (0.0, 150.0)
    pitch, top = 25.0 + above, 26.0 + above
    left = left or beside
    height = len(shown) * pitch
    axis = scale(
        [*shown["value"], *shown["ci_low"], *shown["ci_high"], pooled.value, pooled.target], pooled.unit
    )
    sheet = Sheet(top + height + 48 + above + (22 + above if len(folded) else 0), language)
    panel = sheet.value_rows(left, top, sheet.width - beside - left, height, axis)
    labels = []
    if pooled.value is not None:
        panel.axes.axvline(pooled.value, color=theme.NEUTRAL, lw=1.0, zorder=1, clip_on=False)
        words = sheet.words("all", value=wording.level(pooled.value, axis.unit, language))
        labels.append((panel.x(pooled.value), words, theme.INK2))
    if pooled.target is not None:
        dashed(panel, pooled.target, upright=True, zorder=1)
        labels.append((panel.x(pooled.target), sheet.target(panel, pooled.target), theme.INK))
    sheet.labels(panel, panel.top - 10, labels)
    sheet.text(sheet.width, 16, sheet.words("tickets_head"), "small", align="right")
    for i, row in enumerate(shown.to_dict("records")):
        _group(sheet, panel, (i + 0.5) * pitch + above / 2, row)
    words = sheet.by_unit("axis", axis.unit, metric=sheet.metric(pooled))
    sheet.axis_words(panel, "x", words)
    if len(folded):
        words = "\n".join(wrapped(_folded(sheet, folded, axis), sheet.width - left, theme.SMALL))
        sheet.text(left, panel.bottom + 60 + above, words, "small")
    return sheet.figure


def _group(sheet: Sheet, panel: Panel, y: float, row: dict[Any, Any]) -> None:
    base = panel.top + y + 4
    name = wording.group_name(row["group"], sheet.language)
    value = wording.level(row["value"], panel.scale.unit, sheet.language)
    above = 0.0
    if theme.narrow():
        above, name = theme.ABOVE, fit(name, sheet.width - 84 - text_width(value, theme.TICK), theme.TICK)
    sheet.row_words(panel, base, name, wording.count(row["denominator"]))
    if wording.missing(row["value"]):
        sheet.text(panel.left + 6, base, sheet.words("no_data"), "small", over=True)
        return
    ends = (row["ci_low"], row["ci_high"])
    panel.axes.hlines(y, *ends, color=theme.PILOT, lw=theme.MAIN_LINE, zorder=2, clip_on=False)
    dot(panel, row["value"], y, theme.PILOT, size=7)
    sheet.text(
        sheet.width - 72, base - above, value, "name", color=theme.PILOT, align="right", over=above > 0
    )


def _folded(sheet: Sheet, folded: pd.DataFrame, axis: Scale) -> str:
    tickets = float(folded["denominator"].sum())
    pooled = float(folded["numerator"].sum()) / tickets if tickets else None
    value = wording.level(pooled, axis.unit, sheet.language)
    key = "folded_one" if len(folded) == 1 else "folded"
    return sheet.words(key, groups=wording.count(len(folded)), tickets=wording.count(tickets), value=value)


@theme.drawn
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
    hollow = not result.trend["complete"].all()
    places, height = theme.grid(len(rows), 112.0)
    sheet = Sheet(height + (20 if hollow else 0), language, cuts=[*{top: 0 for _, top, _ in places}, height])
    for place, row in zip(places, rows, strict=True):
        _weeks(sheet, place, row, result.trend.loc[result.trend["metric"] == row.metric].sort_values("week"))
    if hollow:
        sheet.text(0, sheet.height - 8, sheet.words("hollow"), "small")
    return sheet.figure


def _weeks(sheet: Sheet, place: Place, row: Indicator, weeks: pd.DataFrame) -> None:
    axis = scale([*weeks["value"], row.target], row.unit, count=3)
    ordinals = [pd.Timestamp(week).toordinal() for week in weeks["week"]]
    frame = weeks.assign(group="", day=ordinals).dropna(subset=["value"])
    full, part = frame.loc[frame["complete"]], frame.loc[~frame["complete"]]
    large = wording.level(full["value"].iloc[-1] if len(full) else None, axis.unit, sheet.language)
    note = sheet.words("no_week")
    if len(full):
        note = sheet.words("week_of", date=sheet.day(date.fromordinal(full["day"].iloc[-1])))
    first, last = ordinals[0], ordinals[-1]
    edge = 0.03 * max(last - first, 7)
    days = (first - edge, max(last, first + 7) + edge)
    panel = sheet.small_chart(place, sheet.metric(row), large, axis, days, (first, last))
    sheet.text(place[0] + text_width(large, theme.LARGE) + 8, panel.top - 20, note, "small")
    weekly_lines(panel, full, theme.NEUTRAL, 1.2)
    size = 3.6 if len(frame) <= 30 else 2.2
    style: dict[str, Any] = {"zorder": 4, "clip_on": False}
    panel.axes.plot(full["day"], full["value"], "o", color=theme.NEUTRAL, ms=size, mew=0, **style)
    style |= {"mfc": theme.PAPER, "mec": theme.NEUTRAL, "mew": theme.GRID_LINE}
    panel.axes.plot(part["day"], part["value"], "o", ms=size + 0.6, **style)
    sheet.noted_target(panel, row.target, frame, "target_min" if row.better == "higher" else "target_max")
