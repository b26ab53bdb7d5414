"""Blocks of the regular reports: alerts, indicators of the period, what changed, problems, comparison."""

from __future__ import annotations

from typing import Any

import pandas as pd

from csimprove import wording
from csimprove.baseline import Indicator
from csimprove.monitoring import Check, MonitoringResult, outside, verdict
from csimprove.report.blocks import Block, Cell, heads, noted, phrased, stacked, state, target_state
from csimprove.report.headers import period_facts, top
from csimprove.report.tables import owner_and_date
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
    if result.windows[result.metric].provisional:
        words["period"] = text("fact.provisional", language, period=words["period"])
    return top(result.period, period_facts(words), wording.monitoring_headline(result, language), language)


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
    rows = [_check_row(one, language) for one in result.checks]
    words = {"alerts": alerts, "n": count(len(rows))}
    return phrased("alerts", heads(keys, language), rows, language, words, kind="eval wide", numeric=(2, 3))


def _check_row(check: Check, language: Language) -> list[Cell | str]:
    words, shown = wording.spoken_check(check, language), check.indicator.statistically_below
    name, key = ("bad" if shown else "alert", "fires") if check.fires else ("good", "quiet")
    if check.indicator.value is None:
        name, key = "", "none"
    evidence = text("evidence.yes" if shown else "evidence.no", language)
    return [
        noted(words["what"], words["group"]),
        noted(words["days"], words["lag"]),
        noted(words["value"], text("chart.tickets", language, count=words["n"])),
        words["threshold"],
        state(name, text(f"alert.{key}", language)),
        evidence if check.fires else wording.NO_NUMBER,
        noted(words["to"], check.id) if check.fires else wording.NO_NUMBER,
    ]


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
    keys = ["metric", "value", "interval", "before", "target", "decided", "undecided", "state"]
    before = {one.metric: one for one in result.before}
    same = len({(one.first, one.last) for one in result.windows.values()}) == 1
    rows: list[list[Cell | str]] = []
    for one in result.indicators:
        words, window = wording.spoken_indicator(one, language), result.windows[one.metric]
        words["before"] = level(before[one.metric].value, one.unit, language)
        flags = ["thin"] * one.thin + ["provisional"] * window.provisional
        standing = target_state(one.on_target, language, *flags)
        days = [] if same else [wording.period_text(window.first, window.last, language)]
        value = noted(words["value"], strong=True)
        rows.append([words["label"], *days, value, *(words[key] for key in keys[2:-1]), standing])
    if not same:
        keys.insert(1, "days")
    spoken = wording.spoken_monitoring(result, language)
    numeric = range(len(keys) - 7, len(keys) - 1)
    return phrased(
        "standing", heads(keys, language), rows, language, spoken, kind="eval wide", numeric=numeric
    )


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
    rows = [_change_row(one, result.variants[one.metric], language) for one in result.kpis]
    return phrased("changes", heads(keys, language), rows, language, kind="eval wide")


def _change_row(of: ControlChart, variant: str, language: Language) -> list[Cell | str]:
    course, phase, last = verdict(of), of.phases[-1], of.points.iloc[-1]
    ends = {key: level(last[key], of.unit, language) for key in ("center", "lcl", "ucl")}
    signal = text("signal.none", language)
    if of.signals:
        latest = of.signals[-1]
        day = wording.date_text(of.points["period"].iloc[latest.last], language)
        signal = text("signal.text", language, rule=wording.rule_text(latest.rule, language), date=day)
    aim = wording.assurance_text(of.assurance, language)
    return [
        wording.metric_name(of.metric, language, variant=variant),
        state(_COURSES.get(course, ""), wording.course_text(course, language)),
        noted(wording.date_text(phase.start, language), wording.phase_name(phase.name, language)),
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
                *owner_and_date(one, language),
            ]
        )
    keys = ("metric", "gap", "gap_tickets", "worse_since", "where", "owner", "due")
    title = text(f"title.problems.{result.period}" if rows else "title.problems.none", language)
    words = wording.spoken_monitoring(result, language)
    return phrased(
        "problems", heads(keys, language), rows, language, words, title=title, kind="eval", numeric=(1, 2)
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
    cuts = result.comparison.groupby("cut", sort=False)
    return stacked(*(_compared(result, one, str(cut), rows, language) for cut, rows in cuts))


def _compared(
    result: MonitoringResult, one: Indicator, cut: str, rows: pd.DataFrame, language: Language
) -> Block:
    of = next((of for of in result.funnels if of.group == cut), None)
    words = {**wording.spoken_indicator(one, language), **wording.spoken_monitoring(result, language)}
    name = wording.column_name(cut, language)
    apart = {side: set(outside(of, bad=side == "bad")) for side in ("good", "bad")} if of is not None else {}
    shown: list[list[Cell | str]] = []
    for row in rows.to_dict("records"):
        others: Cell | str = wording.NO_NUMBER
        if of is not None and row["group"]:
            side = next((side for side, groups in apart.items() if row["group"] in groups), "")
            others = state(side, text(f"others.{side or 'inside'}", language))
        shown.append(
            [
                wording.group_name(row["group"], language),
                level(row["value"], one.unit, language),
                interval(row["ci_low"], row["ci_high"], one.unit, language),
                count(row["denominator"]),
                _against(row, one, language),
                others,
            ]
        )
    key = "title.comparison" if one.target is not None else "title.comparison.none"
    title = wording.capital(text(key, language, **{**words, "cut": name}))
    head = [wording.capital(name), *heads(("value", "interval", "decided", "standard", "others"), language)]
    return phrased(
        "comparison", head, shown, language, words, title=title, kind="eval", numeric=range(1, 4), sub=True
    )


def _against(row: dict[Any, Any], one: Indicator, language: Language) -> Cell:
    """Where the interval of a group lies against the standard."""
    if one.target is None or pd.isna(row["ci_low"]):
        return target_state(None, language)
    sign = 1 if one.better == "higher" else -1
    worst, best = sorted((sign * row["ci_low"], sign * row["ci_high"]))
    target = sign * one.target
    key = "reached" if worst >= target else "not_reached" if best < target else "cannot_tell"
    return target_state(key, language)
