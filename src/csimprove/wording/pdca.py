"""What is said of actions, exceptions, versions, gates and the schedule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from csimprove.settings import Evidence, Language
from csimprove.wording.figures import FigureWords, figure_words
from csimprove.wording.lookup import (
    capital,
    column_name,
    group_name,
    joined,
    known,
    listed,
    metric_name,
    text,
    unit_name,
)
from csimprove.wording.numbers import (
    NO_NUMBER,
    change,
    count,
    date_text,
    interval,
    level,
    moment_text,
    period_text,
    target_level,
    trimmed,
)
from csimprove.wording.sentences import counted
from csimprove.wording.spoken import Spoken

if TYPE_CHECKING:  # annotations only
    from datetime import date, datetime

    from csimprove.exceptions import AlertException, Proposal
    from csimprove.pdca import Check, CycleStatus, Entry, Lateness
    from csimprove.programme import ProgrammeResult
    from csimprove.schedule import GateStatus, ScheduleResult

#: Actions drawn in a figure and named in its alt text.
MOST_ROWS, _ALT_ROWS = 20, 3
_MINUTE = timedelta(minutes=1)


def signed(check: Check) -> tuple[float | None, float | None, float | None]:
    """Return effect and interval of a check in the direction of its metric, not of the better side."""
    if check.better == "higher" or check.effect is None or check.ci_low is None or check.ci_high is None:
        return check.effect, check.ci_low, check.ci_high
    return -check.effect, -check.ci_high, -check.ci_low


def gain_text(value: float | None, unit: str, better: str, language: Language = "en") -> str:
    """Return a planned gain as a change of the metric.

    Examples
    --------
    >>> gain_text(0.05, "share", "higher"), gain_text(0.5, "minutes", "lower", "zh")
    ('+5 points', '−0.5分钟')
    """
    if value is None:
        return NO_NUMBER
    said = trimmed(value if better == "higher" else -value, unit, sign=True)
    return said + change(0.0, unit, language).removeprefix("0.0")


def spoken_check_of(check: Check, language: Language = "en", *, unit: str = "team") -> Spoken:
    """Return everything that is said of a measured check as texts; ``unit`` is the plan's."""
    value, low, high = signed(check)
    words = {
        "n": count(check.units),
        "units": unit_name(unit, language, many=True),
        "compared": count(check.units_compared),
    }
    return {
        "verdict": text(f"pdca.verdict.{check.verdict}", language),
        "name": metric_name(check.metric, language),
        "before": level(check.before, check.unit, language),
        "after": level(check.after, check.unit, language),
        "n_before": count(check.n_before),
        "n_after": count(check.n_after),
        "effect": change(value, check.unit, language),
        "interval": interval(low, high, check.unit, language),
        "gain": gain_text(check.gain, check.unit, check.better, language),
        "predicted": gain_text(check.predicted, check.unit, check.better, language),
        "method": capital(text(f"pdca.method.{check.method}", language, **words)),
        "units": text(f"pdca.units.{check.method}", language, **words),
    }


def check_text(check: Check, language: Language = "en", *, unit: str = "team") -> str:
    """Return a measured check as one paragraph."""
    return capital(text("pdca.check", language, **spoken_check_of(check, language, unit=unit)))


def state_text(of: CycleStatus, language: Language = "en") -> str:
    """Return where an action stands, in a word or two."""
    key = "closed_without" if of.state == "closed" and not confirmed(of) else of.state
    said = text(f"pdca.state.{key}", language)
    return text("pdca.state.late_of", language, state=said) if of.overdue else said


def confirmed(of: CycleStatus) -> bool:
    """Whether the last check of an action confirms its effect."""
    return of.check is not None and of.check.verdict == "confirmed"


def next_text(of: CycleStatus, language: Language = "en") -> str:
    """Return what is to happen next with an action, or what came of it."""
    if of.state == "closed" or (of.state in ("again", "checked") and of.check is not None):
        return effect_text(of, language)
    lacking = dict.fromkeys(name if name in ("owner", "due") else "effect" for name in of.lacking)
    words = {
        "lacking": joined((text(f"pdca.field.{name}", language) for name in lacking), language),
        "window": NO_NUMBER,
        "reads": date_text(of.reads_on, language, year=False) if of.reads_on else NO_NUMBER,
    }
    if of.plan is not None and of.plan.window is not None:
        words["window"] = date_text(of.plan.window[0], language, year=False)
    return text(f"pdca.next.{of.state}", language, **words)


def effect_text(of: CycleStatus, language: Language = "en") -> str:
    """Return the measured effect of an action in a few words."""
    check = of.check
    if check is None:
        return NO_NUMBER
    words = spoken_check_of(check, language)
    if check.effect is None:
        return text("pdca.no_interval", language)
    return text("pdca.effect" if confirmed(of) else "pdca.no_effect", language, **words)


def late_text(of: CycleStatus, language: Language = "en") -> str:
    """Return how late an action is, and whether it was escalated."""
    said = level_text(of.escalations, language)
    return text("pdca.late" + (".1" if of.late == 1 else ""), language, n=count(of.late), level=said)


def level_text(escalations: tuple[Lateness, ...], language: Language = "en") -> str:
    """Return to which level something went, and since when."""
    if not escalations:
        return text("pdca.level.1", language)
    last = escalations[-1]
    day = date_text(last.on, language, year=False)
    return text("pdca.level.n", language, n=count(last.level), date=day)


def person_text(person: str, language: Language = "en") -> str:
    """Return a role as people say it."""
    return known(f"role.{person}", person, language)


def lateness_text(of: Lateness, language: Language = "en") -> str:
    """Return an escalation as an entry of the history."""
    who = person_text(of.person, language)
    return text(f"lateness.{of.what}", language, level=count(of.level), person=who)


def entry_text(of: Entry, language: Language = "en") -> str:
    """Return an entry of the history, with its reason."""
    key = "history.plan.due" if of.what == "plan" and of.due else f"history.{of.what}"
    said = text(key, language, due=date_text(of.due, language) if of.due else NO_NUMBER)
    return f"{said}{colon(language)}{of.why}" if of.why else said


def colon(language: Language) -> str:
    """Return a colon with its space, of the language's own width."""
    return {"en": ": ", "zh": "："}[language]


def exception_rule(of: AlertException, language: Language = "en") -> tuple[str, str]:
    """Return what an alert is about: the metric, and the group."""
    group = text("alert.group.all", language)
    if of.cut:
        group = column_name(of.cut, language) + colon(language) + group_name(of.group, language)
    return metric_name(of.metric, language), group


def exception_text(of: AlertException, language: Language = "en") -> str:
    """Return what an alert asks for now."""
    due = {"to_report": of.report_due, "to_correct": of.correction_due}.get(of.state)
    return text(f"pdca.exception.{of.state}", language, due=deadline_text(due, language) if due else "")


def deadline_text(moment: datetime, language: Language = "en") -> str:
    """Return a deadline: midnight is the end of the day before.

    Examples
    --------
    >>> from datetime import datetime
    >>> deadline_text(datetime(2025, 10, 1)), deadline_text(datetime(2025, 10, 1, 9, 5), "zh")
    ('the end of 30 Sep', '10月1日09:05')
    """
    if (moment.hour, moment.minute) != (0, 0):
        day = date_text(moment.date(), language, year=False)
        return {"en": f"{day}, ", "zh": day}[language] + f"{moment:%H:%M}"
    before = date_text((moment - _MINUTE).date(), language, year=False)
    return {"en": f"the end of {before}", "zh": f"{before}结束"}[language]


def where_text(where: dict[str, tuple[str, ...]], language: Language = "en") -> str:
    """Return whom something concerns; empty: everybody."""
    groups = [group for values in where.values() for group in values]
    return joined(groups, language) if groups else text("a3.who.all", language)


def evidence_text(asked: Evidence, language: Language = "en", *, unit: str = "share") -> str:
    """Return what a gate asks for."""
    if asked.file is not None:
        return text("evidence.file", language, file=asked.file)
    if asked.result is not None:
        return text("evidence.result", language, result=asked.result, equals=str(asked.equals))
    if asked.cycle is not None:
        return text("evidence.cycle", language, id=str(asked.cycle))
    words = {"name": metric_name(str(asked.metric), language), "period": NO_NUMBER}
    words["reaches"] = target_level(asked.reaches, unit, language)
    if asked.first is not None and asked.last is not None:
        words["period"] = period_text(asked.first, asked.last, language)
    return text("evidence.metric", language, **words)


def month_text(day: date, language: Language = "en", *, year: bool = True) -> str:
    """Return a month.

    Examples
    --------
    >>> from datetime import date
    >>> day = date(2025, 9, 1)
    >>> month_text(day), month_text(day, "zh"), month_text(day, year=False)
    ('Sep 2025', '2025年9月', 'Sep')
    """
    if language == "zh":
        return (f"{day.year}年" if year else "") + f"{day.month}月"
    return date_text(day).split(" ", 1)[1] if year else date_text(day).split()[1]


def spoken_programme(result: ProgrammeResult, language: Language = "en") -> Spoken:
    """Return data and counts of the programme as texts."""
    late = result.overdue
    days = count(max((one.late for one in late), default=0))
    return {
        "period": period_text(result.first, result.last, language),
        "tickets": count(result.tickets),
        "as_of": moment_text(result.as_of, result.zone, language),
        "source": result.reading.source,
        "date": date_text(result.today, language),
        "n": count(len(result.cycles)),
        "confirmed": count(sum(one.state == "closed" and confirmed(one) for one in result.cycles)),
        "overdue": counted("programme.overdue", len(late), language, days=days),
    }


def programme_headline(result: ProgrammeResult, language: Language = "en") -> str:
    """Return the finding: how many actions worked, what is overdue."""
    if not result.cycles:
        unanswered = sum(one.cycle is None for one in result.open_exceptions)
        alerts = counted("programme.alerts", unanswered, language)
        return text("headline.programme.empty", language, alerts=alerts)
    return text("headline.programme", language, **spoken_programme(result, language))


def register_lines(result: ProgrammeResult, language: Language = "en") -> Iterable[str]:
    """Return the register as lines of text: actions, open alerts, open proposals, a sum."""
    for one in result.cycles:
        due = text("pdca.no_due", language)
        if one.due is not None:
            due = text("pdca.due", language, date=date_text(one.due, language))
        yield text(
            "pdca.list",
            language,
            id=f"{one.id:04}",
            title=one.title,
            state=state_text(one, language),
            next=late_text(one, language) if one.overdue else next_text(one, language),
            owner=one.owner or text("pdca.nobody", language),
            due=due,
        )
    for alert in result.open_exceptions:
        what, group = exception_rule(alert, language)
        words = {"id": alert.id, "what": what, "group": group, "state": exception_text(alert, language)}
        words |= {"level": count(alert.level), "person": person_text(alert.person, language)}
        yield text("pdca.list.exception", language, **words)
    for open_one in result.open_proposals:
        yield text("pdca.list.proposal", language, **spoken_proposal(open_one, language))
    yield text(
        "pdca.list.sum",
        language,
        n=count(len(result.cycles)),
        overdue=count(len(result.overdue)),
        exceptions=count(len(result.open_exceptions)),
        proposals=count(len(result.open_proposals)),
        date=date_text(result.today, language),
    )


def spoken_proposal(of: Proposal, language: Language = "en") -> Spoken:
    """Return a proposal as texts."""
    return {
        "id": of.id,
        "name": of.name,
        "count": count(of.count),
        "month": month_text(of.month, language),
        "reached": date_text(of.reached, language),
    }


def pdca_rows(result: ProgrammeResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the chart of actions; without any only a heading.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    if not result.cycles:
        return FigureWords(title=text("figure.pdca.title.empty", language), lede="", caption="", alt="")
    shown = result.cycles[:MOST_ROWS]
    items = [_action(one, language) for one in shown[:_ALT_ROWS]]
    words = spoken_programme(result, language)
    states = [one.state for one in result.cycles]
    closed, waiting = states.count("closed"), states.count("waiting") + states.count("again")
    words |= {"closed": count(closed), "waiting": count(waiting)}
    words |= {"running": count(len(states) - closed - waiting)}
    words |= {"shown": count(len(shown)), "items": listed(items, language)}
    return figure_words("pdca", language, words)


def _action(of: CycleStatus, language: Language) -> str:
    comma = {"en": ", ", "zh": "，"}[language]
    said = late_text(of, language) if of.overdue else next_text(of, language)
    return f"{of.title}{colon(language)}{state_text(of, language)}{comma}{said}"


def gantt(result: ProgrammeResult, *, language: Language = "en") -> FigureWords:
    """Return the words around the schedule; without one only a heading.

    Parameters
    ----------
    result
        The programme.
    language
        ``"en"`` or ``"zh"``.

    Returns
    -------
    FigureWords
        Heading, one line, caption and alt text.
    """
    plan = result.schedule
    if plan is None:
        return FigureWords(title=text("figure.gantt.title.none", language), lede="", caption="", alt="")
    first, last = schedule_span(plan)
    states = [gate.state for gate in plan.gates]
    late = sum(bool(task.late) for phase in plan.phases for task in phase.tasks)
    behind = [metric_name(one.metric, language, inline=True) for one in plan.drifts if one.state == "behind"]
    words = {
        "date": date_text(result.today, language),
        "passed": count(states.count("passed")),
        "n": count(len(states)),
        "missed": counted("gantt.missed", states.count("missed"), language),
        "behind": text("gantt.behind", language, names=joined(behind, language)) if behind else "",
        "weeks": count(-(-((last - first).days + 1) // 7)),
        "period": period_text(first, last, language),
        "gates": joined((gate_text(gate, language) for gate in plan.gates), language) or NO_NUMBER,
        "phases": count(len(plan.phases)),
        "tasks": count(sum(len(phase.tasks) for phase in plan.phases)),
        "late": counted("gantt.late", late, language),
    }
    return figure_words("gantt", language, words)


def gate_text(gate: GateStatus, language: Language = "en") -> str:
    """Return a gate with its state."""
    state = text(f"gate.{gate.state}", language)
    return text("gantt.gate", language, name=gate.name, state=state)


def schedule_span(plan: ScheduleResult) -> tuple[date, date]:
    """Return the first and last day of a schedule, gates included."""
    ends = [one.last for one in plan.phases] + [gate.due for gate in plan.gates]
    return min(one.first for one in plan.phases), max(ends)
