"""playbook.toml as typed, frozen settings: read once, every mistake in one message.

Paths in the file are relative to the file. Days are local days of ``calendar.zone``, both ends included.
"""

from __future__ import annotations

import codecs
import difflib
import re
import tomllib
import types
import typing
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from csimprove import columns
from csimprove.errors import SettingsError

Language = Literal["en", "zh"]
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Clock = Literal["business", "calendar"]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Number = Annotated[float, Field(strict=True)]

#: Units in which a source column may state a duration, in seconds.
DURATION_UNITS = {"milliseconds": 0.001, "seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
DurationUnit = Literal["milliseconds", "seconds", "minutes", "hours", "days"]

#: What a heading may be mapped to: every canonical column that is not computed, and the customer.
MAPPABLE = (
    *(name for name in columns.TICKETS if name not in ("row", "recontact_at", "customer_key")),
    columns.CUSTOMER,
)
#: Canonical columns that hold a duration.
DURATIONS = tuple(name for name in columns.TICKETS if name.endswith(("_minutes", "_seconds")))


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Source(_Settings):
    """Where the tickets are and how their file is to be read."""

    #: a file, a folder, or a pattern such as "exports/2025-*.csv": CSV, XLSX, Parquet or a DuckDB database
    path: str
    #: table of a DuckDB database, sheet of a workbook; none: the only table, the first sheet
    table: str | None = None
    preset: str | None = None
    #: canonical column = heading in the file, or several whose texts are joined by a space, as a day and a
    #: clock; wins over the preset
    columns: dict[str, str | tuple[str, ...]] = {}
    #: canonical duration column = unit in the file; wins over the preset
    units: dict[str, DurationUnit] = {}
    #: canonical duration column = limit: the file states what is left of it, below 0 when it is passed
    remaining: dict[str, str] = {}
    #: zone of the times in the file, an IANA name
    zone: str = "UTC"
    #: formats of times, strptime style or "unix" (seconds) or "unix_ms", tried in order; empty: found from
    #: the file, which must tell whether the day or the month comes first
    formats: tuple[str, ...] = ()
    #: texts that mean "no value", beside the empty text and those of the preset
    missing: tuple[str, ...] = ()
    #: canonical column = {text in the file = value to use}; ticket values not listed stay as they are
    values: dict[str, dict[str, str]] = {}
    #: name of a rule = {canonical column = texts}: tickets left out, counted under that name. All columns
    #: of a rule must match, as they read after ``values``; of several matching rules the first one counts
    exclude: dict[str, dict[str, tuple[str, ...]]] = {}
    #: file of pauses: columns ticket_id, start_at, end_at
    pauses: str | None = None
    #: what stands between two values; none: found from the heading
    delimiter: str | None = None
    #: a name that Python knows; none: UTF-8, UTF-16 with its mark, else GB18030
    encoding: str | None = None

    @field_validator("columns", "values")
    @classmethod
    def _known_columns(cls, value: dict[str, Any]) -> dict[str, Any]:
        _members(value, MAPPABLE, "a column that can be mapped")
        return value

    @field_validator("units", "remaining")
    @classmethod
    def _known_durations(cls, value: dict[str, str]) -> dict[str, str]:
        _members(value, DURATIONS, "a column of durations")
        return value

    @field_validator("remaining")
    @classmethod
    def _limits(cls, value: dict[str, str]) -> dict[str, str]:
        for limit in value.values():
            parse_limit(limit)
        return value

    @field_validator("exclude")
    @classmethod
    def _known_rules(
        cls, value: dict[str, dict[str, tuple[str, ...]]]
    ) -> dict[str, dict[str, tuple[str, ...]]]:
        for rule, conditions in value.items():
            if rule == "duplicate_id" or not conditions:
                raise ValueError(
                    f"a rule must name a column and must not be called duplicate_id, not {rule!r}"
                )
            _members(conditions, MAPPABLE, "a column that can be mapped")
        return value

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        if value is not None and len(value) != 1:
            raise ValueError(f'must be one character such as ";" or "\\t", not {value!r}')
        return value

    @field_validator("encoding")
    @classmethod
    def _known_encoding(cls, value: str | None) -> str | None:
        try:
            codecs.lookup(value or "utf-8")
        except LookupError:
            raise ValueError(f'must be an encoding such as "gb18030" or "cp1252", not {value!r}') from None
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        return _zone(value)


class Calendar(_Settings):
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
        return _zone(value)

    @field_validator("hours")
    @classmethod
    def _intervals(
        cls, value: dict[Weekday, tuple[str, ...]] | None
    ) -> dict[Weekday, tuple[str, ...]] | None:
        for weekday, intervals in (value or {}).items():
            for interval in intervals:
                parse_interval(interval, where=weekday)
        return value


class SlaRule(_Settings):
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


class Sla(_Settings):
    """Limits of first response and resolution."""

    rules: tuple[SlaRule, ...] = ()
    #: "due_at": the resolution limit is the source's own due time, tickets without one have no limit
    resolution: Literal["rules", "due_at"] = "rules"
    #: count tickets resolved without any public reply as late first responses
    count_no_reply: bool = False


class MetricSettings(_Settings):
    """What a project sets for a metric; the rest is the catalogue's."""

    target: Number | None = None
    alert: Number | None = None
    #: which of the metric's published definitions (docs/metrics.md)
    variant: str | None = None
    owner: str | None = None
    due: date | None = None


class NextStep(_Settings):
    """What follows a verdict."""

    verdict: Literal["go", "extend", "stop", "cannot_tell"]
    action: str
    owner: str
    due: date | None = None


class StaffFeedback(_Settings):
    """How many of the pilot's staff find the process clearer, of those asked."""

    yes: int = Field(strict=True, ge=0)
    asked: int = Field(strict=True, ge=1)


class PilotPlan(_Settings):
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
        for key, names in (("minimum_gain", self.co_primary), ("margin", self.guardrail)):
            asked = getattr(self, key)
            yield from (f"`{key}` must hold {name}" for name in names if name not in asked)
            for name, value in asked.items():
                if value <= 0:
                    yield f"`{key}.{name}` must be above 0 (how far, whatever the better side), not {value:g}"
        answers = self.staff_feedback
        if answers is not None and answers.yes > answers.asked:
            yield f"`staff_feedback.yes` must not be above `asked`, not {answers.yes} of {answers.asked}"


class Phase(_Settings):
    """A declared change of the process: control charts estimate their limits anew from here."""

    name: str = Field(min_length=1)
    start: date
    #: what is different from this day on: without a reason there is no new phase
    reason: str = Field(min_length=1)


class Spc(_Settings):
    """How control charts look for signals."""

    rules: Literal[
        "limits", "anhoej", "limits_anhoej", "western_electric", "nelson", "making_data_count", "none"
    ] = "limits_anhoej"
    #: day = reason: drawn, but neither limits nor signals see it
    exclude: dict[date, Annotated[str, Field(min_length=1)]] = {}


class AlertRule(_Settings):
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


class Alerting(_Settings):
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


class Report(_Settings):
    """Where reports go."""

    folder: str = "reports"


class Engine(_Settings):
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


class Settings(_Settings):
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
    pilot: PilotPlan | None = None
    phases: tuple[Phase, ...] = ()
    spc: Spc = Spc()
    alerts: tuple[AlertRule, ...] = ()
    alerting: Alerting | None = None
    report: Report = Report()
    engine: Engine = Engine()
    file: Path = Path("playbook.toml")

    @field_validator("cuts")
    @classmethod
    def _cuts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        _members(value, columns.CUTS, "a column to cut by")
        return value

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


def read_settings(file: str | Path) -> Settings:
    """Read and check a playbook.toml.

    Parameters
    ----------
    file
        Path of the file.

    Returns
    -------
    Settings
        Frozen settings.

    Raises
    ------
    SettingsError
        If the file is missing, is not TOML or breaks a rule; the message lists every broken rule.
    """
    path = Path(file)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise SettingsError(
            f"`settings` must be a readable file, not {path}: {error.strerror}. "
            "Write one with `csimprove init DIR`, or try `csimprove sample DIR`."
        ) from None
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path} must be UTF-8 text: byte {error.start} is not. Save it as UTF-8."
        ) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path} must be TOML: {error}.") from None
    try:
        return Settings.model_validate({**data, "file": path})
    except ValidationError as error:
        problems = "\n".join(f"  {problem}" for problem in _problems(error, text))
        raise SettingsError(f"{path} must be corrected:\n{problems}") from None


def parse_limit(text: str) -> timedelta:
    """Turn "15 min", "2 h" or "3 d" into a duration; one day is 24 hours.

    Examples
    --------
    >>> parse_limit("90 min") == parse_limit("1.5 h")
    True
    """
    units = {"min": 60, "h": 3600, "d": 86400}
    number, _, unit = text.strip().partition(" ")
    try:
        seconds = float(number) * units[unit.strip()]
    except (KeyError, ValueError):
        raise ValueError(f'a limit must be like "15 min", "2 h" or "3 d", not {text!r}') from None
    if not seconds > 0:
        raise ValueError(f"a limit must be above 0, not {text!r}")
    return timedelta(seconds=round(seconds))


def parse_interval(text: str, *, where: str = "hours") -> tuple[int, int]:
    """Turn "09:00-18:00" into minutes of the local day; the end is above 1440 when it lies on the next day.

    Examples
    --------
    >>> parse_interval("22:00-06:00")
    (1320, 1800)
    """
    try:
        start, end = (_minutes(part) for part in text.split("-"))
    except ValueError:
        raise ValueError(f'{where}: an interval must be like "09:00-18:00", not {text!r}') from None
    return (start, end) if end > start else (start, end + 1440)


def slug(name: str) -> str:
    """Name of a project as the name of a folder.

    Examples
    --------
    >>> slug("Service: process 2025")
    'service-process-2025'
    """
    kept = "".join(letter if letter.isalnum() else " " for letter in name.lower())
    return "-".join(kept.split()) or "project"


def nearest(name: str, known: typing.Iterable[str]) -> list[str]:
    """Return the known names that look most like ``name``, at most three."""
    return difflib.get_close_matches(name, list(known), n=3, cutoff=0.5)


def _minutes(text: str) -> int:
    hours, minutes = text.strip().split(":")
    value = int(hours) * 60 + int(minutes)
    if not 0 <= value <= 1440 or not 0 <= int(minutes) < 60:
        raise ValueError
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f'must be an IANA zone such as "Asia/Shanghai", not {value!r}') from None
    return value


def _members(names: typing.Iterable[str], known: typing.Sequence[str], what: str) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{name!r} is not {what}{near(name, known)}")


def near(name: str, known: typing.Iterable[str]) -> str:
    """Return the known names near a wrong one, else all of them, as the end of a message."""
    close = nearest(name, known)
    return f"; did you mean {' or '.join(close)}?" if close else f"; it must be one of {', '.join(known)}"


def _problems(error: ValidationError, text: str) -> list[str]:
    found = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"])
        line = _line(text, item["loc"])
        where = f"line {line}, {path}" if line else path
        if item["type"] == "extra_forbidden":
            known = _keys(Settings, item["loc"][:-1])
            found.append(f"{where}: unknown key{near(str(item['loc'][-1]), known)}")
        elif item["type"] == "missing":
            found.append(f"{path}: is missing. Add it.")
        else:
            message = item["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            given = item["input"]
            told = item["type"] == "value_error" or not isinstance(given, str | int | float)
            found.append(f"{where}: {message}" + ("" if told else f", not {given!r}"))
    return found


def _line(text: str, loc: tuple[int | str, ...]) -> int | None:
    """Line of the deepest table or key that holds ``loc``."""
    found, depth = None, 0
    table: tuple[int | str, ...] = ()
    repeated: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        key = line.split("=")[0].strip()
        path = table
        if key.startswith("["):
            name = key.split("]")[0].strip("[ ")
            path = table = tuple(part.strip(' "') for part in name.split("."))
            if key.startswith("[["):
                repeated[name] = repeated.get(name, -1) + 1
                path = table = (*table, repeated[name])
        elif "=" in line and not key.startswith("#"):
            path = (*table, *(part.strip(' "') for part in key.split(".")))
        if depth < len(path) and path == loc[: len(path)]:
            found, depth = number, len(path)
    return found


def _keys(model: Any, loc: tuple[int | str, ...]) -> list[str]:
    """Names of the keys allowed at ``loc``."""
    for part in loc:
        if isinstance(part, str) and isinstance(model, type) and issubclass(model, BaseModel):
            field = model.model_fields.get(part)
            model = field.annotation if field else None
        model = _inner(model)
    return list(model.model_fields) if isinstance(model, type) and issubclass(model, BaseModel) else []


def _inner(annotation: Any) -> Any:
    """Model inside ``X | None``, ``tuple[X, ...]`` or ``dict[str, X]``."""
    origin = typing.get_origin(annotation)
    if origin in (typing.Union, types.UnionType, tuple):
        return next((arg for arg in typing.get_args(annotation) if isinstance(arg, type)), annotation)
    if origin in (dict, Mapping):
        return typing.get_args(annotation)[1]
    return annotation
