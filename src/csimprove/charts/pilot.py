"""Figures of a pilot: the two questions, every unit before and during, both arms week by week."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from csimprove.charts.sheet import Icon, Panel, Sheet, dot, estimate, weekly_lines
from csimprove.charts.theme import (
    CONTEXT_LINE,
    CONTROL,
    HEADING,
    INK,
    INK2,
    LABEL,
    MAIN_LINE,
    MUTED,
    MUTED_TEXT,
    PILOT,
    PILOT_TINT,
    SMALL,
    TARGET,
    TICK,
    WIDTH,
    Scale,
    as_unit,
    by_axis,
    fit,
    pitch,
    row_of,
    scale,
    spread,
    text_width,
    theme,
)
from csimprove.pilot import PilotMetric, PilotResult
from csimprove.settings import Language
from csimprove.wording import metric_name, text
from csimprove.wording.numbers import (
    Unit,
    date_text,
    interval,
    level,
    missing,
    number,
    period_text,
    target_level,
    trimmed,
)

#: A week of `pilot_arms` is drawn when at least this share of its tickets is decided.
DECIDED_SHARE = 0.95
_STATUS: dict[str, Icon] = {
    "worth_having": "tick",
    "safe": "tick",
    "better": "tick",
    "not_shown": "unknown",
    "not_shown_safe": "unknown",
    "no_interval": "unknown",
    "too_small": "cross",
    "worse": "cross",
    "harmed": "stop",
}
_LEVEL: dict[str, Icon] = {"reached": "tick", "not_reached": "cross", "cannot_tell": "unknown"}
_DASHES = (0, (5, 2.2))


@theme()
def pilot_questions(result: PilotResult, *, language: Language = "en") -> Figure:
    """Draw the two questions: whether the gain is worth having and whether the pilot is at its target.

    Parameters
    ----------
    result
        A pilot evaluation.
    language
        Language of the words.

    Returns
    -------
    Figure
        One row a metric. Left: effect with 95 % interval against what the plan asked. Right: level with
        interval against the target; a ring for the weeks before.
    """
    blocks = by_axis(result.metrics, _levels)
    names = [metric_name(row.metric, language) for row in result.metrics]
    left = min(max([120.0, *(text_width(name, LABEL) for name in names)]), 220.0) + 16
    units = [block[0].unit for block in blocks]
    # headings stand once, the unit of the effect again where it changes
    heads = [62.0 if i == 0 else 34.0 if units[i] != units[i - 1] else 14.0 for i in range(len(blocks))]
    row_pitch = 62.0
    sheet = Sheet(sum(len(block) * row_pitch + head + 28 for block, head in zip(blocks, heads, strict=True)))
    top = 0.0
    for block, head in zip(blocks, heads, strict=True):
        _question_block(sheet, block, (left, top + head, row_pitch), head, language)
        top += head + len(block) * row_pitch + 28
    return sheet.figure


def _levels(row: PilotMetric) -> list[float | None]:
    return [row.level, row.level_low, row.level_high, row.target, row.pilot_before.value]


def _question_block(
    sheet: Sheet,
    rows: list[PilotMetric],
    place: tuple[float, float, float],
    head: float,
    language: Language,
) -> None:
    left, top, row_pitch = place
    unit = as_unit(rows[0].unit)
    half = (WIDTH - left - 24) / 2
    width, height = half - 96, len(rows) * row_pitch
    gains = [value for row in rows for value in (row.effect, row.ci_low, row.ci_high, _asked(row))]
    axis = scale(gains, unit, count=4, signed=True)
    effects = sheet.panel(left, top, width, height, x=(axis.low, axis.high))
    sheet.x_axis(effects, axis.ticks, [trimmed(tick, unit, sign=True) for tick in axis.ticks])
    effects.axes.axvline(0, color=CONTROL, lw=1.2, zorder=1)
    axis = scale([value for row in rows for value in _levels(row)], unit, count=4)
    levels = sheet.panel(left + half + 24, top, width, height, x=(axis.low, axis.high))
    sheet.x_axis(levels, axis.ticks, [target_level(tick, unit, language) for tick in axis.ticks])
    readings = [(effects, f"gain_{unit}")] if head > 20 else []
    if head > 40:
        readings.append((levels, "level_reading"))
        for panel, key in ((effects, "gain_heading"), (levels, "level_heading")):
            sheet.text(panel.left, top - 42, text(f"chart.{key}", language), size=HEADING, strong=True)
    for panel, key in readings:
        words = text(f"chart.{key}", language)
        sheet.text(panel.left, top - (23 if head > 40 else 10), words, size=SMALL, color=MUTED_TEXT)
    for i, row in enumerate(rows):
        y = (i + 0.5) * row_pitch
        sheet.rule(top + i * row_pitch + 0.5, 0, left + half)
        sheet.rule(top + i * row_pitch + 0.5, levels.left)
        sheet.text(0, top + y - 4, fit(metric_name(row.metric, language), left - 8))
        sheet.text(0, top + y + 13, text(f"chart.role_{row.role}", language), size=SMALL, color=MUTED_TEXT)
        _gain(sheet, effects, y, row, language)
        _level(sheet, levels, y, row, language)


def _asked(row: PilotMetric) -> float | None:
    """Where the plan's mark stands: the minimum gain on the better side, the margin on the worse."""
    if row.asked is None:
        return None
    return row.asked if (row.better == "higher") == (row.role == "co_primary") else -row.asked


def _gain(sheet: Sheet, panel: Panel, y: float, row: PilotMetric, language: Language) -> None:
    unit = as_unit(row.unit)
    asked = _asked(row)
    below = []
    if asked is not None:
        panel.axes.plot(
            [asked] * 2, [y - 14, y + 11], color=TARGET, lw=2.4, solid_capstyle="round", clip_on=False
        )
        kind = "gain" if row.role == "co_primary" else "margin"
        value = trimmed(asked, unit, sign=True)
        below.append((panel.x(asked), text(f"chart.asked_{kind}_{row.better}", language, value=value), INK))
    if row.effect is not None:
        estimate(panel, y, row.effect, row.ci_low, row.ci_high)
        words = number(row.effect, unit, sign=True)
        _beside(sheet, panel, y, words, panel.x(row.effect), None if asked is None else panel.x(asked))
        if row.ci_low is not None and row.ci_high is not None:
            center = panel.x((row.ci_low + row.ci_high) / 2)
            below.append((center, interval(row.ci_low, row.ci_high, unit, language), MUTED_TEXT))
    sheet.labels(panel.top + y + 24, below, low=panel.left - 8, high=panel.right + 8)
    _verdict(sheet, panel, y, _STATUS[row.status], text(f"chart.status_{row.status}", language))


def _level(sheet: Sheet, panel: Panel, y: float, row: PilotMetric, language: Language) -> None:
    unit = as_unit(row.unit)
    before = row.pilot_before.value
    below = []
    if before is not None:
        if row.level is not None:
            panel.axes.hlines(y, before, row.level, color=MUTED, lw=1.4, zorder=1, clip_on=False)
        dot(panel, before, y, PILOT, hollow=True)
        below.append((panel.x(before), level(before, unit, language), MUTED_TEXT))
    if row.level is not None:
        estimate(panel, y, row.level, row.level_low, row.level_high)
        mark = None if row.target is None else panel.x(row.target)
        _beside(sheet, panel, y, level(row.level, unit, language), panel.x(row.level), mark)
    if row.target is not None:
        panel.axes.plot(
            [row.target] * 2, [y - 17, y + 12], color=TARGET, lw=1.6, ls=(0, (2.6, 1.4)), clip_on=False
        )
        words = text("chart.target", language, value=target_level(row.target, unit, language))
        below.append((panel.x(row.target), words, INK))
    sheet.labels(panel.top + y + 24, below, low=panel.left - 8, high=panel.right + 8)
    if row.target_status is not None:
        key = f"short_{row.better}"
        if row.target_status == "reached":
            key = "reached"
        elif row.target_status == "cannot_tell":
            key = "unknown" if row.level_low is None else "line"
        _verdict(sheet, panel, y, _LEVEL[row.target_status], text(f"chart.level_{key}", language))


def _beside(sheet: Sheet, panel: Panel, y: float, words: str, at: float, mark: float | None) -> None:
    """Write a value over its bar, moved to that side of a vertical mark on which it lies."""
    half = text_width(words, LABEL) / 2
    if mark is not None and abs(at - mark) < half + 5:
        right = (at > mark or mark - 2 * half - 5 < panel.left) and mark + 2 * half + 5 < panel.right + 8
        at = mark + half + 5 if right else mark - half - 5
    sheet.text(at, panel.top + y - 10, words, color=PILOT, align="center", over=True)


def _verdict(sheet: Sheet, panel: Panel, y: float, icon: Icon, words: str) -> None:
    middle = panel.top + y
    lines = words.count("\n")
    sheet.icon(icon, panel.right + 20, middle)
    sheet.text(panel.right + 33, middle + 4 - lines * pitch(SMALL) / 2, words, size=SMALL)


@theme()
def pilot_dumbbell(result: PilotResult, metric: str, *, language: Language = "en") -> Figure:
    """Draw every unit before (ring) and during the pilot (dot): pilot groups first, sorted by change.

    Parameters
    ----------
    result
        A pilot evaluation.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        The change in a column on the right, its mean in the heading of each group.
    """
    row = row_of(result.metrics, metric)
    unit = as_unit(row.unit)
    groups = _groups(result.teams.loc[result.teams["metric"] == metric], row.better)
    headings = [text(f"chart.group_{arm}", language, group=name) for name, arm, _ in groups]
    units = [str(name) for _, _, units in groups for name in units["unit"]]
    widths = [text_width(name, LABEL) + 4 for name in headings] + [text_width(name, TICK) for name in units]
    left = min(max([70.0, *widths]), 0.45 * WIDTH) + 20
    row_pitch, top = 17.0, 38.0
    steps = [28.0 + row_pitch * len(units) + 6 for _, _, units in groups]
    values = [value for _, _, units in groups for name in ("before", "during") for value in units[name]]
    axis = scale([*values, row.target], unit, count=6)
    sheet = Sheet(top + sum(steps) + 48)
    panel = sheet.panel(left, top, WIDTH - 90 - left, sum(steps), x=(axis.low, axis.high))
    sheet.x_axis(panel, axis.ticks, [target_level(tick, unit, language) for tick in axis.ticks])
    if row.target is not None:
        panel.axes.axvline(row.target, color=TARGET, lw=1.4, ls=_DASHES, zorder=1, clip_on=False)
        words = text("chart.target", language, value=target_level(row.target, unit, language))
        sheet.labels(top - 7, [(panel.x(row.target), words, INK)], low=panel.left, high=panel.right)
    head = text(f"chart.change_{unit}", language)
    sheet.text(WIDTH, top - 26, head, size=SMALL, color=MUTED_TEXT, align="right")
    y = 0.0
    for i, (heading, (_, arm, frame)) in enumerate(zip(headings, groups, strict=True)):
        _dumbbells(sheet, panel, y, (fit(heading, left - 16), arm, frame), (unit, language))
        if i == 0:
            _ends(sheet, panel, frame, language)
        y += steps[i]
    _axis_label(sheet, panel, row, language)
    return sheet.figure


def _groups(teams: pd.DataFrame, better: str) -> list[tuple[str, str, pd.DataFrame]]:
    """Group, arm and units: pilot groups first, units with the largest improvement first."""
    found = []
    for (arm, group), units in teams.groupby(["arm", "group"], sort=True):
        ranked = units.sort_values(
            ["change", "unit"], ascending=[better == "lower", True], na_position="last"
        )
        found.append((str(group), str(arm), ranked))
    return sorted(found, key=lambda item: (item[1] != "pilot", item[0]))


def _dumbbells(
    sheet: Sheet,
    panel: Panel,
    y: float,
    group: tuple[str, str, pd.DataFrame],
    style: tuple[Unit, Language],
) -> None:
    heading, arm, frame = group
    unit, language = style
    mark, ink = (PILOT, PILOT) if arm == "pilot" else (CONTROL, INK2)
    base = panel.top + y + 20
    sheet.text(0, base, heading, color=ink, strong=True)
    mean = text("chart.mean", language, value=number(frame["change"].mean(), unit, sign=True))
    sheet.text(WIDTH, base, mean, size=TICK, color=ink, align="right", strong=True)
    for i, row in enumerate(frame.to_dict("records")):
        at = y + 28 + (i + 0.5) * 17
        line = panel.top + at + 4
        sheet.text(0, line, fit(str(row["unit"]), panel.left - 16, TICK), size=TICK, color=INK2)
        change = number(row["change"], unit, sign=True)
        sheet.text(WIDTH, line, change, size=TICK, color=ink, align="right")
        ends = [(row[end], end == "before") for end in ("before", "during") if not missing(row[end])]
        if not ends:
            sheet.text(
                panel.left, line, text("chart.no_data", language), size=SMALL, color=MUTED_TEXT, over=True
            )
        if len(ends) == 2:
            panel.axes.hlines(
                at, row["before"], row["during"], color=mark, lw=MAIN_LINE, zorder=2, clip_on=False
            )
        for value, hollow in ends:
            dot(panel, value, at, mark, hollow=hollow)


def _ends(sheet: Sheet, panel: Panel, frame: pd.DataFrame, language: Language) -> None:
    """Name ring and dot over the first unit that has both."""
    whole = frame.dropna(subset=["before", "during"])
    if len(whole) and whole.index[0] == frame.index[0]:
        first = whole.iloc[0]
        entries = [
            (panel.x(first[name]), text(f"chart.{name}", language), PILOT) for name in ("before", "during")
        ]
        sheet.labels(panel.top + 24, entries, low=panel.left, high=panel.right)


def _axis_label(sheet: Sheet, panel: Panel, row: PilotMetric, language: Language) -> None:
    key = f"chart.axis_{row.unit}" if row.basis == "crude" else f"chart.teams_standardised_{row.unit}"
    words = text(key, language, metric=metric_name(row.metric, language))
    start = panel.x_limits[0]
    if start > 0:
        value = target_level(start, as_unit(row.unit), language)
        words = text("chart.axis_from_x", language, label=words, value=value)
    sheet.text(panel.left, panel.bottom + 38, words, size=TICK, color=MUTED_TEXT)


@theme()
def pilot_arms(result: PilotResult, metric: str, *, language: Language = "en") -> Figure:
    """Draw both arms week by week, pooled, with the pilot window shaded and each control group thin.

    Parameters
    ----------
    result
        A pilot evaluation.
    metric
        One of its metrics.
    language
        Language of the words.

    Returns
    -------
    Figure
        Values stand in the middle of their week. Weeks with less than 95 % of their tickets decided are left
        out, the figure says so, and no line runs over them.
    """
    row = row_of(result.metrics, metric)
    unit = as_unit(row.unit)
    weekly = result.weekly.loc[result.weekly["metric"] == metric]
    weekly = weekly.loc[weekly["value"].notna()].sort_values("week")
    decided = weekly["denominator"] >= DECIDED_SHARE * (weekly["denominator"] + weekly["undecided"])
    drawn = weekly.loc[decided]
    drawn = drawn.assign(day=[pd.Timestamp(week).toordinal() + 3.5 for week in drawn["week"]])
    axis = scale([*drawn["value"], row.target], unit, count=5)
    names = [target_level(tick, unit, language) for tick in axis.ticks]
    left = max(text_width(name, TICK) for name in names) + 10
    arms = [("pilot", PILOT), ("control", CONTROL)]
    titles = {arm: _arm_name(result, arm, language) for arm, _ in arms}
    side = max(text_width(words, HEADING) for words in titles.values())
    side = min(max(side, text_width(text("chart.last_week", language, value="100.0%"), SMALL)), 200.0)
    first, last = min(result.plan.before[0], result.plan.during[0]), result.plan.during[1]
    span = (_monday(first), _monday(last) + 7)
    sheet = Sheet(28 + 256 + 48 + (0 if decided.all() else 20))
    panel = sheet.panel(
        left, 28, WIDTH - left - side - 22, 256, x=(span[0], span[1]), y=(axis.low, axis.high)
    )
    sheet.y_axis(panel, axis.ticks, names)
    _windows(sheet, panel, result, language)
    controls = drawn.loc[(drawn["arm"] == "control") & (drawn["group"] != "")]
    groups = len(controls["group"].unique())
    if groups > 1:
        weekly_lines(panel, controls, MUTED, CONTEXT_LINE, 1)
    _arms(sheet, panel, drawn, titles, (unit, language))
    if row.target is not None:
        panel.axes.axhline(row.target, color=TARGET, lw=1.4, ls=_DASHES, zorder=2, clip_on=False)
    _notes(sheet, panel, drawn, row, groups, language)
    _week_axis(sheet, panel, axis, unit, language)
    if not decided.all():
        words = text("chart.weeks_omitted", language, share=target_level(DECIDED_SHARE, "share", language))
        sheet.text(panel.left, panel.bottom + 58, words, size=SMALL, color=MUTED_TEXT)
    return sheet.figure


def _arm_name(result: PilotResult, arm: str, language: Language) -> str:
    groups = result.plan.pilot if arm == "pilot" else result.plan.control
    if len(groups) == 1:
        return fit(text(f"chart.group_{arm}", language, group=groups[0]), 200, HEADING)
    return text(f"chart.arm_{arm}", language)


def _monday(day: date) -> float:
    return float(day.toordinal() - day.weekday())


def _windows(sheet: Sheet, panel: Panel, result: PilotResult, language: Language) -> None:
    before, during = result.plan.before, result.plan.during
    start, end = during[0].toordinal(), during[1].toordinal() + 1
    panel.axes.axvspan(start, end, color=PILOT_TINT, lw=0, zorder=-1)
    entries = []
    for (first, last), key, color in ((before, "window_before", MUTED_TEXT), (during, "window_pilot", PILOT)):
        middle = (panel.x(first.toordinal()) + panel.x(last.toordinal() + 1)) / 2
        entries.append(
            (middle, text(f"chart.{key}", language, period=period_text(first, last, language)), color)
        )
    sheet.labels(panel.top - 12, entries, low=panel.left, high=WIDTH)


def _arms(
    sheet: Sheet,
    panel: Panel,
    drawn: pd.DataFrame,
    titles: dict[str, str],
    style: tuple[Unit, Language],
) -> None:
    unit, language = style
    ends = []
    for arm, color, ink in (("control", CONTROL, INK2), ("pilot", PILOT, PILOT)):
        pooled = drawn.loc[(drawn["arm"] == arm) & (drawn["group"] == "")]
        if pooled.empty:
            continue
        weekly_lines(panel, pooled, color, MAIN_LINE, 3)
        for point in pooled.to_dict("records"):
            dot(panel, point["day"], point["value"], color, hollow=arm == "control", zorder=4)
        ends.append((panel.y(pooled["value"].iloc[-1]), titles[arm], ink, float(pooled["value"].iloc[-1])))
    centers = spread([end[0] for end in ends], [34.0] * len(ends), low=panel.top - 4, high=panel.bottom + 4)
    for center, (_, title, ink, value) in zip(centers, ends, strict=True):
        sheet.text(panel.right + 14, center, title, size=HEADING, color=ink, strong=True)
        words = text("chart.last_week", language, value=level(value, unit, language))
        sheet.text(panel.right + 14, center + 16, words, size=SMALL, color=MUTED_TEXT)


def _notes(
    sheet: Sheet, panel: Panel, drawn: pd.DataFrame, row: PilotMetric, controls: int, language: Language
) -> None:
    lines = drawn.assign(group=drawn["arm"] + "/" + drawn["group"])
    if row.target is not None:
        words = text("chart.target", language, value=target_level(row.target, as_unit(row.unit), language))
        at = panel.y(row.target)
        sheet.note(panel, words, [at - 5, at + 14], lines)
    if controls > 1:
        words = text("chart.thin_lines", language, count=controls)
        bases = [panel.bottom - 10, panel.top + 18, panel.bottom - 30, panel.top + 36]
        sheet.note(panel, words, bases, lines, color=MUTED_TEXT)


def _week_axis(sheet: Sheet, panel: Panel, axis: Scale, unit: Unit, language: Language) -> None:
    weeks = np.arange(panel.x_limits[0], panel.x_limits[1], 7)
    names = [date_text(date.fromordinal(int(week)), language, year=False) for week in weeks]
    room = panel.width / max(len(weeks), 1)
    step = int(np.ceil((max(text_width(name, TICK) for name in names) + 8) / room))
    sheet.x_axis(panel, [float(week) + 3.5 for week in weeks[::step]], names[::step], grid=False)
    words = text("chart.week_axis", language)
    if axis.low > 0:
        words = text("chart.axis_from_y", language, label=words, value=target_level(axis.low, unit, language))
    sheet.text(panel.left, panel.bottom + 38, words, size=TICK, color=MUTED_TEXT)
