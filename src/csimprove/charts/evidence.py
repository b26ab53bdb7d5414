"""Figures of the evidence behind a pilot: other ways of looking, false pilots, week by week."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.pilot import DECIDED_SHARE, asked_words, effect_words, foot, omitted
from csimprove.charts.sheet import Panel, Sheet, Span, dashed, dot, estimate
from csimprove.charts.theme import fit, scale
from csimprove.pilot import PilotCredibility, PilotResult, Robustness
from csimprove.settings import Language

_ROW, _FALSE = 26.0, 12.0  # px, of a way of looking and of a false pilot


@theme.drawn
def pilot_robustness(
    credibility: PilotCredibility, result: PilotResult, metric: str, *, language: Language = "en"
) -> Figure:
    """Draw one line per way of looking: those that should agree, and false pilots that should be near zero.

    Parameters
    ----------
    credibility
        Checks of the pilot.
    result
        The pilot.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Behind the upper group the interval of the main result as a band; effect and interval in a column.
        Ways that give no interval are in the table only.

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    ways = [way for way in credibility.robustness if way.metric == metric and way.effect is not None]
    ways = [way for way in ways if way.way == "main" or way.ci_low is not None]
    false = [
        frame.loc[(frame["metric"] == metric) & ~frame["real"].astype(bool) & frame["effect"].notna()]
        for frame in (credibility.placebo_dates, credibility.placebo_groups)
    ]
    values = [value for way in ways for value in (way.effect, way.ci_low, way.ci_high)]
    values += [value for frame in false for name in ("effect", "ci_low", "ci_high") for value in frame[name]]
    axis = scale(values, row.unit, count=6, signed=True)
    left = theme.column([_way(Sheet(1, language), way, result) for way in ways], at_most=330)
    above = theme.ABOVE * theme.narrow()
    heights = [34.0 + above + (_ROW + above) * len(ways), 34.0 + above + sum(_height(one) for one in false)]
    sheet = Sheet(sum(heights) + 56 + above, language)
    # on a phone marks at the edge of the sheet are whole
    left, beside = (8.0, 160.0) if theme.narrow() else (left, 168.0)
    panel = sheet.value_rows(left, 0, sheet.width - beside - left, sum(heights) + 6, axis)
    if not theme.narrow():
        panel.axes.axvline(0, ymax=heights[1] / sum(heights), color=theme.CONTROL, lw=1.2, zorder=1)
    _ways(sheet, panel, ways, result)
    _false_pilots(sheet, panel, heights[0], false)
    words = sheet.by_unit("effect_on", axis.unit, metric=sheet.metric(row, inline=True))
    sheet.axis_words(panel, "x", words)
    return sheet.figure


def _height(false: pd.DataFrame) -> float:
    """Px that false pilots take."""
    return max(_ROW, _FALSE * len(false) + 12) + theme.ABOVE * theme.narrow()


def _way(sheet: Sheet, way: Robustness, result: PilotResult) -> str:
    words = wording.spoken_pilot(result, sheet.language) | {"n": wording.count(way.units)}
    words["left_out"] = wording.group_name(way.left_out or "", sheet.language)
    return sheet.words(f"way_{way.way}", **words)


def _ways(sheet: Sheet, panel: Panel, ways: list[Robustness], result: PilotResult) -> None:
    above = theme.ABOVE * theme.narrow()
    _heads(sheet, 20, "should_agree", "effect_column")
    top, pitch = 34.0 + above, _ROW + above
    for way in ways[:1]:
        if way.ci_low is not None and way.ci_high is not None:
            ends = (way.ci_low, way.ci_high - way.ci_low)
            band: dict[str, Any] = {"fc": theme.PILOT_TINT, "lw": 0, "zorder": 0.5}
            panel.axes.broken_barh([ends], (top, pitch * len(ways)), **band)
    for i, way in enumerate(ways):
        y = top + (i + 0.5) * pitch + above / 2
        main = way.way == "main"
        ink = theme.INK if main else theme.INK2
        said = effect_words(sheet, panel, way)
        _row(sheet, panel, (top + i * pitch, pitch), _way(sheet, way, result), said, ink, main)
        if main and way.effect is not None:
            estimate(panel, y, way.effect, way.ci_low, way.ci_high)
        elif way.effect is not None:
            _line(panel, y, (way.effect, way.ci_low, way.ci_high), theme.PILOT)


def _heads(sheet: Sheet, base: float, heading: str, column: str) -> None:
    """Write the heading of a group and of its numbers; on a phone one under the other."""
    sheet.text(0, base, sheet.words(heading), "heading", strong=True)
    below = theme.ABOVE * theme.narrow()
    sheet.text(sheet.width, base + below, sheet.words(column), "small", align="right")


def _row(
    sheet: Sheet,
    panel: Panel,
    place: Span,
    name: str,
    said: str,
    ink: str | None = None,
    strong: bool = False,
) -> None:
    """Write the name of a row (top and height) left of its marks, on a phone above, and its numbers right."""
    top, height = place
    first = base = top + height / 2 + 4
    room = panel.left - 12
    if theme.narrow():
        base, room, first = base + theme.ABOVE / 2, sheet.width - 8, top + theme.ABOVE
    words = fit(name, room, theme.TICK)
    sheet.text(0, first, words, "name", color=ink, strong=strong, over=theme.narrow())
    sheet.text(sheet.width, base, said, "name", color=ink, align="right", strong=strong)


def _line(panel: Panel, y: float, ends: tuple[Any, Any, Any], color: str) -> None:
    value, low, high = ends
    if not wording.missing(low):
        panel.axes.hlines(y, low, high, color=color, lw=1.8, zorder=2, clip_on=False)
    dot(panel, value, y, color, size=5)


def _false_pilots(sheet: Sheet, panel: Panel, top: float, false: list[pd.DataFrame]) -> None:
    above = theme.ABOVE * theme.narrow()
    _heads(sheet, top + 24, "should_be_zero", "range_column")
    y = top + 34 + above
    for key, frame in zip(("false_starts", "false_groups"), false, strict=True):
        height = _height(frame)
        if above:  # the line of zero does not cross the words above
            panel.axes.vlines(0, y + above + 6, y + height, color=theme.CONTROL, lw=1.2, zorder=1)
        for i, row in enumerate(frame.to_dict("records")):
            at = y + (height + above) / 2 + (i - (len(frame) - 1) / 2) * _FALSE
            _line(panel, at, (row["effect"], row["ci_low"], row["ci_high"]), theme.CONTROL)
        words = sheet.words(key if len(frame) else f"{key}_none", n=wording.count(len(frame)))
        ends = (frame["effect"].min(), frame["effect"].max())
        low, high = (wording.number(value, panel.scale.unit, sign=True) for value in ends)
        said = sheet.words("range", low=low, high=high) if len(frame) > 1 else low if len(frame) else ""
        _row(sheet, panel, (y, height), words, said)
        y += height


@theme.drawn
def pilot_event_study(
    credibility: PilotCredibility, result: PilotResult, metric: str, *, language: Language = "en"
) -> Figure:
    """Draw the gap between the arms week by week, relative to its mean before the pilot.

    Parameters
    ----------
    credibility
        Checks of the pilot.
    result
        The pilot.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Rings before, dots in the shaded pilot weeks, each with its 95 % interval; weeks with less than 95 %
        of their tickets decided are left out and the figure says so.

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    weeks = credibility.event_study.loc[credibility.event_study["metric"] == metric]
    decided = weeks["decided_share"] >= DECIDED_SHARE
    drawn = weeks.loc[decided & weeks["effect"].notna()].sort_values("week")
    mark = wording.asked_value(row)
    axis = scale([*drawn["effect"], *drawn["ci_low"], *drawn["ci_high"], mark], row.unit, signed=True)
    every = [int(week) for week in weeks["week"]] or [0]
    sheet = Sheet(28 + 240 + 48 + foot(decided), language)
    span = (min(every) - 0.6, max(every) + 0.6)
    panel = sheet.value_weeks(0, 28, sheet.width - (8 if theme.narrow() else 100), 240, axis, span)
    panel.axes.axvspan(-0.5, span[1], color=theme.PILOT_TINT, lw=0, zorder=-1)
    middles = ((span[0] - 0.5) / 2, (span[1] - 0.5) / 2)
    heads = [(panel.x(middles[0]), sheet.words("before"), theme.MUTED_TEXT)] if min(every) < 0 else []
    sheet.labels(panel, 16, [*heads, (panel.x(middles[1]), sheet.words("during"), theme.PILOT)])
    panel.axes.axhline(0, color=theme.CONTROL, lw=1.2, zorder=1)
    ends = [(panel.y(0.0), sheet.words("zero"), theme.INK2)]
    if mark is not None:
        dashed(panel, mark, zorder=1)
        ends.append((panel.y(mark), asked_words(sheet, panel, row, mark), theme.INK))
    if theme.narrow():
        lines = _bars(drawn)
        for y, words, color in ends:
            sheet.note(panel, words, [y - 5, y + 14], lines, color=color)
    else:
        sheet.end_names(panel, ends, "mark", 20)
    for one in drawn.to_dict("records"):
        pilot = one["week"] >= 0
        color = theme.PILOT if pilot else theme.CONTROL
        if not wording.missing(one["ci_low"]):
            panel.axes.vlines(one["week"], one["ci_low"], one["ci_high"], color=color, lw=1.8, clip_on=False)
        dot(panel, one["week"], one["effect"], color, hollow=not pilot)
    step = -(-len(every) // 26)
    shown = sorted(every)[::step]
    sheet.ticks_below(panel, shown, [wording.trimmed(week, "minutes", sign=True) for week in shown])
    words = sheet.by_unit("gap", axis.unit, metric=sheet.metric(row, inline=True))
    sheet.axis_words(panel, "y", words)
    omitted(sheet, panel, decided, "weeks")
    return sheet.figure


def _bars(weeks: pd.DataFrame) -> pd.DataFrame:
    """Return lines that fill the intervals of the weeks, for a note that keeps clear of them."""
    low, high = (weeks[end].fillna(weeks["effect"]) for end in ("ci_low", "ci_high"))
    shares = np.linspace(0, 1, 7)
    lines = [pd.DataFrame({"day": weeks["week"], "value": low + share * (high - low)}) for share in shares]
    return pd.concat(lines, keys=shares, names=["group"]).reset_index("group")
