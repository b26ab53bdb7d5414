"""The tables of a playbook.toml, beside the source and the pilot's plan, and the whole of it."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from csimprove import columns
from csimprove.settings.base import Frozen, Language, Number
from csimprove.settings.brand import Report
from csimprove.settings.causes import Causes
from csimprove.settings.indicators import Clock, Customers, MetricSettings, OwnMetric, Records
from csimprove.settings.plan import PilotPlan
from csimprove.settings.programme import Pdca, Schedule, Trigger, Version
from csimprove.settings.source import Source
from csimprove.settings.surveys import Survey
from csimprove.settings.texts import known_zone, members, parse_interval, parse_limit, slug

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Calendar(Frozen):
    """When the service is open. Without ``hours`` it is always open."""

    zone: str = "UTC"
    #: weekday = local intervals "HH:MM-HH:MM"; an end at or before its start lies on the next day; "24:00" is
    #: midnight
    hours: dict[Weekday, tuple[str, ...]] | None = None
    #: public holidays to observe: "CN" (with make-up workdays) or none
    holidays: Literal["CN"] | None = None
    #: own days off and own extra working days, which win over ``holidays``
    closed: tuple[date, ...] = ()
    open: tuple[date, ...] = ()
    #: weekday whose hours a make-up or extra working day has
    open_as: Weekday = "mon"

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return known_zone(value)

    @field_validator("hours")
    @classmethod
    def _intervals(
        cls, value: dict[Weekday, tuple[str, ...]] | None
    ) -> dict[Weekday, tuple[str, ...]] | None:
        for weekday, intervals in (value or {}).items():
            for interval in intervals:
                parse_interval(interval, where=weekday)
        return value


class SlaRule(Frozen):
    """One limit. Keys left out match everything; of several matching rules the one with most keys wins."""

    measure: Literal["first_response", "resolution"]
    #: "15 min", "2 h", "3 d" (1 d is 24 hours)
    limit: str
    clock: Clock = "business"
    stage: str | None = None
    channel: str | None = None
    severity: str | None = None

    @field_validator("limit")
    @classmethod
    def _parsable(cls, value: str) -> str:
        parse_limit(value)
        return value


class Sla(Frozen):
    """Limits of first response and resolution."""

    rules: tuple[SlaRule, ...] = ()
    #: "due_at": the resolution limit is the source's own due time, tickets without one have no limit
    resolution: Literal["rules", "due_at"] = "rules"
    #: count tickets resolved without any public reply as late first responses
    count_no_reply: bool = False


class Phase(Frozen):
    """A declared change of the process: control charts estimate their limits anew from here."""

    name: str = Field(min_length=1)
    start: date
    #: what is different from this day on: without a reason there is no new phase
    reason: str = Field(min_length=1)


class Spc(Frozen):
    """How control charts look for signals."""

    rules: Literal[
        "limits", "anhoej", "limits_anhoej", "western_electric", "nelson", "making_data_count", "none"
    ] = "limits_anhoej"
    #: day = reason: drawn, but neither limits nor signals see it
    exclude: dict[date, Annotated[str, Field(min_length=1)]] = {}
    #: last day from which the limits of the first phase come; they stay as they are. None: all its days
    baseline: date | None = None
    #: metric = day from which it holds = target, where charts cross a change of the target
    targets: dict[str, dict[date, Number]] = {}


class AlertRule(Frozen):
    """An own rule, beside the alert threshold of each metric."""

    metric: str
    #: none: the metric's own
    threshold: Number | None = None
    #: one look at each group of this column; none: all tickets together
    cut: str | None = None
    #: length of the period, ending with the last day that is decided for the metric
    days: int = Field(default=7, ge=1, strict=True)
    #: role, of [alerting.recipients], that is told
    to: str = "team_lead"


class Alerting(Frozen):
    """Where alerts go by e-mail. The password stands in an environment variable, never in this file."""

    host: str = Field(min_length=1)
    port: int = Field(default=587, ge=1, le=65535, strict=True)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    #: name of the environment variable that holds the password
    password_env: str = "CSIMPROVE_SMTP_PASSWORD"
    sender: str = Field(min_length=3)
    #: role = addresses
    recipients: dict[str, tuple[str, ...]] = Field(min_length=1)


class Engine(Frozen):
    """What reading and measuring may use of the machine."""

    threads: int = Field(default=2, ge=1)
    #: of the engine's own memory; beyond it the disk is used
    memory_limit: str = "1GB"

    @field_validator("memory_limit")
    @classmethod
    def _size(cls, value: str) -> str:
        if not re.fullmatch(r"[1-9]\d*(MB|GB|TB)", value):
            raise ValueError(f'must be a size such as "500MB" or "4GB", not {value!r}')
        return value


class Settings(Frozen):
    """One playbook.toml.

    ``file`` is where it was read from; paths are resolved against its folder.
    """

    project: str = Field(min_length=1)
    language: Language = "en"
    source: Source
    calendar: Calendar = Calendar()
    sla: Sla = Sla()
    #: columns by which measures are kept, beside day and the pilot's own
    cuts: tuple[str, ...] = ("region", "team", "channel", "severity")
    #: period of the baseline, local days; none: the pilot's ``before``, else all days
    baseline: tuple[date, date] | None = None
    metrics: dict[str, MetricSettings] = {}
    own_metrics: tuple[OwnMetric, ...] = ()
    records: Records = Records()
    customers: Customers | None = None
    pilot: PilotPlan | None = None
    surveys: tuple[Survey, ...] = ()
    phases: tuple[Phase, ...] = ()
    spc: Spc = Spc()
    causes: Causes = Causes()
    alerts: tuple[AlertRule, ...] = ()
    alerting: Alerting | None = None
    pdca: Pdca = Pdca()
    triggers: tuple[Trigger, ...] = ()
    versions: tuple[Version, ...] = ()
    schedule: Schedule | None = None
    report: Report = Report()
    engine: Engine = Engine()
    #: cut = the values whose tickets alone are measured; none: all tickets
    only: dict[str, tuple[str, ...]] = {}
    file: Path = Path("playbook.toml")

    @field_validator("cuts", "only")
    @classmethod
    def _cuts(cls, value: Any) -> Any:
        members(tuple(value), columns.CUTS, "a column to cut by")
        return value

    @field_validator("own_metrics")
    @classmethod
    def _once(cls, value: tuple[OwnMetric, ...]) -> tuple[OwnMetric, ...]:
        names = [one.name for one in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each own metric must have a name of its own, not twice {', '.join(twice)}")
        return value

    @field_validator("surveys")
    @classmethod
    def _names(cls, value: tuple[Survey, ...]) -> tuple[Survey, ...]:
        names = [survey.name for survey in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"each must have a name of its own, not two {', '.join(twice)}")
        return value

    def goal(self, metric: str) -> MetricSettings | OwnMetric | None:
        """Return what the project set for a metric of the catalogue or of its own."""
        own = next((one for one in self.own_metrics if one.name == metric), None)
        return own or self.metrics.get(metric)

    @property
    def title(self) -> str:
        """Name of the project, and of the tickets to which it is restricted."""
        return ": ".join([self.project, *(", ".join(values) for values in self.only.values())])

    @property
    def folder(self) -> Path:
        """Folder of the settings file, absolute."""
        return self.file.resolve().parent

    @property
    def reports(self) -> Path:
        """Folder of this project's runs, absolute."""
        return (self.folder / self.report.folder / slug(self.project)).resolve()

    def path(self, relative: str) -> Path:
        """Absolute path of a file that the settings name."""
        return (self.folder / relative).resolve()
