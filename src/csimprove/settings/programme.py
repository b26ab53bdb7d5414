"""The programme around the figures: who is told and when, versions of the process, phases and gates."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from csimprove import columns
from csimprove.settings.base import Frozen, Number
from csimprove.settings.texts import members, parse_limit

Name = Annotated[str, Field(min_length=1)]
#: Cut = the values kept.
Where = dict[str, Annotated[tuple[Name, ...], Field(min_length=1)]]
Count = Annotated[int, Field(strict=True, ge=1)]


class Pdca(Frozen):
    """The register of actions, and how exceptions and overdue actions are escalated."""

    #: one file an action, beside the settings
    folder: Name = "pdca"
    #: "calendar": 1 d is 24 hours; "business": d counts working days of [calendar]
    clock: Literal["calendar", "business"] = "calendar"
    #: who is told at each level, lowest first
    levels: Annotated[tuple[Name, ...], Field(min_length=1)] = ("team_lead",)
    #: from the alert to its report (cause and measure), and to the start of the measure; what is overdue goes
    #: up one level each time ``correct_within`` passes
    report_within: str = "24 h"
    correct_within: str = "3 d"
    #: alerts before this day and feedback before its month ask for nothing; none: after the baseline
    since: date | None = None

    @field_validator("report_within", "correct_within")
    @classmethod
    def _parsable(cls, value: str) -> str:
        parse_limit(value)
        return value

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        for name in ("report_within", "correct_within"):
            value = getattr(self, name)
            if self.clock == "business" and not value.replace(" ", "").removesuffix("d").isdigit():
                raise ValueError(
                    f'with clock = "business" `{name}` must be whole working days such as "1 d", '
                    f"not {value!r}"
                )
        return self


class Trigger(Frozen):
    """So many tickets with these values in a calendar month open a proposal."""

    name: Name
    column: str = "cause"
    values: Annotated[tuple[Name, ...], Field(min_length=1)]
    count: Count = 10

    @field_validator("column")
    @classmethod
    def _known(cls, value: str) -> str:
        members([value], columns.CUTS, "a column to cut by")
        return value


class Version(Frozen):
    """A version of the process: a phase on every chart, a cohort in comparisons."""

    version: Name
    start: date
    changed: Name
    #: whom it reaches; none: everybody
    where: Where = {}
    trained: int | None = Field(default=None, strict=True, ge=0)
    staff: int | None = Field(default=None, strict=True, ge=1)

    @model_validator(mode="after")
    def _trained_of_staff(self) -> Self:
        if (self.trained is None) != (self.staff is None):
            raise ValueError("`trained` and `staff` go together: so many of so many")
        if self.trained is not None and self.staff is not None and self.trained > self.staff:
            raise ValueError(f"`trained` must not be above `staff`, not {self.trained} of {self.staff}")
        return self


class Evidence(Frozen):
    """What a gate asks for; its status is computed, never typed."""

    #: a file of the project
    file: Name | None = None
    #: a figure or code of a result, such as "pilot.verdict", and what it must be
    result: Name | None = None
    equals: str | None = None
    #: a metric from ``first`` to ``last``, and the value it must reach towards its better side
    metric: Name | None = None
    reaches: Number | None = None
    first: date | None = None
    last: date | None = None
    #: number of an action of the register that must be closed with its effect confirmed
    cycle: Count | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        needs: dict[str, tuple[str, ...]] = {
            "file": (),
            "result": ("equals",),
            "metric": ("reaches", "first", "last"),
            "cycle": (),
        }
        kinds = [name for name in needs if getattr(self, name) is not None]
        if len(kinds) != 1:
            raise ValueError(f"evidence must name one of {', '.join(needs)}, not {len(kinds)} of them")
        lacking = [name for name in needs[kinds[0]] if getattr(self, name) is None]
        if lacking:
            raise ValueError(f"evidence of a {kinds[0]} must have {' and '.join(lacking)}")
        return self


class Gate(Frozen):
    """Where a phase ends: passed when all its evidence is there."""

    name: Name
    due: date
    evidence: Annotated[tuple[Evidence, ...], Field(min_length=1)]


class Span(Frozen):
    """Something with a first and a last day."""

    name: Name
    first: date
    last: date

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"must start before it ends, not {self.first} to {self.last}")
        return self


class Task(Span):
    """Work of a phase."""

    owner: str | None = None
    #: day on which it was finished
    done: date | None = None


class SchedulePhase(Span):
    """A phase of the programme."""

    tasks: tuple[Task, ...] = ()
    gate: Gate | None = None


class PlannedKpi(Frozen):
    """What a metric is planned to be on some days; between them a straight line."""

    metric: Name
    path: Annotated[dict[date, Number], Field(min_length=2)]


class Schedule(Frozen):
    """Who does what by when."""

    phases: Annotated[tuple[SchedulePhase, ...], Field(min_length=1)]
    kpis: tuple[PlannedKpi, ...] = ()
