"""Blocks of the programme: what is overdue, what worked, exceptions, versions, gates, a page an action."""

from __future__ import annotations

from datetime import date

from csimprove import wording
from csimprove.exceptions import AlertException, asked_since
from csimprove.pdca import CycleStatus
from csimprove.programme import Cohort, ProgrammeResult
from csimprove.report.blocks import (
    Block,
    Cell,
    cell,
    escaped,
    heads,
    icon,
    noted,
    paragraph,
    phrased,
    stacked,
    state,
)
from csimprove.report.headers import period_facts, top
from csimprove.report.tables import effect_cell
from csimprove.schedule import Drift, EvidenceFound, GateStatus
from csimprove.settings import Language, Settings
from csimprove.wording import NO_NUMBER, count, date_text, interval, level, text

#: Pages of actions and entries of the history that are shown without being asked for.
MOST_PAGES, MOST_ENTRIES = 8, 30
#: Alerts that are shown, those that last first.
MOST_ALERTS = 20
_VERDICTS = {"confirmed": "good", "harmed": "bad", "cannot_tell": "open"}
_GATES = {"passed": "good", "missed": "bad", "open": "open"}
_EVIDENCE = {"met": "good", "unmet": "bad", "unknown": "open"}
_DRIFTS = {"behind": "bad", "on_plan": "good", "cannot_tell": "open", "none": ""}
#: Metrics by which versions are compared: those with a target, at most so many.
_COMPARED = 2


def programme_masthead(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return kicker, facts and the finding.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        To be shown first.
    """
    words = wording.spoken_programme(result, language)
    return top("programme", period_facts(words), wording.programme_headline(result, language), language)


def overdue_table(result: ProgrammeResult, settings: Settings, *, language: Language = "en") -> Block:
    """Return what is overdue and whose: actions past their due date, alerts without an answer in time.

    Parameters
    ----------
    result
        The programme.
    settings
        Clock and limits, which the caption names.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a matter, the latest first.
    """
    words = wording.spoken_programme(result, language)
    late = [one for one in result.open_exceptions if one.escalations]
    if not result.overdue and not late:
        return paragraph(text("title.overdue.none", language), text("overdue.none", language, **words))
    rows = [_late_cycle(one, language) for one in result.overdue]
    rows += [_late_exception(one, language) for one in late]
    words |= {
        "clock": text(f"deadline.clock.{settings.pdca.clock}", language),
        "limit": settings.pdca.correct_within,
    }
    keys = ("action", "whose", "due", "first_due", "escalated", "next_step")
    return phrased("overdue", heads(keys, language), rows, language, words, kind="eval wide")


def _late_cycle(one: CycleStatus, language: Language) -> list[Cell | str]:
    person = text("pdca.now_with", language, person=wording.person_text(one.person, language))
    return [
        noted(one.title, text("exception.cycle", language, id=str(one.id))),
        noted(one.owner or text("pdca.nobody", language), *([person] if one.escalations else [])),
        _date(one.due, language),
        _date(one.first_due, language),
        state("bad", wording.late_text(one, language)),
        text(f"pdca.next.{one.state}", language) if one.state in _PLAIN else wording.next_text(one, language),
    ]


#: States whose next step has no placeholder.
_PLAIN = ("to_check", "checked", "again")


def _late_exception(one: AlertException, language: Language) -> list[Cell | str]:
    what, group = wording.exception_rule(one, language)
    due = one.report_due if one.reported is None else one.correction_due
    return [
        noted(what, group),
        wording.person_text(one.person, language),
        wording.deadline_text(due, language),
        NO_NUMBER,
        state("bad", wording.level_text(one.escalations, language)),
        wording.exception_text(one, language),
    ]


def _date(day: date | None, language: Language) -> str:
    return date_text(day, language) if day is not None else NO_NUMBER


def predicted_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return predicted against measured: every action with a check.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a check.
    """
    if not result.checked:
        return paragraph(text("title.predicted", language), text("predicted.none", language))
    keys = ("action", "before_after", "predicted/gain", "measured", "checked_by", "verdict")
    rows = [_predicted_row(one, language) for one in result.checked]
    methods = dict.fromkeys(one.check.method for one in result.checked if one.check is not None)
    ways = wording.listed((text(f"pdca.way.{method}", language) for method in methods), language)
    words = {"ways": ways}
    return phrased(
        "predicted", heads(keys, language), rows, language, words, kind="eval wide", numeric=(1, 2)
    )


def _spoken(one: CycleStatus, language: Language) -> wording.Spoken:
    unit = one.plan.unit if one.plan else "team"
    return wording.spoken_check_of(one.check, language, unit=unit) if one.check is not None else {}


def _predicted_row(one: CycleStatus, language: Language) -> list[Cell | str]:
    check = one.check
    if check is None:  # the caller leaves these out
        return []
    words = _spoken(one, language)
    value, low, high = wording.signed(check)
    return [
        noted(one.title, words["name"], words["units"]),
        noted(f"{words['before']} → {words['after']}", f"n = {words['n_before']}, {words['n_after']}"),
        noted(words["predicted"], words["gain"]),
        effect_cell(value, low, high, check.unit, language),
        noted(check.by, date_text(check.at.date(), language)),
        state(_VERDICTS.get(check.verdict, "alert"), words["verdict"]),
    ]


def exceptions_table(result: ProgrammeResult, settings: Settings, *, language: Language = "en") -> Block:
    """Return every alert that asks for an answer.

    Parameters
    ----------
    result
        The programme.
    settings
        Since when alerts ask for an answer.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a stretch of alerts, those that last first.
    """
    words = {"date": date_text(max(asked_since(settings), result.first), language)}
    if not result.exceptions:
        return paragraph(text("title.exceptions", language), text("exceptions.none", language, **words))
    keys = ("alert_rule", "raised", "value/latest", "threshold", "state", "escalated", "answer")
    rows = [_exception_row(one, language) for one in result.exceptions[:MOST_ALERTS]]
    words |= {"shown": count(len(rows)), "n": count(len(result.exceptions))}
    return phrased(
        "exceptions", heads(keys, language), rows, language, words, kind="eval wide", numeric=(2, 3)
    )


def _exception_row(one: AlertException, language: Language) -> list[Cell | str]:
    what, group = wording.exception_rule(one, language)
    name = {"over": "good", "corrected": "open"}.get(one.state, "bad" if one.escalations else "alert")
    said = wording.exception_text(one, language)
    if one.ended is not None:
        said = text("exception.over", language, date=date_text(one.ended, language))
    escalated: Cell | str = NO_NUMBER
    if one.escalations:
        who = wording.person_text(one.person, language)
        escalated = noted(wording.level_text(one.escalations, language), who)
    answer = text("exception.no_answer", language)
    if one.cycle is not None:
        answer = text("exception.cycle", language, id=str(one.cycle))
    return [
        noted(what, group),
        date_text(one.raised.date(), language),
        noted(level(one.value, one.unit, language), level(one.latest, one.unit, language)),
        wording.target_level(one.threshold, one.unit, language),
        state(name, said),
        escalated,
        noted(answer, one.id),
    ]


def proposals_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return feedback that has reached its trigger.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a month, the latest first.
    """
    if not result.proposals:
        return paragraph(text("title.proposals", language), text("proposals.none", language))
    rows: list[list[Cell | str]] = []
    for one in result.proposals:
        words = wording.spoken_proposal(one, language)
        answer = text("exception.no_answer", language)
        if one.cycle is not None:
            answer = text("exception.cycle", language, id=str(one.cycle))
        said = [words[key] for key in ("name", "month", "count", "reached")]
        rows.append([*said, noted(answer, one.id)])
    keys = ("trigger", "month", "tickets", "reached", "answer")
    least = {"n": count(min(one.threshold for one in result.proposals))}
    return phrased("proposals", heads(keys, language), rows, language, least, kind="eval", numeric=(2,))


def versions_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return versions of the process as cohorts: what changed, who was trained, how the metrics stood.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a version, the time before the first among them.
    """
    if not result.versions:
        return paragraph(text("title.versions", language), text("versions.none", language))
    aimed = [one for one in result.versions[-1].indicators if one.target is not None]
    names = [one.metric for one in aimed][:_COMPARED]
    head = heads(("version", "changed", "days", "trained", "tickets"), language)
    head += [wording.metric_name(name, language) for name in names]
    rows = [_version_row(one, names, language) for one in result.versions]
    numeric = range(3, 5 + len(names))
    return phrased("versions", head, rows, language, kind="eval wide", numeric=numeric)


def _version_row(one: Cohort, names: list[str], language: Language) -> list[Cell | str]:
    where = wording.where_text(one.where, language) if one.version else ""
    name = one.version or text("version.before", language)
    share = NO_NUMBER if one.trained_share is None else wording.percent(one.trained_share, places=0)
    row: list[Cell | str] = [
        name,
        one.changed or NO_NUMBER,
        noted(wording.period_text(one.first, one.last, language), *filter(None, [where])),
        share,
        count(one.tickets),
    ]
    about = {indicator.metric: indicator for indicator in one.indicators}
    for metric in names:
        found = about[metric]
        span = interval(found.ci_low, found.ci_high, found.unit, language)
        row.append(noted(level(found.value, found.unit, language), span))
    return row


def gates_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return the gates with every piece of their evidence.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a piece of evidence.
    """
    gates = result.schedule.gates if result.schedule is not None else ()
    if not gates:
        return paragraph(text("title.gates", language), text("gates.none", language))
    rows = [_gate_row(gate, language) for gate in gates]
    keys = ("gate", "due", "asked_evidence", "state")
    words = wording.spoken_programme(result, language)
    return phrased("gates", heads(keys, language), rows, language, words, kind="eval wide")


def _gate_row(gate: GateStatus, language: Language) -> list[Cell | str]:
    found = [(_EVIDENCE[one.state], _evidence(one, language)) for one in gate.evidence]
    html = "".join(f"<div>{icon(name)} {escaped(said)}</div>" for name, said in found)
    return [
        gate.name,
        date_text(gate.due, language),
        Cell(html, wording.listed((said for _, said in found), language), "evidence"),
        state(_GATES[gate.state], text(f"gate.{gate.state}", language)),
    ]


def _evidence(found: EvidenceFound, language: Language) -> str:
    asked = wording.evidence_text(found.asked, language, unit=found.unit or "share")
    said = text(f"evidence.{found.state}", language)
    shown = level(found.value, found.unit, language) if isinstance(found.value, float) else found.value
    open_, close = {"en": (" (", ")"), "zh": ("（", "）")}[language]
    return f"{asked}{wording.colon(language)}{said}" + (f"{open_}{shown}{close}" if shown else "")


def drift_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return each planned metric against its path.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One row a metric.
    """
    drifts = result.schedule.drifts if result.schedule is not None else ()
    if not drifts:
        return paragraph(text("title.drift", language), text("drift.none", language))
    keys = ("metric", "days", "path", "value", "interval", "decided", "state")
    rows = [_drift_row(one, language) for one in drifts]
    return phrased("drift", heads(keys, language), rows, language, kind="eval wide", numeric=range(2, 6))


def _drift_row(one: Drift, language: Language) -> list[Cell | str]:
    key = "drift.state.none" if one.state == "none" else f"drift.{one.state}"
    return [
        wording.metric_name(one.metric, language),
        wording.period_text(one.first, one.last, language),
        level(one.planned, one.unit, language),
        level(one.value, one.unit, language),
        interval(one.ci_low, one.ci_high, one.unit, language),
        count(one.denominator),
        state(_DRIFTS[one.state], text(key, language)),
    ]


def a3_pages(result: ProgrammeResult, cycle: int | None = None, *, language: Language = "en") -> Block:
    """Return a page an action: background, condition, goal, causes, measures, plan, follow-up, standard.

    Parameters
    ----------
    result
        The programme.
    cycle
        Number of one action; ``None``: the first ones of the register's order, open ones first.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        One section an action; a sentence says how many have none.

    Raises
    ------
    ValueError
        If there is no such action.
    """
    chosen = [one for one in result.cycles if cycle in (None, one.id)]
    if cycle is not None and not chosen:
        known = ", ".join(str(one.id) for one in result.cycles) or "none"
        raise ValueError(f"`cycle` must be the number of an action ({known}), not {cycle}.")
    pages = [_a3(one, language) for one in chosen[:MOST_PAGES]]
    if more := len(chosen) - len(pages):
        said = text("a3.more", language, n=count(more))
        pages.append(Block(f"<p>{escaped(said)}</p>", said))
    empty = paragraph(text("a3.none", language), text("figure.pdca.title.empty", language))
    return stacked(*pages) if pages else empty


def _a3(one: CycleStatus, language: Language) -> Block:
    title = text("a3.title", language, id=str(one.id), title=one.title)
    missing = text("a3.missing", language)
    parts = {
        "background": [one.background],
        "condition": [_condition(one, language)],
        "goal": [_goal(one, language)],
        "causes": [*one.causes],
        "countermeasures": [*one.countermeasures],
        "plan": [_planned(one, language), wording.state_text(one, language)],
        "follow_up": [wording.check_text(one.check, language, unit=one.plan.unit if one.plan else "team")]
        if one.check
        else [wording.next_text(one, language)],
        "standard": [one.standard],
    }
    html, lines = [], [title]
    for key, said in parts.items():
        words = [each for each in said if each] or [missing]
        name = text(f"a3.{key}", language)
        body = (
            f"<ul>{''.join(f'<li>{escaped(each)}</li>' for each in words)}</ul>"
            if len(words) > 1
            else escaped(words[0])
        )
        html.append(f"<div><dt>{escaped(name)}</dt><dd>{body}</dd></div>")
        lines.append(f"{name}: {'; '.join(words)}")
    return Block(
        f'<section class="a3"><h3>{escaped(title)}</h3><dl>{"".join(html)}</dl></section>', "\n".join(lines)
    )


def _condition(one: CycleStatus, language: Language) -> str:
    if one.check is not None:
        words = wording.spoken_check_of(one.check, language)
        days = one.plan.baseline if one.plan and one.plan.baseline else None
        said = {**words, "n": words["n_before"]}
        if days is None:
            return text("a3.condition.past", language, **said)
        return text("a3.condition.text", language, **said, baseline=wording.period_text(*days, language))
    if one.plan is None or one.plan.metric is None or one.plan.baseline is None:
        return ""
    name = wording.metric_name(one.plan.metric, language)
    period = wording.period_text(*one.plan.baseline, language)
    return text("a3.condition.unmeasured", language, name=name, baseline=period)


def _goal(one: CycleStatus, language: Language) -> str:
    plan = one.plan
    if plan is None or plan.metric is None or plan.gain is None:
        return ""
    return text(
        "a3.goal.text",
        language,
        name=wording.metric_name(plan.metric, language),
        predicted=wording.gain_text(plan.predicted, one.unit, one.better, language),
        gain=wording.gain_text(plan.gain, one.unit, one.better, language),
    )


def _planned(one: CycleStatus, language: Language) -> str:
    plan = one.plan
    if plan is None or plan.baseline is None or plan.window is None:
        return ""
    groups = wording.where_text(plan.where, language)
    others = wording.where_text(plan.compare, language)
    who = text("a3.who.compared" if plan.compare else "a3.who", language, groups=groups, others=others)
    return text(
        "a3.plan.text",
        language,
        owner=one.owner or text("pdca.nobody", language),
        due=_date(one.due, language),
        who=who,
        window=wording.period_text(*plan.window, language),
        baseline=wording.period_text(*plan.baseline, language),
    )


def history_table(result: ProgrammeResult, *, language: Language = "en") -> Block:
    """Return the latest entries of all actions and alerts, escalations among them.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    Block
        The latest first.
    """
    entries: list[tuple[str, list[Cell | str]]] = []
    for one in result.cycles:
        label = noted(one.title, text("exception.cycle", language, id=str(one.id)))
        for entry in one.history:
            said, when = wording.entry_text(entry, language), entry.at.isoformat()
            entries.append((when, [_date(entry.at.date(), language), label, entry.who, said]))
        entries += _late_entries(one, label, language)
    for alert in result.exceptions:
        entries += _late_entries(alert, noted(*wording.exception_rule(alert, language)), language)
    if not entries:
        return paragraph(text("title.history", language), text("history.none", language))
    entries.sort(key=lambda one: one[0], reverse=True)
    words = {"n": count(min(len(entries), MOST_ENTRIES)), "all": count(len(entries))}
    rows = [row for _, row in entries[:MOST_ENTRIES]]
    return phrased("history", heads(("when", "action", "who", "what"), language), rows, language, words)


def _late_entries(
    of: CycleStatus | AlertException, label: Cell, language: Language
) -> list[tuple[str, list[Cell | str]]]:
    found: list[tuple[str, list[Cell | str]]] = []
    for late in of.escalations:
        said = state("alert", wording.lateness_text(late, language))
        found.append((late.on.isoformat(), [_date(late.on, language), label, cell(NO_NUMBER), said]))
    return found
