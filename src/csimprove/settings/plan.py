"""The pilot's plan: what is compared with what, and how it may contradict itself."""

from __future__ import annotations

import typing
from datetime import date
from typing import Literal

from pydantic import Field

from csimprove.settings.base import Frozen, Number, Share


class NextStep(Frozen):
    """What follows a verdict."""

    verdict: Literal["go", "extend", "stop", "cannot_tell"]
    action: str
    owner: str
    due: date | None = None


class StaffFeedback(Frozen):
    """How many of the pilot's staff find the process clearer, of those asked."""

    yes: int = Field(strict=True, ge=0)
    asked: int = Field(strict=True, ge=1)


class PilotPlan(Frozen):
    """Pilot against control, fixed before the first look."""

    unit: str = "team"
    #: column whose values say which arm a ticket's unit belongs to
    group: str = "region"
    pilot: tuple[str, ...] = Field(min_length=1)
    control: tuple[str, ...] = Field(min_length=1)
    #: how it was decided who is in the pilot, such as "drawn by lot"; none: not at random
    assignment: str | None = None
    #: why these groups; a pilot chosen for its bad results gets better by itself
    chosen_for: Literal["volume", "bad_results", "other"] = "other"
    before: tuple[date, date]
    during: tuple[date, date]
    #: first day of the history on which the design is tried; none: all that the data hold
    history: date | None = None
    co_primary: tuple[str, ...] = ("response_on_time", "first_contact_resolution")
    secondary: tuple[str, ...] = ()
    guardrail: tuple[str, ...] = ()
    #: minimum worthwhile gain of each co-primary, in the metric's unit, towards the better side
    minimum_gain: dict[str, Number] = {}
    #: how far a guardrail may move to the worse side, in the metric's unit
    margin: dict[str, Number] = {}
    strata: tuple[str, ...] = ("channel", "severity")
    #: the process changes routing or severity labels: crude rates are primary; says why
    crude_reason: str | None = None
    #: share by which the pilot's volume may move against the controls; the same in points for its mix of
    #: tickets
    volume_margin: Share = 0.10
    #: days of the planned looks before the decision date
    looks: tuple[date, ...] = ()
    decision_date: date | None = None
    #: the latest day to which the pilot could be extended; none: it cannot
    extendable_to: date | None = None
    next_steps: tuple[NextStep, ...] = ()
    staff_feedback: StaffFeedback | None = None
    #: question of a survey whose favourable answers of staff are counted instead of ``staff_feedback``
    staff_question: str | None = None

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric of the plan, co-primaries first."""
        return (*self.co_primary, *self.secondary, *self.guardrail)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything by which the plan contradicts itself, one sentence each.

        They are not raised when the file is read: whoever uses the plan adds what the data contradict and
        says all of it at once.
        """
        return (*self._window_problems(), *self._role_problems())

    def _window_problems(self) -> typing.Iterator[str]:
        for name in ("before", "during"):
            first, last = getattr(self, name)
            if first > last:
                yield f"`{name}` must start before it ends, not {first} to {last}"
        (_, before_ends), (starts, ends) = self.before, self.during
        if before_ends >= starts:
            yield f"`before` must end before `during` starts, not {before_ends} and {starts}"
        if self.history is not None and self.history > self.before[0]:
            yield f"`history` must not start after `before` ({self.before[0]}), not {self.history}"
        decided = self.decision_date
        if decided is not None and decided < ends:
            yield f"`decision_date` must not be before the pilot ends ({ends}), not {decided}"
        for day in self.looks:
            if day < starts:
                yield f"`looks` must not be before the pilot starts ({starts}), not {day}"
            if day > ends:
                yield f"`looks` must not be after the pilot ends ({ends}), not {day}"
            elif day == decided:
                yield f"`looks` must not hold the decision date ({day}): it is always the last look"
        if list(self.looks) != sorted(set(self.looks)):
            yield f"`looks` must be in order, not {', '.join(map(str, self.looks))}"

    def _role_problems(self) -> typing.Iterator[str]:
        if self.unit == "ticket_id":
            yield (
                "`unit` must be what was assigned to an arm, such as team, not ticket_id: tickets of one "
                "team are alike, so a p-value on tickets calls 65 to 76 of 100 pilots without any effect "
                "significant"
            )
        if both := sorted(set(self.pilot) & set(self.control)):
            yield f"`pilot` and `control` must not share {', '.join(both)}"
        if twice := sorted({name for name in self.metrics if self.metrics.count(name) > 1}):
            yield f"a metric must have one role, not two: {', '.join(twice)}"
        for key, role in (("minimum_gain", "co_primary"), ("margin", "guardrail")):
            asked, names = getattr(self, key), getattr(self, role)
            yield from (f"`{key}` must hold {name}" for name in names if name not in asked)
            for name, value in asked.items():
                if name not in names:
                    yield f"`{key}` must be of metrics in `{role}`, not {name}: add it there or leave it out"
                if value <= 0:
                    yield f"`{key}.{name}` must be above 0 (how far, whatever the better side), not {value:g}"
        answers = self.staff_feedback
        if answers is not None and self.staff_question is not None:
            yield "`staff_feedback` must not stand beside `staff_question`: the answers count once"
        if answers is not None and answers.yes > answers.asked:
            yield f"`staff_feedback.yes` must not be above `asked`, not {answers.yes} of {answers.asked}"
