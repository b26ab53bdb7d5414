"""What a project sets for metrics of the catalogue, metrics of its own, and what a complete record holds."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field, field_validator, model_validator

from csimprove import columns
from csimprove.settings.base import Frozen, Number
from csimprove.settings.source import DURATIONS, MAPPABLE
from csimprove.settings.texts import members, parse_limit, parse_working_days

Clock = Literal["business", "calendar"]


class EventLimit(Frozen):
    """An event that must come within a limit of a start, both columns of times."""

    event: str
    start: str
    #: "30 min", "48 h" or "3 working days": until the end of the third working day after the day of the start
    limit: str
    #: working days are those of the calendar, whatever the clock
    clock: Clock


class MetricSettings(Frozen):
    """What a project sets for a metric; the rest is the catalogue's."""

    target: Number | None = None
    alert: Number | None = None
    #: which of the metric's published definitions (docs/metrics.md)
    variant: str | None = None
    owner: str | None = None
    due: date | None = None
    #: of metrics that wait for a reopening or a repeat contact: how many days
    window_days: int | None = Field(default=None, strict=True, ge=1, le=365)
    #: of metrics with a limit: "30 min", "48 h", "3 working days"; and on which clock it runs
    limit: str | None = None
    clock: Clock | None = None
    #: of waiting time: the unit to show it in, and the two channels of ``variant = "channel_mean"``
    unit: Literal["minutes", "seconds"] | None = None
    channels: tuple[str, str] | None = None

    @field_validator("limit")
    @classmethod
    def _parsable(cls, value: str | None) -> str | None:
        return None if value is None else _limit(value)


def _limit(value: str) -> str:
    if parse_working_days(value) is None:
        parse_limit(value)
    return value


class Names(Frozen):
    """What a metric of the project's own is called."""

    en: str = Field(min_length=1)
    zh: str = Field(min_length=1)


class OwnMetric(Frozen):
    """A metric that the catalogue does not have."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    label: Names
    #: "share" of tickets whose ``column`` has one of ``values``, "mean" of a number or duration ``column``,
    #: or "within_limit": share of tickets with ``start`` whose ``event`` comes in time
    kind: Literal["share", "mean", "within_limit"]
    better: Literal["higher", "lower"]
    target: Number | None = None
    alert: Number | None = None
    owner: str | None = None
    due: date | None = None
    column: str | None = None
    values: tuple[str, ...] = ()
    event: str | None = None
    start: str = "opened_at"
    limit: str | None = None
    clock: Clock = "business"
    #: of a mean; none: minutes for durations, else a plain number
    unit: Literal["seconds", "minutes", "hours", "days"] | None = None
    #: column = values: only these tickets count
    where: dict[str, tuple[str, ...]] = {}

    @model_validator(mode="after")
    def _complete(self) -> OwnMetric:
        members(self.where, _TEXTS, "a column of texts, yes or no")
        needed = {"share": ("column", "values"), "mean": ("column",), "within_limit": ("event", "limit")}
        if missing := [name for name in needed[self.kind] if not getattr(self, name)]:
            raise ValueError(f"{self.name}: kind {self.kind!r} needs {' and '.join(missing)}")
        if self.kind == "within_limit":
            members([name for name in (self.event, self.start) if name], _TIMES, "a column of times")
            _limit(self.limit or "")
        else:
            known = _TEXTS if self.kind == "share" else _NUMBERS
            what = "texts, yes or no" if self.kind == "share" else "numbers or durations"
            members([self.column or ""], known, f"a column of {what}")
        if self.unit and self.column not in DURATIONS:
            raise ValueError(f"{self.name}: `unit` is for columns of durations, not {self.column}")
        return self


_TEXTS, _NUMBERS, _TIMES = (
    [name for name, kind in columns.TICKETS.items() if kind in kinds and name in MAPPABLE]
    for kinds in (("VARCHAR", "BOOLEAN"), ("SMALLINT", "BIGINT"), ("TIMESTAMP",))
)


class Customers(Frozen):
    """How many customers there are, or a table of them, one row a customer."""

    #: number of customers; none: those of the table that are not lost
    count: int | None = Field(default=None, strict=True, ge=1)
    #: CSV, XLSX, Parquet or a DuckDB database
    path: str | None = None
    table: str | None = None
    delimiter: str | None = None
    encoding: str | None = None
    #: strptime formats of the days; none: the year first
    formats: tuple[str, ...] = ()
    #: texts that mean "no value", beside the empty text
    missing: tuple[str, ...] = ()
    #: headings of the first day as a customer and of the day on which one was lost
    since: str | None = None
    lost_on: str | None = None
    #: heading of a yes or no that does not say when a customer was lost
    churned: str | None = None
    #: headings to cut churn by
    cuts: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _complete(self) -> Customers:
        headings = (self.since, self.lost_on, self.churned)
        if self.path is None and (self.count is None or any(headings) or self.cuts):
            raise ValueError("needs `path` of a table of customers, or only their `count`")
        if self.path is not None and not (self.churned or (self.since and self.lost_on)):
            raise ValueError("a table of customers needs `since` and `lost_on`, or `churned`")
        return self


class Records(Frozen):
    """What a complete record holds."""

    #: columns that every record must fill; none: completeness is not measured
    required: tuple[str, ...] = ()
    #: results that say nothing, beside the shipped ones such as "已解决" and "customer satisfied"
    vague: tuple[str, ...] = ()

    @field_validator("required")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        members(value, MAPPABLE, "a column that can be mapped")
        return value
