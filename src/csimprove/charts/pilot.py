"""Figures of a pilot: the two questions, every unit before and during, both arms week by week."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import pandas as pd
from matplotlib.figure import Figure

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import SHORT_DASHES, Panel, Sheet, dashed, dot, estimate, weekly_lines
from csimprove.charts.theme import fit, scale, text_width
from csimprove.pilot import LookMetric, PilotMetric, PilotResult, Robustness
from csimprove.settings import Language

#: A week of `pilot_arms` is drawn when at least this share of its tickets is decided.
DECIDED_SHARE = 0.95

_ROW = 62.0  # px, of a metric in `pilot_questions`
_UNIT = 17.0  # px, of a unit in `pilot_dumbbell`


@theme.drawn
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
    blocks = theme.by_axis(result.metrics, _levels)
    names = [wording.metric_name(row.metric, language, variant=row.variant) for row in result.metrics]
    left = theme.column(names, at_most=220)
    units = [block[0].unit for block in blocks]
    # headings stand once; the unit of the effect again where it changes
    heads = [62.0 if i == 0 else 34.0 if units[i] != units[i - 1] else 14.0 for i in range(len(blocks))]
    sheet = Sheet(sum(heads) + sum(len(block) * _ROW + 28 for block in blocks), language)
    top = 0.0
    for i, (block, head) in enumerate(zip(blocks, heads, strict=True)):
        top += head
        effects, levels = _question_panels(sheet, block, left, top)
        if i == 0:
            for panel, key in ((effects, "gain_heading"), (levels, "level_heading")):
                sheet.text(panel.left, 20, sheet.words(key), "heading", strong=True)
            sheet.text(levels.left, 39, sheet.words("level_reading"), "small")
        if i == 0 or head > 20:
            sheet.text(left, 39 if i == 0 else top - 10, sheet.by_unit("gain", units[i]), "small")
        top += len(block) * _ROW + 28
    return sheet.figure


def _levels(row: PilotMetric) -> list[float | None]:
    return [row.level, row.level_low, row.level_high, row.target, row.pilot_before.value]


def _question_panels(sheet: Sheet, rows: list[PilotMetric], left: float, top: float) -> tuple[Panel, Panel]:
    half = (sheet.width - left - 24) / 2
    width, height = half - 96, len(rows) * _ROW
    gains = [value for row in rows for value in (row.effect, row.ci_low, row.ci_high)]
    gains += [wording.asked_value(row) for row in rows]
    gain_axis = scale(gains, rows[0].unit, count=4, signed=True)
    effects = sheet.value_rows(left, top, width, height, gain_axis)
    effects.axes.axvline(0, color=theme.CONTROL, lw=1.2, zorder=1)
    level_axis = scale([value for row in rows for value in _levels(row)], rows[0].unit, count=4)
    levels = sheet.value_rows(left + half + 24, top, width, height, level_axis)
    for i, row in enumerate(rows):
        y = (i + 0.5) * _ROW
        sheet.rule(top + i * _ROW + 0.5, 0, left + half)
        sheet.rule(top + i * _ROW + 0.5, levels.left)
        sheet.text(0, top + y - 4, fit(sheet.metric(row), left - 8))
        sheet.text(0, top + y + 13, sheet.words(f"role_{row.role}"), "small")
        _gain(sheet, effects, y, row)
        _level(sheet, levels, y, row)
    return effects, levels


def _gain(sheet: Sheet, panel: Panel, y: float, row: PilotMetric) -> None:
    asked = wording.asked_value(row)
    below = []
    if asked is not None:
        style: dict[str, Any] = {"color": theme.TARGET, "lw": 2.4, "solid_capstyle": "round"}
        panel.axes.plot([asked] * 2, [y - 14, y + 11], clip_on=False, **style)
        below.append((panel.x(asked), asked_words(sheet, panel, row, asked), theme.INK))
    if row.effect is not None:
        estimate(panel, y, row.effect, row.ci_low, row.ci_high)
        _beside(sheet, panel, y, wording.number(row.effect, panel.scale.unit, sign=True), row.effect, asked)
    if row.ci_low is not None and row.ci_high is not None:
        center = panel.x((row.ci_low + row.ci_high) / 2)
        words = wording.interval(row.ci_low, row.ci_high, panel.scale.unit, sheet.language)
        below.append((center, words, theme.MUTED_TEXT))
    sheet.labels(panel, panel.top + y + 24, below, out=8)
    _verdict(sheet, panel, y, row.status, f"status_{row.status}")


def effect_words(sheet: Sheet, panel: Panel, one: Robustness | LookMetric) -> str:
    """Write an effect with its interval, if it has one."""
    words, unit = wording.number(one.effect, panel.scale.unit, sign=True), panel.scale.unit
    if one.ci_low is None:
        return words
    return f"{words}  ({wording.interval(one.ci_low, one.ci_high, unit, sheet.language)})"


def asked_words(sheet: Sheet, panel: Panel, row: PilotMetric, asked: float) -> str:
    """Name what the plan asked of a metric."""
    kind = "gain" if row.role == "co_primary" else "margin"
    return sheet.target(panel, asked, f"asked_{kind}_{row.better}")


def _level(sheet: Sheet, panel: Panel, y: float, row: PilotMetric) -> None:
    before, target, unit = row.pilot_before.value, row.target, panel.scale.unit
    below = []
    if before is not None:
        if row.level is not None:
            panel.axes.hlines(y, before, row.level, color=theme.MUTED, lw=1.4, zorder=1, clip_on=False)
        dot(panel, before, y, theme.PILOT, hollow=True)
        below.append((panel.x(before), wording.level(before, unit, sheet.language), theme.MUTED_TEXT))
    if row.level is not None:
        estimate(panel, y, row.level, row.level_low, row.level_high)
        _beside(sheet, panel, y, wording.level(row.level, unit, sheet.language), row.level, target)
    if target is not None:
        ends = [y - 17, y + 12]
        panel.axes.plot([target] * 2, ends, color=theme.TARGET, lw=1.6, ls=SHORT_DASHES, clip_on=False)
        below.append((panel.x(target), sheet.target(panel, target), theme.INK))
    sheet.labels(panel, panel.top + y + 24, below, out=8)
    if row.target_status is not None:
        keys = {
            "reached": "level_reached",
            "cannot_tell": "level_unknown" if row.level_low is None else "level_line",
            "not_reached": f"level_short_{row.better}",
        }
        _verdict(sheet, panel, y, row.target_status, keys[row.target_status])


def _beside(sheet: Sheet, panel: Panel, y: float, words: str, value: float, line: float | None) -> None:
    """Write a value over its bar, moved to that side of a vertical line on which it lies."""
    half, at = text_width(words, theme.LABEL) / 2, panel.x(value)
    if line is not None and abs(at - (mark := panel.x(line))) < half + 5:
        right = (at > mark or mark - 2 * half - 5 < panel.left) and mark + 2 * half + 5 < panel.right + 8
        at = mark + half + 5 if right else mark - half - 5
    sheet.text(at, panel.top + y - 10, words, "value", align="center", over=True)


def _verdict(sheet: Sheet, panel: Panel, y: float, status: str, key: str) -> None:
    words, middle = sheet.words(key), panel.top + y
    sheet.icon(status, panel.right + 20, middle)
    sheet.text(panel.right + 33, middle + 4 - words.count("\n") * theme.pitch(theme.SMALL) / 2, words, "mark")


@theme.drawn
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

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    groups = _groups(result.teams.loc[result.teams["metric"] == metric], row.better)
    units = pd.concat([units for _, _, units in groups])
    axis = scale([*units["before"], *units["during"], row.target], row.unit, count=6)
    top, steps = 38.0, [34.0 + _UNIT * len(units) for _, _, units in groups]
    sheet = Sheet(top + sum(steps) + 48, language)
    names = [(arm, wording.group_name(name, language)) for name, arm, _ in groups]
    headings = [sheet.words(f"group_{arm}", group=name) for arm, name in names]
    left = max(theme.column(headings), theme.column(units["unit"], theme.TICK))
    panel = sheet.value_rows(left, top, sheet.width - 90 - left, sum(steps), axis)
    if row.target is not None:
        dashed(panel, row.target, upright=True, zorder=1)
        sheet.labels(panel, top - 7, [(panel.x(row.target), sheet.target(panel, row.target), theme.INK)])
    sheet.text(sheet.width, top - 26, sheet.by_unit("change", axis.unit), "small", align="right")
    first = groups[0][2].iloc[0]
    if not wording.missing(first["change"]):
        ends = [(panel.x(first[end]), sheet.words(end), theme.PILOT) for end in ("before", "during")]
        sheet.labels(panel, panel.top + 24, ends)
    y = 0.0
    for heading, step, (_, arm, frame) in zip(headings, steps, groups, strict=True):
        _dumbbells(sheet, panel, y, heading, arm, frame)
        y += step
    key = "axis" if row.basis == "crude" else "teams_standardised"
    words = sheet.by_unit(key, axis.unit, metric=sheet.metric(row))
    sheet.axis_words(panel, "x", words)
    return sheet.figure


def _groups(teams: pd.DataFrame, better: str) -> list[tuple[str, str, pd.DataFrame]]:
    """Group, arm and units: pilot groups first, units with the largest improvement first."""
    found = []
    for (arm, group), units in teams.groupby(["arm", "group"], sort=True):
        ranked = units.sort_values(["change", "unit"], ascending=[better == "lower", True])
        found.append((str(group), str(arm), ranked))
    return sorted(found, key=lambda item: (item[1] != "pilot", item[0]))


def _dumbbells(sheet: Sheet, panel: Panel, y: float, heading: str, arm: str, frame: pd.DataFrame) -> None:
    (mark, ink), unit = theme.ARMS[arm], panel.scale.unit
    base = panel.top + y + 20
    sheet.text(0, base, fit(heading, panel.left - 16), color=ink, strong=True)
    mean = sheet.words("mean", value=wording.number(frame["change"].mean(), unit, sign=True))
    sheet.text(sheet.width, base, mean, "name", color=ink, align="right", strong=True)
    for i, row in enumerate(frame.to_dict("records")):
        at = y + 28 + (i + 0.5) * _UNIT
        base = panel.top + at + 4
        sheet.text(0, base, fit(str(row["unit"]), panel.left - 16, theme.TICK), "name")
        change = wording.number(row["change"], unit, sign=True)
        sheet.text(sheet.width, base, change, "name", color=ink, align="right")
        known = [end for end in ("before", "during") if not wording.missing(row[end])]
        if not known:
            sheet.text(panel.left + 6, base, sheet.words("no_data"), "small", over=True)
        ends = [row[end] for end in known]
        panel.axes.plot(ends, [at] * len(ends), color=mark, lw=theme.MAIN_LINE, zorder=2, clip_on=False)
        for end in known:
            dot(panel, row[end], at, mark, hollow=end == "before")


@theme.drawn
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

    Raises
    ------
    ValueError
        If the result has no such metric.
    """
    row = theme.row_of(result.metrics, metric)
    weekly = result.weekly.loc[(result.weekly["metric"] == metric) & result.weekly["value"].notna()]
    decided = weekly["denominator"] >= DECIDED_SHARE * (weekly["denominator"] + weekly["undecided"])
    drawn = weekly.loc[decided].sort_values("week")
    drawn = drawn.assign(day=[pd.Timestamp(week).toordinal() + 3.5 for week in drawn["week"]])
    axis = scale([*drawn["value"], row.target], row.unit)
    sheet = Sheet(28 + 256 + 48 + (0 if decided.all() else 20), language)
    titles = {arm: arm_name(sheet, result, arm) for arm in ("control", "pilot")}
    last_week = sheet.words("last_week", value=wording.level(1.0, axis.unit, language))
    side = max(
        text_width(last_week, theme.SMALL), *(text_width(title, theme.HEADING) for title in titles.values())
    )
    days = (_monday(result.plan.before[0]), _monday(result.plan.during[1]) + 7)
    panel = sheet.value_weeks(0, 28, sheet.width - side - 22, 256, axis, days)
    windows(sheet, panel, result)
    _arms(sheet, panel, drawn, titles)
    _notes(sheet, panel, drawn, row.target)
    sheet.mondays(panel, *days, 3.5)
    sheet.axis_label(panel, "y", "week_axis")
    omitted(sheet, panel, decided, "weeks")
    return sheet.figure


def omitted(sheet: Sheet, panel: Panel, decided: pd.Series[bool], what: Literal["days", "weeks"]) -> None:
    """Say under a figure that undecided days or weeks are left out, if some are."""
    if not decided.all():
        share = wording.target_level(DECIDED_SHARE, "share", sheet.language)
        sheet.text(panel.left, panel.bottom + 58, sheet.words(f"{what}_omitted", share=share), "small")


def arm_name(sheet: Sheet, result: PilotResult, arm: str) -> str:
    """Return the name of an arm: that of its group if it has only one."""
    groups = result.plan.pilot if arm == "pilot" else result.plan.control
    if len(groups) > 1:
        return sheet.words(f"arm_{arm}")
    name = wording.group_name(groups[0], sheet.language)
    return fit(sheet.words(f"group_{arm}", group=name), 200, theme.HEADING)


def _monday(day: date) -> float:
    return float(day.toordinal() - day.weekday())


def windows(sheet: Sheet, panel: Panel, result: PilotResult, *, named: bool = True) -> None:
    """Shade the pilot weeks and write both periods over the panel."""
    entries = []
    for key, color in (("before", theme.MUTED_TEXT), ("during", theme.PILOT)):
        first, last = getattr(result.plan, key)
        start, end = first.toordinal(), last.toordinal() + 1
        if key == "during":
            panel.axes.axvspan(start, end, color=theme.PILOT_TINT, lw=0, zorder=-1)
        name = "window_before" if key == "before" else "window_pilot"
        words = sheet.words(name, period=wording.period_text(first, last, sheet.language))
        entries.append((panel.x((start + end) / 2), words, color))
    if named:
        sheet.labels(panel, panel.top - 12, entries, out=sheet.width - panel.right)


def _arms(sheet: Sheet, panel: Panel, drawn: pd.DataFrame, titles: dict[str, str]) -> None:
    """Draw control groups thin, the pooled arms over them, and name these at their ends."""
    pooled = drawn["group"] == ""
    groups = drawn.loc[~pooled & (drawn["arm"] == "control")]
    if len(groups["group"].unique()) > 1:
        weekly_lines(panel, groups, theme.MUTED, theme.CONTEXT_LINE, 1)
    ends = []
    for arm, (color, ink) in theme.ARMS.items():
        weeks = drawn.loc[pooled & (drawn["arm"] == arm)]
        weekly_lines(panel, weeks, color, theme.MAIN_LINE, 3)
        for week in weeks.to_dict("records"):
            dot(panel, week["day"], week["value"], color, hollow=arm == "control", zorder=4)
        ends += [(week, titles[arm], ink) for week in weeks["value"].tail(1)]
    bases = panel.apart([panel.y(value) for value, _, _ in ends], 39, 6.5)
    for base, (value, title, ink) in zip(bases, ends, strict=True):
        sheet.text(panel.right + 14, base, title, "heading", color=ink, strong=True)
        words = sheet.words("last_week", value=wording.level(value, panel.scale.unit, sheet.language))
        sheet.text(panel.right + 14, base + 16, words, "small")


def _notes(sheet: Sheet, panel: Panel, drawn: pd.DataFrame, target: float | None) -> None:
    """Draw the target and write what line and thin lines are, where they cover least."""
    lines = drawn.assign(group=drawn["arm"] + "/" + drawn["group"])
    sheet.noted_target(panel, target, lines)
    bases = [panel.bottom - 10, panel.top + 18, panel.bottom - 30, panel.top + 36]
    thin = len(drawn.loc[(drawn["arm"] == "control") & (drawn["group"] != ""), "group"].unique())
    if thin > 1:
        sheet.note(panel, sheet.words("thin_lines", count=str(thin)), bases, lines, "small")
    if drawn.empty:
        sheet.note(panel, sheet.words("no_data"), bases, lines, "small")
