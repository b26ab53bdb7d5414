"""Alerts that must be answered, and feedback that opens a proposal: found from dates at every run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimprove.monitoring import decided_day, event_id, rules, threshold_of
from csimprove.pdca import Cycle, Lateness, deadline, escalations
from csimprove.plain import Plain
from csimprove.settings import AlertRule, Settings

if TYPE_CHECKING:  # annotations only: the result needs no engine
    from csimprove.metrics import Measures

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class AlertException(Plain):
    """An indicator beyond its alert line, and what has been done about it.

    Parameters
    ----------
    id
        That of the alert on the first day (:class:`csimprove.monitoring.Check`).
    metric, cut, group, threshold, unit
        What the rule looks at; ``""`` and ``"all"``: every ticket.
    days
        Length of the rule's period.
    value, latest
        Value of the first period, and of the latest that is decided.
    raised
        Local moment at which the first period was decided: the clock starts.
    ended
        First day of a whole period without alert; ``None``: it lasts.
    cycle
        Number of the cycle that answers it (its ``event`` is the id of one of the alert's days).
    report_due, correction_due
        Moments by which cause and measure are to be planned, and the measure started.
    reported, corrected
        When they were: the cycle's plan and start.
    state
        ``to_report``, ``to_correct``, ``corrected`` (the alert may still fade), ``redo`` (it lasts although a
        whole period has passed since the start: the plan is to be redone), ``over``.
    escalations, level, person
        What was escalated because it was late, and where it stands.
    """

    id: str
    metric: str
    cut: str
    group: str
    threshold: float
    unit: str
    days: int
    value: float
    latest: float
    raised: datetime
    ended: date | None
    cycle: int | None
    report_due: datetime
    correction_due: datetime
    reported: datetime | None
    corrected: datetime | None
    state: Literal["to_report", "to_correct", "corrected", "redo", "over"]
    escalations: tuple[Lateness, ...]
    level: int
    person: str


@dataclass(frozen=True, slots=True)
class Proposal(Plain):
    """So much feedback of one kind in a month that the process is to be looked at.

    Parameters
    ----------
    id
        Stable name: hash of trigger and month.
    name, column, values
        The trigger.
    month
        Its first day.
    count, threshold
        Tickets of the month, and how many it takes.
    reached
        Day on which that many had been opened.
    cycle
        Number of the cycle that answers it; ``None``: an open proposal.
    """

    id: str
    name: str
    column: str
    values: tuple[str, ...]
    month: date
    count: int
    threshold: int
    reached: date
    cycle: int | None


def alert_exceptions(
    measures: Measures, *, settings: Settings, cycles: Sequence[Cycle], moment: datetime
) -> tuple[AlertException, ...]:
    """Find every stretch of alerts and what has become of it.

    Parameters
    ----------
    measures
        Sums per day and cut.
    settings
        Alert rules, limits, clock and levels.
    cycles
        The register, as of the moment.
    moment
        Aware; deadlines are held against it.

    Returns
    -------
    tuple of AlertException
        Those that last first, then the latest.

    Notes
    -----
    The rule is looked at for every day whose period is decided, so nothing is lost when nobody ran the alerts
    that day. Alerts less than a whole period apart are one exception.
    """
    since = asked_since(settings)
    now = moment.astimezone(ZoneInfo(settings.calendar.zone))
    found = [
        _answered(one, settings, cycles, now)
        for rule in rules(measures, settings)
        for one in _stretches(measures, rule, since, now)
    ]
    found.sort(key=lambda one: (one.raised, one.level, one.id), reverse=True)
    return tuple(sorted(found, key=lambda one: (one.state == "over", -one.level if one.ended is None else 0)))


def proposals(measures: Measures, *, settings: Settings, cycles: Sequence[Cycle]) -> tuple[Proposal, ...]:
    """Count feedback by calendar month against the triggers.

    Parameters
    ----------
    measures
        Sums per day and cut, the triggers' columns among them.
    settings
        The triggers.
    cycles
        The register.

    Returns
    -------
    tuple of Proposal
        The latest month first.
    """
    found = []
    since = asked_since(settings)
    answers = {cycle.event: cycle.id for cycle in cycles if cycle.event}
    for trigger in settings.triggers:
        rows = measures.frame[measures.frame[trigger.column].isin(trigger.values)]
        months = rows["day"].dt.strftime("%Y-%m-01")
        for month, own in rows.groupby(months):
            running = own.groupby("day")["tickets"].sum().cumsum()
            first = date.fromisoformat(str(month))
            if running.iloc[-1] < trigger.count or first < since.replace(day=1):
                continue
            key = event_id("trigger", trigger.name, first)
            found.append(
                Proposal(
                    id=key,
                    name=trigger.name,
                    column=trigger.column,
                    values=trigger.values,
                    month=first,
                    count=int(running.iloc[-1]),
                    threshold=trigger.count,
                    reached=pd.Timestamp(str(running[running >= trigger.count].index[0])).date(),
                    cycle=answers.get(key),
                )
            )
    return tuple(sorted(found, key=lambda one: one.month, reverse=True))


def asked_since(settings: Settings) -> date:
    """Return the day from which alerts ask for an answer: as set, else after the baseline."""
    if settings.pdca.since is not None:
        return settings.pdca.since
    if settings.pilot is not None:
        return settings.pilot.before[1] + _DAY
    return settings.baseline[1] + _DAY if settings.baseline else date.min


@dataclass(frozen=True, slots=True)
class _Stretch:
    rule: AlertRule
    threshold: float
    unit: str
    group: str
    ids: tuple[str, ...]
    value: float
    latest: float
    raised: date
    ended: date | None


def _stretches(measures: Measures, rule: AlertRule, since: date, now: datetime) -> Iterator[_Stretch]:
    metric = measures.metric(rule.metric)
    threshold, lag = threshold_of(rule, metric), timedelta(days=metric.window_days + 1)
    sign = 1 if metric.better == "higher" else -1
    last = min(decided_day(measures, metric), measures.frame["day"].max().date())
    by = (rule.cut,) if rule.cut else ()
    daily = measures.pooled("day", *by, metrics=(metric.name,), last=last)
    if daily.empty:
        return
    days = pd.date_range(daily["day"].min(), last)
    for group, rows in daily.groupby(rule.cut) if rule.cut else [("all", daily)]:
        sums = rows.set_index("day")[["numerator", "denominator"]].reindex(days, fill_value=0)
        rolled = sums.rolling(rule.days).sum()
        values = rolled["numerator"] / rolled["denominator"].where(rolled["denominator"] > 0)
        asked = np.array([day.date() + lag >= since for day in days])
        fires = (sign * values < sign * threshold).to_numpy() & asked
        for first, end in _runs(fires, rule.days):
            ids = tuple(_id(rule, threshold, str(group), days[at].date()) for at in range(first, end + 1))
            quiet = end + 1 < len(days) and len(days) - end - 1 >= rule.days
            yield _Stretch(
                rule=rule,
                threshold=threshold,
                unit=metric.unit,
                group=str(group),
                ids=ids,
                value=float(values.iloc[first]),
                latest=float(values.iloc[-1]),
                raised=days[first].date() + lag,
                ended=days[end].date() + lag + _DAY if quiet else None,
            )


def _runs(fires: NDArray[np.bool_], apart: int) -> list[tuple[int, int]]:
    """First and last place of each run; runs less than ``apart`` quiet places apart are one."""
    runs: list[tuple[int, int]] = []
    for at in np.flatnonzero(fires):
        if runs and at - runs[-1][1] <= apart:
            runs[-1] = (runs[-1][0], int(at))
        else:
            runs.append((int(at), int(at)))
    return runs


def _id(rule: AlertRule, threshold: float, group: str, last: date) -> str:
    first = last - timedelta(days=rule.days - 1)
    return event_id("threshold", rule.metric, threshold, rule.cut, group, first, last)


def _answered(one: _Stretch, settings: Settings, cycles: Sequence[Cycle], now: datetime) -> AlertException:
    pdca, calendar = settings.pdca, settings.calendar
    raised = datetime.combine(one.raised, time(0), now.tzinfo)
    dues = [
        deadline(raised, limit, calendar=calendar, clock=pdca.clock)
        for limit in (pdca.report_within, pdca.correct_within)
    ]
    cycle = next((cycle for cycle in cycles if cycle.event in one.ids), None)
    reported, corrected = _answers(cycle)
    # an alert that is over asks for nothing more, but what was late until then stays late
    over = None if one.ended is None else datetime.combine(one.ended, time(0), now.tzinfo)
    missed = escalations(
        [("report", dues[0], reported or over), ("correction", dues[1], corrected or over)],
        settings=settings,
        now=now,
    )
    level = missed[-1].level if missed else 1
    return AlertException(
        id=one.ids[0],
        metric=one.rule.metric,
        cut=one.rule.cut or "",
        group=one.group,
        threshold=one.threshold,
        unit=one.unit,
        days=one.rule.days,
        value=one.value,
        latest=one.latest,
        raised=raised,
        ended=one.ended,
        cycle=cycle.id if cycle else None,
        report_due=dues[0],
        correction_due=dues[1],
        reported=reported,
        corrected=corrected,
        state=_state(one, reported, corrected, now),
        escalations=missed,
        level=level,
        person=pdca.levels[level - 1],
    )


def _answers(cycle: Cycle | None) -> tuple[datetime | None, datetime | None]:
    """When the first plan was written and the first measure started."""
    history: Any = cycle.history if cycle is not None else ()
    moments = (
        next((entry.at for entry in history if entry.what == what), None) for what in ("plan", "start")
    )
    planned, started = moments
    return planned, started


def _state(
    one: _Stretch, reported: datetime | None, corrected: datetime | None, now: datetime
) -> Literal["to_report", "to_correct", "corrected", "redo", "over"]:
    if one.ended is not None:
        return "over"
    if corrected is not None:
        return "redo" if now > corrected + timedelta(days=2 * one.rule.days) else "corrected"
    return "to_correct" if reported is not None else "to_report"
