"""What people do to the register: each command appends an entry, and its guards refuse what breaks a rule."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from csimprove.errors import SettingsError
from csimprove.pdca.cycle import ASK, OTHER, Check, Cycle, Entry, Plan, What, course, listed, same_person
from csimprove.pdca.effect import PlanError, effect, undecided_until
from csimprove.pdca.register import create_cycle, find_cycle, write_cycle
from csimprove.settings import Settings

if TYPE_CHECKING:  # annotations only: the register needs no engine
    from csimprove.metrics import Measures


def add_cycle(settings: Settings, *, title: str, who: str, at: datetime, **words: Any) -> Cycle:
    """Open a new cycle.

    Parameters
    ----------
    settings
        The project's settings.
    title, who
        What it is about, and who opens it.
    at
        Moment, aware.
    **words
        ``event``, ``background``, ``causes``, ``countermeasures``.

    Returns
    -------
    Cycle
        As it was written, with its number and file.

    Raises
    ------
    SettingsError
        If a field breaks a rule.
    """
    entry = _made(Entry, "add", at=at, who=who, what="add")
    draft = _made(Cycle, "add", id=1, title=title, history=(entry,), **words)
    return create_cycle(settings, draft)


def plan_cycle(
    settings: Settings,
    number: int,
    *,
    who: str,
    at: datetime,
    fields: dict[str, Any],
    words: dict[str, Any] | None = None,
) -> Cycle:
    """Write or complete the plan of a cycle that has not been started.

    Parameters
    ----------
    settings, number
        Which cycle.
    who, at
        Who plans, and when.
    fields
        Fields of the plan that are set; the others stay.
    words
        Fields of the cycle: ``background``, ``causes``, ``countermeasures``.

    Returns
    -------
    Cycle
        As it was written.

    Raises
    ------
    SettingsError
        If a guard refuses; nothing is written then.
    """
    cycle, text = _read(settings, number)
    kept = cycle.plan.model_dump(exclude_defaults=True) if cycle.plan else {}
    plan = _made(Plan, "plan", **(kept | fields))
    entry = {"due": plan.due}
    return _append(cycle, text, "plan", who=who, at=at, entry=entry, plan=plan, **(words or {}))


def start_cycle(settings: Settings, number: int, *, who: str, at: datetime) -> Cycle:
    """Start the Do of a cycle; its plan is fixed from here. Parameters as for :func:`plan_cycle`."""
    cycle, text = _read(settings, number)
    fixed = cycle.plan.hash if cycle.plan else None
    return _append(cycle, text, "start", who=who, at=at, entry={"plan": fixed})


def check_cycle(settings: Settings, number: int, *, who: str, at: datetime, measures: Measures) -> Cycle:
    """Measure the effect of a cycle and store it with the hashes of data, settings and plan.

    Parameters
    ----------
    settings, number
        Which cycle.
    who, at
        Who checks, somebody other than the owner, and when.
    measures
        The project's measures as of a moment at which the window is decided.

    Returns
    -------
    Cycle
        As it was written.

    Raises
    ------
    SettingsError
        If a guard refuses, or the window is not decided; nothing is written then.
    """
    cycle, text = _read(settings, number)
    plan = cycle.plan
    if plan is None or plan.lacking or course(cycle).state not in ("doing", "checked"):
        return _append(cycle, text, "check", who=who, at=at)  # the guard says what is missing
    if same_person(who, str(plan.owner)):
        raise _refusal(cycle, "check", f"check {OTHER}, not by {who}. {ASK}")
    try:
        if day := undecided_until(measures, plan):
            reach = f"its window is decided on {day}, the data reach to {measures.today}. Check then"
            raise _refusal(cycle, "check", reach)
        found = effect(measures, plan)
    except PlanError as error:
        raise _refusal(cycle, "check", *error.problems) from None
    metric = measures.metric(str(plan.metric))
    draft = Check(
        at=at,
        by=who,
        owner=str(plan.owner),
        metric=metric.name,
        unit=metric.unit,
        better=metric.better,
        gain=float(plan.gain or 0),
        predicted=plan.predicted,
        as_of=measures.as_of,
        data=measures.reading.sha256,
        settings=hashlib.sha256(settings.file.read_bytes()).hexdigest(),
        plan=plan.hash,
        **{name: _short(value) for name, value in asdict(found).items()},
    )
    check = draft.model_copy(update={"seal": draft.own_seal})
    return _append(cycle, text, "check", who=who, at=at, checks=(*cycle.checks, check))


def close_cycle(
    settings: Settings, number: int, *, who: str, at: datetime, standard: str = "", why: str = ""
) -> Cycle:
    """Close a checked cycle: ``standard`` is what becomes the standard, ``why`` the reason if it does not."""
    cycle, text = _read(settings, number)
    return _append(
        cycle, text, "close", who=who, at=at, entry={"why": why}, standard=standard or cycle.standard
    )


def reopen_cycle(settings: Settings, number: int, *, who: str, at: datetime, why: str) -> Cycle:
    """Begin a new round of a cycle: it is planned again, its checks stay. Parameters as for `close_cycle`."""
    cycle, text = _read(settings, number)
    plan = cycle.plan and cycle.plan.model_copy(update={"due": None, "baseline": None, "window": None})
    return _append(cycle, text, "reopen", who=who, at=at, entry={"why": why}, plan=plan)


def extend_cycle(settings: Settings, number: int, *, who: str, at: datetime, due: date, why: str) -> Cycle:
    """Move the due date; the original one and the reason stay in the history."""
    cycle, text = _read(settings, number)
    plan = cycle.plan and cycle.plan.model_copy(update={"due": due})
    return _append(cycle, text, "extend", who=who, at=at, entry={"why": why, "due": due}, plan=plan)


def _read(settings: Settings, number: int) -> tuple[Cycle, str]:
    cycle = find_cycle(settings, number)
    return cycle, cycle.file.read_text(encoding="utf-8")


def _append(
    cycle: Cycle,
    text: str,
    what: What,
    *,
    who: str,
    at: datetime,
    entry: dict[str, Any] | None = None,
    **changed: Any,
) -> Cycle:
    line = _made(Entry, what, at=at, who=who, what=what, **(entry or {}))
    values = dict(cycle) | changed | {"history": (*cycle.history, line)}
    made = _made(Cycle, what, **values)
    if faults := course(made).faults:
        raise _refusal(cycle, what, *(fault.message for fault in faults))
    return write_cycle(made, read=text)


def _refusal(cycle: Cycle, what: str, *messages: str) -> SettingsError:
    return SettingsError(f"`csimprove pdca {what}` is refused for {cycle.file.name}:{listed(*messages)}")


def _made(model: Any, command: str, /, **values: Any) -> Any:
    try:
        return model(**values)
    except ValidationError as error:
        lines = []
        for item in error.errors(include_url=False):
            key = ".".join(str(part) for part in item["loc"])
            rule = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            lines.append(f"\n  {key}: {rule}, not {item['input']!r}.")
        raise SettingsError(f"`csimprove pdca {command}` is refused:" + "".join(lines)) from None


def _short(value: Any) -> Any:
    """Keep ten digits of a float: more than anybody reads, fewer than machines disagree on."""
    return float(f"{value:.10g}") if isinstance(value, float) else value
