"""The register as a result: where each action stands, by dates alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from zoneinfo import ZoneInfo

from csimprove.pdca.cycle import Check, Course, Cycle, Entry, Plan, course, until
from csimprove.pdca.deadlines import Lateness, deadline, escalations
from csimprove.pdca.effect import reads_on
from csimprove.plain import Plain
from csimprove.settings import Settings

if TYPE_CHECKING:  # annotations only: the register needs no engine
    from csimprove.metrics import Metric

Standing = Literal["waiting", "planned", "doing", "checking", "to_check", "checked", "again", "closed"]
Letter = Literal["P", "D", "C", "A"]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a cycle on the calendar: done until a day, planned from there.

    Parameters
    ----------
    letter
        Plan, do, check or act.
    first, last
        Its first day, and the one at which it ended or is planned to end.
    done
        Last day that is done; ``None``: nothing of it.
    """

    letter: Letter
    first: date
    last: date
    done: date | None


@dataclass(frozen=True, slots=True)
class CycleStatus(Plain):
    """Where one action stands.

    Parameters
    ----------
    id, title, event, background, causes, countermeasures, standard, plan, history
        From its file, as it was at the moment.
    state
        ``waiting``: the plan is not complete. ``planned``: complete, not started. ``doing``: before the
        window. ``checking``: the window runs. ``to_check``: it is decided, nobody has checked. ``checked``:
        measured, not closed. ``again``: reopened, to be planned again. ``closed``.
    lacking
        What the plan lacks.
    due, first_due
        Due date now, and as it was first planned.
    late
        Days past the due date: to the moment, or to the day it was closed; 0 if in time.
    reads_on
        Day from which the check can be made.
    unit, better
        Of its metric.
    check
        The last check; ``None`` before.
    escalations, level, person
        What was escalated because it is late, and where it stands now.
    stretches
        Plan, do, check and act on the calendar, of the present round.
    rounds
        How many times it was begun.
    """

    id: int
    title: str
    state: Standing
    owner: str | None
    lacking: tuple[str, ...]
    due: date | None
    first_due: date | None
    late: int
    reads_on: date | None
    unit: str
    better: str
    check: Check | None
    escalations: tuple[Lateness, ...]
    level: int
    person: str
    stretches: tuple[Stretch, ...]
    rounds: int
    event: str
    background: str
    causes: tuple[str, ...]
    countermeasures: tuple[str, ...]
    standard: str
    plan: Plan | None
    history: tuple[Entry, ...]

    @property
    def overdue(self) -> bool:
        """Whether it is late and still open."""
        return self.late > 0 and self.state != "closed"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return Plain.to_dict(self) | {"overdue": self.overdue}


def statuses(
    cycles: tuple[Cycle, ...], *, settings: Settings, moment: datetime, metrics: Mapping[str, Metric]
) -> tuple[CycleStatus, ...]:
    """Return where every cycle stands at a moment: the overdue first, then by due date.

    Parameters
    ----------
    cycles
        The register.
    settings
        Clock and levels of the escalation.
    moment
        What was entered later has not happened yet.
    metrics
        Name = metric, which says when its tickets are decided.

    Returns
    -------
    tuple of CycleStatus
        Open ones first.

    Notes
    -----
    Everything is computed from dates at each call: nothing is lost when nobody looks for a week.
    """
    now = moment.astimezone(ZoneInfo(settings.calendar.zone))
    known = (until(cycle, moment) for cycle in cycles)
    found = [_status(cycle, settings, now, metrics) for cycle in known if cycle is not None]
    return tuple(sorted(found, key=_urgency))


def _urgency(one: CycleStatus) -> tuple[bool, int, date, int]:
    return one.state == "closed", -one.late if one.overdue else 0, one.due or date.max, one.id


def _status(cycle: Cycle, settings: Settings, now: datetime, metrics: Mapping[str, Metric]) -> CycleStatus:
    found, plan, today = course(cycle), cycle.plan or Plan(), now.date()
    metric = metrics.get(str(plan.metric))
    reads = reads_on(plan, metric.window_days if metric else 0)
    state = _standing(found, plan, today, reads)
    until_day = found.closed.date() if found.closed else today
    late = max(0, (until_day - found.due).days) if found.due else 0
    missed = _missed(found, settings, now)
    level = missed[-1].level if missed else 1
    return CycleStatus(
        id=cycle.id,
        title=cycle.title,
        state=state,
        owner=plan.owner,
        lacking=plan.lacking if state in ("waiting", "again") else (),
        due=found.due,
        first_due=found.first_due,
        late=late,
        reads_on=reads,
        unit=metric.unit if metric else "share",
        better=metric.better if metric else "higher",
        check=cycle.checks[-1] if cycle.checks else None,
        escalations=missed,
        level=level,
        person=settings.pdca.levels[level - 1],
        stretches=tuple(_stretches(found, plan, today, reads, cycle)),
        rounds=found.rounds,
        event=cycle.event,
        background=cycle.background,
        causes=cycle.causes,
        countermeasures=cycle.countermeasures,
        standard=cycle.standard,
        plan=cycle.plan,
        history=cycle.history,
    )


def _standing(found: Course, plan: Plan, today: date, reads: date | None) -> Standing:
    if found.state == "closed" or found.state == "checked":
        return found.state
    if found.state == "doing":
        begun = plan.window is not None and today >= plan.window[0]
        ready = reads is not None and today >= reads
        return "to_check" if ready else "checking" if begun else "doing"
    if found.rounds > 1 and found.state == "proposed":
        return "again"
    return "waiting" if plan.lacking else "planned"


def _missed(found: Course, settings: Settings, now: datetime) -> tuple[Lateness, ...]:
    if found.due is None:
        return ()
    over = datetime.combine(found.due + timedelta(days=1), time(0), now.tzinfo)
    limit = deadline(
        over, settings.pdca.correct_within, calendar=settings.calendar, clock=settings.pdca.clock
    )
    return escalations([("due", limit, found.closed)], settings=settings, now=now)


def _stretches(found: Course, plan: Plan, today: date, reads: date | None, cycle: Cycle) -> list[Stretch]:
    """Plan, do, check, act: each from where the one before ended, or is planned to."""
    begun = next((entry.at for entry in reversed(cycle.history) if entry.what == "reopen"), found.opened)
    if begun is None:
        return []
    first_day = plan.window[0] if plan.window else None
    due = found.due
    if first_day is None:  # nothing is planned but to plan
        last = max(today, due or today)
        return [Stretch("P", begun.date(), last, today)]
    ends: list[tuple[Letter, date | None, date | None]] = [
        ("P", _day(found.started), first_day),
        (
            "D",
            min(today, first_day) if found.started and first_day and today >= first_day else None,
            first_day,
        ),
        ("C", _day(found.checked), reads),
        ("A", _day(found.closed), due),
    ]
    made, start, running = [], begun.date(), True
    for letter, ended, planned in ends:
        last = ended or max(planned or start, start, today if running else start)
        if running:
            made.append(Stretch(letter, start, last, min(ended or today, last)))
        elif planned is not None and last > start:
            made.append(Stretch(letter, start, last, None))
        running = running and ended is not None
        start = last
    return [one for one in made if one.last > one.first or one.done == one.first]


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
