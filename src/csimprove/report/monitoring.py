"""Blocks of the regular reports: alerts, indicators of the period, what changed, problems, comparison."""

from __future__ import annotations

from typing import Any

import pandas as pd

from csimprove import wording
from csimprove.baseline import Indicator
from csimprove.monitoring import Check, MonitoringResult, outside, verdict
from csimprove.report.blocks import Block, Cell, cell, escaped, stacked, state, table
from csimprove.report.headers import top
from csimprove.settings import Language
from csimprove.spc import ControlChart
from csimprove.wording import count, interval, level, text

_COURSES = {"improvement": "good", "concern": "bad", "special_cause": "alert"}
_ASSURANCES = {"always_met": "good", "never_met": "bad", "hit_and_miss": "open"}


def monitoring_masthead(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return kicker, facts and the finding of a regular report.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    words = wording.spoken_monitoring(result, language)
    facts = [(text(f"fact.{key}", language), words[key]) for key in ("period", "tickets", "as_of", "source")]
    if result.windows[result.metric].provisional:
        label, said = facts[0]
        facts[0] = (label, text("fact.provisional", language, period=said))
    return top(
        text(f"kicker.{result.period}", language), facts, wording.monitoring_headline(result, language)
    )


def alerts_table(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return every alert rule with its two flags, events first.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a rule and group.
    """
    alerts = wording.capital(wording.alerts_text(len(result.alerts), language))
    keys = ("metric", "days", "value", "threshold", "state", "evidence", "to")
    return table(
        title=text("title.alerts", language, alerts=alerts, n=count(len(result.checks))),
        head=[text(f"head.{key}", language) for key in keys],
        rows=[_check_row(one, language) for one in result.checks],
        language=language,
        caption=text("caption.alerts", language),
        kind="eval wide",
        numeric=(2, 3),
    )


def _check_row(check: Check, language: Language) -> list[Cell | str]:
    words, one = wording.spoken_check(check, language), check.indicator
    n = text("chart.tickets", language, count=words["n"])
    if one.value is None:
        flag: Cell = cell(text("alert.none", language), "verd")
    elif check.fires:
        flag = state("bad" if one.statistically_below else "alert", text("alert.fires", language))
    else:
        flag = state("good", text("alert.quiet", language))
    evidence = text("evidence.yes" if one.statistically_below else "evidence.no", language)
    return [
        _noted(words["what"], words["group"]),
        _noted(words["days"], words["lag"]),
        _noted(words["value"], n),
        words["threshold"],
        flag,
        evidence if check.fires else wording.NO_NUMBER,
        _noted(words["to"], check.id) if check.fires else wording.NO_NUMBER,
    ]


def _noted(words: str, note: str) -> Cell:
    """Return words with smaller ones below."""
    return Cell(f"{escaped(words)}<small>{escaped(note)}</small>", f"{words} ({note})")


def standing_table(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return every indicator of the period against its target, and the period before as the data say now.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row an indicator, with its days where they differ from the period's.
    """
    keys = ("metric", "days", "value", "interval", "before", "target", "decided", "undecided", "state")
    before = {one.metric: one for one in result.before}
    same = len({(one.first, one.last) for one in result.windows.values()}) == 1
    shown = [at for at, key in enumerate(keys) if key != "days" or not same]
    rows: list[list[Cell | str]] = []
    for one in result.indicators:
        words, window = wording.spoken_indicator(one, language), result.windows[one.metric]
        value = Cell(f"<b>{escaped(words['value'])}</b>", words["value"])
        days = wording.period_text(window.first, window.last, language)
        earlier = level(before[one.metric].value, one.unit, language)
        numbers = [words["interval"], earlier, words["target"], words["decided"], words["undecided"]]
        cells: list[Cell | str] = [
            words["label"],
            days,
            value,
            *numbers,
            _standing(one, window.provisional, language),
        ]
        rows.append([cells[at] for at in shown])
    words = wording.spoken_monitoring(result, language)
    return table(
        title=text("title.standing", language, **words),
        head=[text(f"head.{keys[at]}", language) for at in shown],
        rows=rows,
        language=language,
        caption=text("caption.standing", language, **words),
        kind="eval wide",
        numeric=range(len(shown) - 7, len(shown) - 1),
    )


def _standing(one: Indicator, provisional: bool, language: Language) -> Cell:
    key = one.on_target or "none"
    words = [text(f"state.{key}", language)]
    words += [text("state.thin", language)] * one.thin + [text("state.provisional", language)] * provisional
    said = {"en": ", ", "zh": "，"}[language].join(words)
    name = {"reached": "good", "not_reached": "bad", "cannot_tell": "open"}.get(key)
    return state(name, said) if name else cell(said, "verd")


def changes_table(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return what each indicator's control chart says: course, since when, limits, latest signal, target.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row an indicator.
    """
    keys = ("metric", "course", "since", "limits", "latest_signal", "assurance")
    return table(
        title=text("title.changes", language),
        head=[text(f"head.{key}", language) for key in keys],
        rows=[_change_row(one, result.variants[one.metric], language) for one in result.kpis],
        language=language,
        caption=text("caption.changes", language),
        kind="eval wide",
    )


def _change_row(of: ControlChart, variant: str, language: Language) -> list[Cell | str]:
    course, phase, last = verdict(of), of.phases[-1], of.points.iloc[-1]
    said = wording.course_text(course, language)
    since = wording.date_text(phase.start, language)
    name = wording.phase_name(phase.name, language)
    ends = {key: level(last[key], of.unit, language) for key in ("center", "lcl", "ucl")}
    aim = wording.assurance_text(of.assurance, language)
    latest = of.signals[-1] if of.signals else None
    signal = text("signal.none", language)
    if latest is not None:
        day = wording.date_text(of.points["period"].iloc[latest.last], language)
        signal = text("signal.text", language, rule=wording.rule_text(latest.rule, language), date=day)
    return [
        wording.metric_name(of.metric, language, variant=variant),
        state(_COURSES[course], said) if course in _COURSES else cell(said, "verd"),
        _noted(since, name),
        text("limits.text", language, **ends),
        signal,
        state(_ASSURANCES[of.assurance], aim) if of.assurance else text("state.none", language),
    ]


def problems_table(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return what needs attention: gap, tickets, since when, where, who.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a problem, most tickets first; in a quarterly report it is the next quarter's focus.
    """
    unset = text("goal.none", language)
    about = {one.metric: one for one in result.indicators}
    rows: list[list[Cell | str]] = []
    for one in result.problems:
        of = about[one.metric]
        gap = None if one.gap is None else one.gap if of.better == "higher" else -one.gap
        rows.append(
            [
                wording.indicator_name(of, language),
                wording.change(gap, of.unit, language),
                count(one.tickets_per_week),
                wording.date_text(one.since, language) if one.since else wording.NO_NUMBER,
                wording.joined(one.where, language) or text("where.none", language),
                one.owner or unset,
                wording.date_text(one.due, language) if one.due else unset,
            ]
        )
    keys = ("metric", "gap", "gap_tickets", "worse_since", "where", "owner", "due")
    title = f"title.problems.{result.period}" if rows else "title.problems.none"
    return table(
        title=text(title, language),
        head=[text(f"head.{key}", language) for key in keys],
        rows=rows,
        language=language,
        caption=text("caption.problems", language, **wording.spoken_monitoring(result, language)),
        kind="eval",
        numeric=(1, 2),
    )


def comparison_table(result: MonitoringResult, *, language: Language = "en") -> Block:
    """Return the chosen metric for the groups of every cut, against the standard and among one another.

    Parameters
    ----------
    result
        A regular report.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One table a cut; groups in the order of their names.
    """
    one = next(one for one in result.indicators if one.metric == result.metric)
    funnels = {of.group: of for of in result.funnels}
    blocks = [
        _compared(result, one, str(cut), rows, funnels.get(str(cut)), language)
        for cut, rows in result.comparison.groupby("cut", sort=False)
    ]
    return stacked(*blocks)


def _compared(
    result: MonitoringResult,
    one: Indicator,
    cut: str,
    rows: pd.DataFrame,
    of: ControlChart | None,
    language: Language,
) -> Block:
    apart = {} if of is None else {side: outside(of, bad=side == "bad") for side in ("good", "bad")}
    words = {**wording.spoken_indicator(one, language), **wording.spoken_monitoring(result, language)}
    name = wording.column_name(cut, language)
    shown: list[list[Cell | str]] = []
    for row in rows.to_dict("records"):
        value = level(row["value"], one.unit, language)
        numbers = [interval(row["ci_low"], row["ci_high"], one.unit, language), count(row["denominator"])]
        others: Cell | str = wording.NO_NUMBER
        if of is not None and row["group"]:
            side = next((side for side, groups in apart.items() if row["group"] in groups), "inside")
            said = text(f"others.{side}", language)
            others = cell(said, "verd") if side == "inside" else state(side, said)
        group = wording.group_name(row["group"], language)
        shown.append([group, value, *numbers, _against(row, one, language), others])
    key = "title.comparison" + ("" if one.target is not None else ".none")
    keys = ("value", "interval", "decided", "standard", "others")
    return table(
        title=wording.capital(text(key, language, **{**words, "cut": name})),
        head=[wording.capital(name), *(text(f"head.{key}", language) for key in keys)],
        rows=shown,
        language=language,
        caption=text("caption.comparison", language, **words),
        kind="eval",
        numeric=range(1, 4),
        sub=True,
    )


def _against(row: dict[Any, Any], one: Indicator, language: Language) -> Cell:
    """Where the interval of a group lies against the standard."""
    if one.target is None or pd.isna(row["ci_low"]):
        return cell(text("state.none", language), "verd")
    sign = 1 if one.better == "higher" else -1
    worst, best = sorted((sign * row["ci_low"], sign * row["ci_high"]))
    target = sign * one.target
    key = "reached" if worst >= target else "not_reached" if best < target else "cannot_tell"
    name = {"reached": "good", "not_reached": "bad", "cannot_tell": "open"}[key]
    return state(name, text(f"state.{key}", language))
