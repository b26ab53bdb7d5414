"""The tables of the reports; every subtraction and every sum can be followed."""

from __future__ import annotations

import math
import textwrap
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from csimprove import wording
from csimprove.baseline import MOST_GROUPS, BaselineResult, Goal, Indicator
from csimprove.monitoring import Problem
from csimprove.pilot import Cell as PilotCell
from csimprove.pilot import PilotMetric, PilotResult
from csimprove.report.blocks import (
    Block,
    Cell,
    cell,
    escaped,
    heads,
    listing,
    named,
    noted,
    paragraph,
    phrased,
    stacked,
    state,
    table,
    target_state,
)
from csimprove.report.headers import HASH_SHOWN
from csimprove.settings import Language, NextStep
from csimprove.tickets import ColumnNote, Reading
from csimprove.wording import count, interval, level, percent, text

#: Values that could not be read are shown by way of example; the rest are counted.
_EXAMPLES = 10
#: Indicators beside one another.
MOST_COLUMNS = 8
#: Texts of columns that are listed.
_NOTES = 15
#: Flag = what is done about it.
_DONE = {
    **dict.fromkeys(("answered_before_opened", "resolved_before_opened"), "clock"),
    **dict.fromkeys(("resolved_before_answered", "closed_before_resolved"), "order"),
    **dict.fromkeys(("ambiguous_local_time", "missing_local_time", "swapped_day_month"), "moved"),
    **dict.fromkeys(("reversed_pause", "pause_without_ticket", "rejected_pause"), "left"),
    **dict.fromkeys(("opened_twice", "opened_in_bulk", "resolved_in_bulk", "dominant_customer"), "kept"),
    "not_inbound": "kept",
    "rating_scale_changed": "rating",
}
#: Characters of a reason that are enough to see what is wrong.
_REASON = 100


def indicators_table(result: BaselineResult, *, language: Language = "en") -> Block:
    """Return every indicator with interval, target, decided and undecided tickets.

    Parameters
    ----------
    result
        A baseline.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row an indicator.
    """
    keys = ("metric", "value", "interval", "target", "decided", "undecided", "left_out", "state")
    rows: list[list[Cell | str]] = []
    for one in result.indicators:
        words = wording.spoken_indicator(one, language)
        numbers = [words[key] for key in keys[2:-1]]
        value = noted(words["value"], strong=True)
        rows.append([words["label"], value, *numbers, _indicator_state(one, language)])
    caption = text("caption.indicators", language, **wording.spoken_baseline(result, language))
    if result.unavailable:
        names = wording.joined(
            [wording.metric_name(name, language, inline=True) for name in result.unavailable], language
        )
        caption += {"en": " ", "zh": ""}[language] + text("caption.unavailable", language, names=names)
    head = heads(keys, language)
    return phrased("indicators", head, rows, language, caption=caption, kind="eval wide", numeric=range(1, 7))


def _indicator_state(one: Indicator, language: Language) -> Cell:
    """Say the target first; then, if it is so, the alert line and few answers."""
    shown = one.statistically_below
    below = ["below_shown" if shown else "below"] if one.below_threshold else []
    name = ("bad" if shown else "alert") if below else ""
    return target_state(one.on_target, language, *below, *["thin"] * one.thin, name=name)


def cuts_table(result: BaselineResult, cut: str, *, language: Language = "en") -> Block:
    """Return every indicator for every group of one cut.

    Parameters
    ----------
    result
        A baseline.
    cut
        One of its cuts, such as ``"region"``.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a group, at most twelve, those with most tickets; one column an indicator: value, interval,
        decided tickets. More than `MOST_COLUMNS` stand in tables below one another: paper is narrow.
    """
    cells = result.cuts[result.cuts["cut"] == cut]
    shown = [one for one in result.indicators if one.metric in set(cells["metric"])]
    found = {(row.group, row.metric): row for row in cells.itertuples(index=False)}
    tickets = cells.assign(all=cells["denominator"] + cells["undecided"]).groupby("group")["all"].max()
    listed = set(tickets.sort_values(ascending=False, kind="stable").index[:MOST_GROUPS])
    groups = [group for group in dict.fromkeys(cells["group"]) if group in listed]
    words = {**wording.spoken_baseline(result, language), "cut": wording.column_name(cut, language)}
    caption = text("caption.cuts", language, **words)
    if rest := len(tickets) - len(listed):
        caption += {"en": " ", "zh": ""}[language] + text("caption.cuts.rest", language, n=count(rest))
    parts = np.array_split(np.arange(len(shown)), max(1, math.ceil(len(shown) / MOST_COLUMNS)))
    blocks: list[Block] = []
    for part in parts:
        of = [shown[at] for at in part]
        names = [wording.indicator_name(one, language) for one in of]
        ends = {"first": names[0], "last": names[-1]} if names else {}
        title = text("title.cuts.more" if blocks else "title.cuts", language, **words, **ends)
        rows = [
            [
                wording.group_name(group, language),
                *(_cut_cell(found.get((group, one.metric)), one, language) for one in of),
            ]
            for group in groups
        ]
        blocks.append(
            table(
                title=wording.capital(title),
                head=[wording.capital(words["cut"]), *names],
                rows=rows,
                language=language,
                caption=caption if part is parts[-1] else "",
                kind="cuts",
                numeric=range(1, len(names) + 1),
                sub=bool(blocks),
            )
        )
    return stacked(*blocks)


def _cut_cell(row: Any | None, one: Indicator, language: Language) -> Cell | str:
    if row is None or not row.denominator:
        return wording.NO_NUMBER
    span = interval(row.ci_low, row.ci_high, one.unit, language)
    n = text("chart.tickets", language, count=count(row.denominator))
    return noted(level(row.value, one.unit, language), span, n, strong=True)


def goals_table(result: BaselineResult, *, language: Language = "en") -> Block:
    """Return the gap of every indicator to its target, with owner and date.

    Parameters
    ----------
    result
        A baseline.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a goal whose target is not passed yet.
    """
    about = {one.metric: one for one in result.indicators}
    rows: list[list[Cell | str]] = []
    for goal in (goal for goal in result.goals if goal.gap > 0):
        one = about[goal.metric]
        gap = goal.gap if one.better == "higher" else -goal.gap
        rows.append(
            [
                wording.indicator_name(one, language),
                level(goal.value, one.unit, language),
                wording.target_level(goal.target, one.unit, language),
                noted(wording.change(gap, one.unit, language), strong=True),
                count(goal.tickets_per_week),
                *owner_and_date(goal, language),
                _goal_state(goal, language),
            ]
        )
    if not rows:
        return paragraph(text("title.goals.none", language))
    keys = ("metric", "value", "target", "gap", "gap_tickets", "owner", "due", "state")
    complete = sum(bool(goal.owner and goal.due) for goal in result.goals if goal.gap > 0)
    words = wording.spoken_baseline(result, language)
    title = text("title.goals.some" if complete else "title.goals.unowned", language, k=complete, n=len(rows))
    return phrased(
        "goals", heads(keys, language), rows, language, words, title=title, kind="eval", numeric=range(1, 5)
    )


def _goal_state(goal: Goal, language: Language) -> Cell:
    """Say whether a gap is a goal: without an owner or a date it is none yet."""
    name, key = ("good", "complete") if goal.owner and goal.due else ("open", "incomplete")
    return state(name, text(f"goal.{key}", language))


def owner_and_date(of: Goal | Problem | NextStep, language: Language) -> list[str]:
    """Return who sees to something and until when, or that nobody said so."""
    unset = text("goal.none", language)
    return [of.owner or unset, wording.date_text(of.due, language) if of.due else unset]


def quality_table(reading: Reading, *, language: Language = "en") -> Block:
    """Return what was read and what became of it, down to single values.

    Parameters
    ----------
    reading
        The account of the reading that every result carries.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        Rows read minus rejected minus left out = used; suspicious values; how complete the columns are;
        examples of what could not be read, masked.
    """
    zone = ZoneInfo(reading.zone)
    first, last = (moment.astimezone(zone) for moment in (reading.first_opened, reading.last_opened))
    words = {
        "used": count(reading.used),
        "rows": count(reading.rows),
        "source": reading.source,
        "encoding": reading.encoding,
        "sha": reading.sha256[:HASH_SHOWN],
        "zone": reading.zone,
        "period": wording.period_text(first, last, language),
        "n": count(reading.reject_count),
    }
    account = [("rows", reading.rows, ""), ("rejected", -reading.rejected_rows, "")]
    account += [
        ("excluded", -n, wording.known(f"rule.{name}", name, language))
        for name, n in reading.excluded.items()
    ]
    account += [("used", reading.used, "")]
    rows = [[text(f"quality.{key}", language, rule=rule), count(n)] for key, n, rule in account]
    kinds = ["", *["sub"] * (len(rows) - 2), "sum"]
    blocks = [
        phrased(
            "quality",
            heads(("rows", "tickets"), language),
            rows,
            language,
            words,
            kind="left",
            kinds=kinds,
            numeric=[1],
        )
    ]
    look: dict[str, Any] = {"caption": "", "kind": "left", "sub": True}
    if reading.flags:
        rows = [
            [
                wording.known(f"flag.{name}", name, language),
                count(n),
                text(f"does.{_DONE.get(name, 'none')}", language),
            ]
            for name, n in reading.flags.items()
        ]
        head = heads(("flag", "number", "does"), language)
        blocks.append(phrased("flags", head, rows, language, numeric=[1], **look))
    if reading.notes:
        rows = [_column_note(one, language) for one in reading.notes[:_NOTES]]
        head = heads(("column", "in_file", "taken_as", "values"), language)
        blocks.append(phrased("column_notes", head, rows, language, numeric=[3], **look))
    derived = text("cell.derived", language)
    rows = [
        [wording.column_name(name, language), reading.headings.get(name, derived), percent(share)]
        for name, share in reading.filled.items()
    ]
    head = heads(("column", "heading", "filled"), language)
    blocks.append(phrased("filled", head, rows, language, numeric=[2], **look))
    if reading.rejects:
        keys = ("row", "column", "shown_value", "reason")
        rows = []
        for one in reading.rejects[:_EXAMPLES]:
            reason = textwrap.shorten(wording.reject_text(one.reason, language), _REASON, placeholder=" …")
            rows.append([str(one.row or wording.NO_NUMBER), one.column, one.value, reason])
        blocks.append(phrased("rejects", heads(keys, language), rows, language, caption="", sub=True))
    made = stacked(*blocks)  # in documents, of the appendix
    return Block(f'<div class="appendix">{made.html}</div>', made.plain)


def _column_note(one: ColumnNote, language: Language) -> list[str]:
    """Say what texts of a column were taken for."""
    said, meant = one.text, one.value
    if one.code != "renamed":
        meant = text(f"note.{one.code}", language)
    if one.code in ("day_first", "month_first"):
        said = text(f"note.shape.{one.code}", language)
    if one.code == "not_read":
        said = text(f"note.not_read.{one.text}", language)
    return [wording.column_name(one.column, language), said, meant, count(one.n)]


def evaluation_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return every metric of the plan: both arms, effect, what was asked, target, verdict.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a metric, co-primaries first.
    """
    first = result.metrics[0]
    words = {**wording.spoken_pilot(result, language), **wording.spoken_metric(first, language)}
    for side in ("pilot_before", "pilot_during", "control_before", "control_during"):
        words[f"n_{side}"] = count(getattr(first, side).denominator)
    keys = "measure pilot/before_during controls/before_during effect/ asked/ target/ verdict"
    rows = [_evaluation_row(metric, language) for metric in result.metrics]
    title = wording.evaluation_title(result, language)
    caption = text("caption.evaluation", language, **words) + repeated(result, language)
    head = heads(keys.split(), language)
    return phrased("evaluation", head, rows, language, title=title, caption=caption, kind="eval")


def effect_cell(
    value: float | None, low: float | None, high: float | None, unit: str, language: Language
) -> Cell | str:
    """Return an effect with its interval below, if it has one."""
    said, span = wording.change(value, unit, language), interval(low, high, unit, language)
    return said if span == wording.NO_NUMBER else noted(said, span, strong=True)


def repeated(result: PilotResult, language: Language) -> str:
    """Return what is to be said when intervals hold over several looks."""
    if all(metric.confidence == _LEVEL for metric in result.metrics):
        return ""
    return {"en": " ", "zh": ""}[language] + text("caption.repeated", language)


#: Confidence of intervals with one planned look.
_LEVEL = 0.95


def _evaluation_row(metric: PilotMetric, language: Language) -> list[Cell | str]:
    words, role = wording.spoken_metric(metric, language), text(f"role.{metric.role}", language)
    effect = words["change"]
    if metric.unit in ("share", "nps", "index"):  # the head of the column says points
        effect = wording.number(metric.effect, metric.unit, sign=True)
    good = {**dict.fromkeys(wording.GOOD, "good"), **dict.fromkeys(wording.BAD, "bad")}
    return [
        named(words["label"], role),
        _before_during(metric, "pilot", language),
        _before_during(metric, "control", language),
        Cell(
            f"<b>{escaped(effect)}</b><span>{escaped(words['interval'])}</span>",
            f"{effect} ({words['interval']})",
            "e nb",
        ),
        cell(words["asked"], "ask"),
        wording.target_text(metric, language),
        state(good.get(metric.status, "open"), text(f"status.{metric.status}", language)),
    ]


def _before_during(metric: PilotMetric, arm: str, language: Language) -> Cell:
    words, before = wording.spoken_metric(metric, language), getattr(metric, f"{arm}_before").value
    first, last = words[f"{arm}_before"], words[f"{arm}_during"]
    if metric.unit != "share":  # the unit once
        first = wording.number(before, metric.unit)
    shown = f"<b>{escaped(last)}</b>" if arm == "pilot" else escaped(last)
    html = f'{escaped(first)}<span class="arrow"> → </span>{shown}'
    return Cell(html, f"{first} → {last}", "p nb" if arm == "pilot" else "nb")


def left_out_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return how many tickets each metric uses, and why the others are not in it.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        For each metric received minus each kind of left out = used, by arm and period.
    """
    sides = [(arm, period) for arm in ("pilot", "control") for period in ("before", "during")]
    rows: list[list[str]] = []
    kinds: list[str] = []
    unit = wording.unit_name(result.plan.unit, language)
    for metric in result.metrics:
        own = result.left_out[result.left_out["metric"] == metric.metric]
        if own.empty:
            continue
        by_side: Any = own.set_index(["arm", "period"])
        numbers = {key: [int(by_side.loc[side, key]) for side in sides] for key in _LEFT_OUT}
        minus = [key for key in _LEFT_OUT[1:-1] if any(numbers[key])]
        name = wording.metric_name(metric.metric, language, variant=metric.variant, inline=True)
        for key in (["received"] if minus or not rows else []) + minus + ["used"]:
            sign = -1 if key in minus else 1
            label = text(f"left_out.{key}", language, name=name, unit=unit)
            rows.append([label, *(count(sign * n) for n in numbers[key])])
            kinds.append({"received": "first", "used": "sum"}.get(key, "sub"))
    head = heads(["tickets"], language)
    for arm, period in sides:
        words = {"arm": text(f"arm.{arm}", language), "period": text(f"period.{period}", language)}
        head += heads(["arm_period"], language, **words)
    # the metric with the largest undecided share in the pilot weeks
    worst = max(result.metrics, key=lambda metric: _undecided(metric.pilot_during))
    shares = [_undecided(worst.pilot_during), _undecided(worst.control_during)]
    key = "left_out" if any(shares) else "left_out.none"
    words = dict(zip(("pilot", "control"), map(percent, shares), strict=True))
    words["name"] = wording.metric_name(worst.metric, language, variant=worst.variant, inline=True)
    lede = text(f"lede.{key}", language, **words)
    numeric = range(1, 5)
    return phrased(
        key, head, rows, language, lede=lede, caption="", kind="left", kinds=kinds, numeric=numeric
    )


_LEFT_OUT = ("received", "no_unit", "no_limit", "not_counted", "undecided", "used")


def _undecided(of: PilotCell) -> float:
    every = of.denominator + of.undecided
    return of.undecided / every if every else 0.0


def next_steps_table(result: PilotResult, *, language: Language = "en") -> Block:
    """Return the plan's steps for the verdict: action, owner, date.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a step, or what is missing in the plan.
    """
    steps = [step for step in result.plan.next_steps if step.verdict == result.verdict]
    if not steps:
        return paragraph(text("title.next", language), text("next.none", language))
    rows = [[step.action, *owner_and_date(step, language)] for step in steps]
    return phrased(
        "next", heads(("action", "owner", "due"), language), rows, language, caption="", kind="nexttab"
    )


def checks(result: PilotResult, *, language: Language = "en") -> Block:
    """Return what could have spoiled the result, and whether it did.

    Parameters
    ----------
    result
        A pilot.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        Permutation and mix of each co-primary, ticket volume, number of groups; each with an icon and a word.
    """
    words = wording.spoken_pilot(result, language)
    found: list[_Check] = []
    for metric in (one for one in result.metrics if one.role == "co_primary"):
        found += [_permutation_check(metric, words, language), _mix_check(metric, language)]
    for metric in (one for one in result.metrics if one.unequally_decided):
        gap = wording.number(metric.decided_gap, "share")
        found.append(("alert", "decided", "moved", {**wording.spoken_metric(metric, language), "gap": gap}))
    found += [_volume_check(result, words, language), *_routing_checks(result, language)]
    one_group = ("alert", "one_group") if result.one_group else ("good", "many_groups")
    found.append((*one_group, "detail", words))
    items = [
        (name, text(f"check.{of}", language, **said), text(f"check.{of}.{detail}", language, **said))
        for name, of, detail, said in found
    ]
    return listing(text("title.checks", language), items)


#: Icon, what is checked, what is said of it, values of the placeholders.
_Check = tuple[str, str, str, wording.Spoken]
#: Level of the tests.
_ALPHA = 0.05
#: A change of mix that makes up more of the crude difference than this is marked.
_MIX_SHARE = 0.2


def _permutation_check(metric: PilotMetric, words: wording.Spoken, language: Language) -> _Check:
    words = {**words, **wording.spoken_metric(metric, language)}
    if metric.pvalue is None:
        return "open", "permutation", "none" if metric.ci_low is None else "later", words
    words["p"] = wording.p_value(metric.pvalue, language)
    words["smallest"] = wording.p_value(metric.smallest_pvalue).removeprefix("p = ")
    return "good" if metric.pvalue <= _ALPHA else "open", "permutation", "detail", words


def _mix_check(metric: PilotMetric, language: Language) -> _Check:
    words = wording.spoken_metric(metric, language)
    if metric.mix_effect is None or not metric.crude_effect:
        return "open", "mix", "none", words
    words["mix"] = wording.number(metric.mix_effect, metric.unit, sign=True)
    words["crude"] = wording.change(metric.crude_effect, metric.unit, language)
    small = abs(metric.mix_effect) <= _MIX_SHARE * abs(metric.crude_effect)
    return "good" if small else "alert", "mix", "detail", words


def _volume_check(result: PilotResult, words: wording.Spoken, language: Language) -> _Check:
    found = result.volume
    if found is None:
        return "open", "volume", "none", words
    change = wording.number(found.effect, "share", sign=True) + "%"
    span = interval(found.ci_low, found.ci_high, "share", language)
    name = "good" if result.volume_ok else "bad"
    return name, "volume", "detail", {**words, "change": change, "interval": span}


def _routing_checks(result: PilotResult, language: Language) -> list[_Check]:
    """Say which kinds of tickets moved beyond the margin or, if none did, which moved most."""
    if not result.routing:
        return []
    moved = [row for row in result.routing if not row.ok]
    name, detail = ("bad", "moved") if moved else ("good", "ok")
    names = dict.fromkeys(wording.column_name(row.column, language) for row in result.routing)
    margin = wording.points(result.plan.volume_margin, language).removeprefix("+")
    shared = {"columns": wording.joined(names, language), "margin": margin}
    found: list[_Check] = []
    for row in moved or [max(result.routing, key=lambda row: abs(row.effect))]:
        values: dict[str, float | int | str] = {"column": row.column, "value": row.value}
        values |= {"change": row.effect, "ci_low": row.ci_low, "ci_high": row.ci_high}
        found.append((name, "routing", detail, {**wording.moved_words(values, language), **shared}))
    return found
