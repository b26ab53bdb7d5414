"""One PDCA cycle as its file holds it, and the rules that its history must keep.

Commands and hand edits meet the same rules: a command appends an entry to the history and is refused if
`course` then finds a fault; ``csimprove check`` looks for the same faults in every file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from csimprove.settings.base import Frozen, Number
from csimprove.settings.programme import Name, Where

What = Literal["add", "plan", "start", "check", "close", "reopen", "extend"]
State = Literal["none", "proposed", "planned", "doing", "checked", "closed"]
Verdict = Literal["confirmed", "not_shown", "too_small", "harmed", "cannot_tell"]
Method = Literal["units_compared", "units", "weeks", "none"]
Days = tuple[date, date]
Count = Annotated[int, Field(strict=True, ge=0)]

#: What a plan must hold before anything is done.
NEEDED = ("owner", "due", "metric", "gain", "baseline", "window")
#: Entry = states that it may follow.
_AFTER: dict[What, tuple[State, ...]] = {
    "add": ("none",),
    "plan": ("proposed", "planned"),
    "start": ("planned",),
    "check": ("doing", "checked"),
    "close": ("checked",),
    "reopen": ("doing", "checked", "closed"),
    "extend": ("planned", "doing", "checked"),
}
_BECOMES: dict[What, State] = {
    "add": "proposed",
    "plan": "planned",
    "start": "doing",
    "check": "checked",
    "close": "closed",
    "reopen": "proposed",
}
#: What is asked of a check.
OTHER = "must be made by somebody other than the owner"
ASK = "Ask a colleague to run `csimprove pdca check`"
#: Digits of a hash that tells one plan or check from another.
_HASH = 12


class Plan(Frozen):
    """What is done, by whom, and how it will be known to have helped: set before anything is done."""

    owner: Name | None = None
    due: date | None = None
    metric: Name | None = None
    #: whom it concerns; none: everybody
    where: Where = Field(default={})
    #: who is compared; none: only before and after
    compare: Where = Field(default={})
    #: of what the effect is taken
    unit: Name = "team"
    #: changes towards the better side, in the metric's unit: the least that counts, and what is expected
    gain: Number | None = None
    predicted: Number | None = None
    baseline: Days | None = None
    window: Days | None = None
    #: its start is a phase on the control charts of its metric
    phase: bool = False

    @property
    def lacking(self) -> tuple[str, ...]:
        """What is missing before the cycle may start."""
        return tuple(name for name in NEEDED if getattr(self, name) is None)

    @property
    def hash(self) -> str:
        """Short SHA-256 of all but the due date, which an extension moves."""
        return _digest(self.model_dump(mode="json", exclude={"due"}))


class Check(Frozen):
    """What was measured: effect with interval, towards the better side, and from which data."""

    at: AwareDatetime
    by: Name
    owner: Name
    verdict: Verdict
    method: Method
    metric: Name
    unit: Literal["share", "minutes"]
    better: Literal["higher", "lower"]
    before: float | None = None
    after: float | None = None
    n_before: Count
    n_after: Count
    undecided: Count = 0
    #: change towards the better side
    effect: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    units: Count = 0
    units_compared: Count = 0
    gain: float
    predicted: float | None = None
    as_of: AwareDatetime
    #: SHA-256 of the source file and of the settings file, hash of the plan, and of all of this
    data: Name
    settings: Name
    plan: Name
    seal: str = ""

    @property
    def own_seal(self) -> str:
        """Hash of everything but the seal."""
        return _digest(self.model_dump(mode="json", exclude={"seal"}))


class Entry(Frozen):
    """A line of the history."""

    at: AwareDatetime
    who: Name
    what: What
    why: str = ""
    #: of a plan or an extension
    due: date | None = None
    #: hash of the plan, at its start
    plan: str | None = None


class Cycle(Frozen):
    """One file of the register."""

    id: Annotated[int, Field(strict=True, ge=1, le=9999)]
    title: Name
    #: alert or trigger that it answers, by the id of the event
    event: str = ""
    background: str = ""
    causes: tuple[str, ...] = ()
    countermeasures: tuple[str, ...] = ()
    #: what becomes the standard, or why not
    standard: str = ""
    plan: Plan | None = None
    checks: tuple[Check, ...] = ()
    history: Annotated[tuple[Entry, ...], Field(min_length=1)]
    file: Path = Path()


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken rule: where in the file, and what to do."""

    loc: tuple[int | str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class Course:
    """Where a history leads.

    Parameters
    ----------
    state
        After the last entry; ``none`` before the first.
    opened, planned, started, checked, closed
        Moments of the present round (a reopening begins a new one); ``opened`` of the whole.
    due, first_due
        Of the present round: now, and as it was first planned.
    rounds
        How many times it was begun.
    faults
        Broken rules.
    """

    state: State = "none"
    opened: datetime | None = None
    planned: datetime | None = None
    started: datetime | None = None
    checked: datetime | None = None
    closed: datetime | None = None
    due: date | None = None
    first_due: date | None = None
    rounds: int = 0
    faults: tuple[Fault, ...] = field(default=())


def course(cycle: Cycle) -> Course:
    """Follow the history of a cycle and hold every entry against the rules.

    Parameters
    ----------
    cycle
        A cycle, from a file or with an entry that a command would append.

    Returns
    -------
    Course
        The state it leads to, and every broken rule; an entry that may not follow is not followed.
    """
    now = Course()
    faults = list(_plan_faults(cycle.plan)) if cycle.plan else []
    for place, entry in enumerate(cycle.history):
        loc = ("history", place)
        before = cycle.history[place - 1].at if place else entry.at
        if entry.at < before:
            faults.append(Fault((*loc, "at"), f"must not be before the entry above ({before})"))
        if now.state not in _AFTER[entry.what]:
            states = " or ".join(_AFTER[entry.what])
            faults.append(
                Fault(loc, f"{entry.what} needs a cycle that is {states}; this one is {_said(now.state)}")
            )
            continue
        if (guard := _GUARDS.get(entry.what)) is not None:
            faults += [Fault(loc, message) for message in guard(cycle, place, now)]
        now = _moved(now, entry)
    if cycle.plan is not None and now.state != "proposed" and cycle.plan.due != now.due:
        faults.append(
            Fault(
                ("plan", "due"),
                f"must be {now.due or 'absent'} as the history says; move it with `csimprove pdca extend`",
            )
        )
    faults += _check_faults(cycle)
    return replace(now, faults=tuple(faults))


def until(cycle: Cycle, moment: datetime) -> Cycle | None:
    """Return a cycle as it was at a moment; ``None`` if it had not been added."""
    history = tuple(entry for entry in cycle.history if entry.at <= moment)
    if len(history) == len(cycle.history):
        return cycle
    if not history:
        return None
    later = {entry.what for entry in cycle.history[len(history) :]}
    due = next((entry.due for entry in reversed(history) if entry.due), None)
    plan = cycle.plan
    if plan is not None:
        plan = None if "plan" in later else plan.model_copy(update={"due": due})
    checks = tuple(check for check in cycle.checks if check.at <= moment)
    standard = "" if "close" in later else cycle.standard
    update = {"history": history, "plan": plan, "checks": checks, "standard": standard}
    return cycle.model_copy(update=update)


def _said(state: State) -> str:
    return "not there yet" if state == "none" else state


def _moved(now: Course, entry: Entry) -> Course:
    at, state = entry.at, _BECOMES.get(entry.what, now.state)
    if entry.what == "add":
        return Course(state=state, opened=at, rounds=1)
    if entry.what == "reopen":
        return Course(state=state, opened=now.opened, rounds=now.rounds + 1)
    if entry.what == "plan":
        first = now.first_due or entry.due
        return replace(now, state=state, planned=now.planned or at, due=entry.due, first_due=first)
    if entry.what == "extend":
        return replace(now, due=entry.due)
    if entry.what == "start":
        return replace(now, state=state, started=at)
    if entry.what == "check":
        return replace(now, state=state, checked=at)
    return replace(now, state=state, closed=at)


def _plan_faults(plan: Plan) -> Iterator[Fault]:
    for name in ("baseline", "window"):
        days = getattr(plan, name)
        if days is not None and days[0] > days[1]:
            yield Fault(("plan", name), f"must start before it ends, not {days[0]} to {days[1]}")
    if plan.baseline and plan.window and plan.baseline[1] >= plan.window[0]:
        yield Fault(
            ("plan", "baseline"),
            f"must end before the window starts ({plan.window[0]}), not {plan.baseline[1]}",
        )
    if plan.window and plan.due and plan.due < plan.window[1]:
        yield Fault(("plan", "due"), f"must not be before the window ends ({plan.window[1]}), not {plan.due}")
    if plan.gain is not None and plan.gain <= 0:
        yield Fault(("plan", "gain"), f"must be above 0 (how far to the better side), not {plan.gain:g}")
    if plan.gain is not None and plan.predicted is not None and plan.predicted < plan.gain:
        yield Fault(
            ("plan", "predicted"), f"must not be below the gain ({plan.gain:g}), not {plan.predicted:g}"
        )
    for cut in plan.where.keys() & plan.compare.keys():
        if both := sorted(set(plan.where[cut]) & set(plan.compare[cut])):
            yield Fault(("plan", "compare"), f"must not share {', '.join(both)} with where")
    if plan.compare and not plan.where:
        yield Fault(("plan", "compare"), "needs `where`: whom the action concerns")


def _plan_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    if cycle.plan is None:
        yield "plan needs a [plan]. Write it with `csimprove pdca plan`"


def _start_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    entry, plan = cycle.history[place], cycle.plan or Plan()
    if any(later.what in ("plan", "reopen") for later in cycle.history[place:]):
        return  # an earlier round: its plan is no longer in the file
    if lacking := plan.lacking:
        yield (
            f"start needs a plan with {', '.join(NEEDED)}; it lacks {', '.join(lacking)}. "
            "Add them with `csimprove pdca plan`"
        )
    elif plan.window and entry.at.date() > plan.window[0]:
        yield (
            f"start must not be after the window begins ({plan.window[0]}), not on {entry.at.date()}: how "
            "the effect is judged is set beforehand. Choose a later window with `csimprove pdca plan`"
        )
    if entry.plan != plan.hash:
        yield (
            f"the plan was changed after the start (its hash is {plan.hash}, at the start it was "
            f"{entry.plan}). Restore it, or reopen the cycle and plan again"
        )


def _check_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    entry = cycle.history[place]
    found = next((one for one in cycle.checks if one.at == entry.at), None)
    if found is None:
        yield "check needs a measured [[checks]] of the same moment. Make it with `csimprove pdca check`"
    elif found.as_of > entry.at:
        yield (
            f"check must not use data of a later moment ({found.as_of}) than its own ({entry.at}). "
            "Give `--as-of`"
        )
    elif same_person(found.by, found.owner) or same_person(entry.who, found.owner):
        yield f"check {OTHER}, not by {entry.who}. {ASK}"


def _close_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    entry = cycle.history[place]
    last = next((one for one in reversed(cycle.checks) if one.at <= entry.at), None)
    if any(later.what == "reopen" for later in cycle.history[place:]):
        return  # what was the standard then is no longer in the file
    if last is not None and last.verdict == "confirmed" and not cycle.standard:
        yield "close needs `standard`: what becomes the standard now that the effect is confirmed"
    elif last is not None and last.verdict != "confirmed" and not entry.why:
        yield (
            f"close needs a reason (why), because the effect is not confirmed ({last.verdict}). "
            "Give one, or plan again with `csimprove pdca reopen`"
        )


def _reopen_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    if not cycle.history[place].why:
        yield "reopen needs a reason (why)"


def _extend_guard(cycle: Cycle, place: int, now: Course) -> Iterator[str]:
    entry = cycle.history[place]
    if not entry.why:
        yield "extend needs a reason (why)"
    if entry.due is None or now.due is None or entry.due <= now.due:
        yield f"extend needs a later due date than {now.due or 'the plan, which has none'}, not {entry.due}"


_GUARDS: dict[What, Callable[[Cycle, int, Course], Iterator[str]]] = {
    "plan": _plan_guard,
    "start": _start_guard,
    "check": _check_guard,
    "close": _close_guard,
    "reopen": _reopen_guard,
    "extend": _extend_guard,
}


def _check_faults(cycle: Cycle) -> Iterator[Fault]:
    told = {entry.at for entry in cycle.history if entry.what == "check"}
    for place, one in enumerate(cycle.checks):
        if one.seal != one.own_seal:
            yield Fault(("checks", place), "was edited after it was measured. Restore it, or check again")
        if one.at not in told:
            yield Fault(("checks", place), f"has no entry in the history ({one.at})")


def listed(*messages: str) -> str:
    """Return sentences as indented lines, each with its full stop."""
    return "".join(f"\n  {message}" + "." * (message[-1] not in ".?") for message in messages)


def same_person(one: str, other: str) -> bool:
    """Whether two names are one, whatever their case and spaces."""
    return "".join(one.split()).casefold() == "".join(other.split()).casefold()


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:_HASH]
