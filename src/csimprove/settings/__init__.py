"""playbook.toml as typed, frozen settings: read once, every mistake in one message.

Paths in the file are relative to the file. Days are local days of ``calendar.zone``, both ends included.
"""

from csimprove.settings.base import Language
from csimprove.settings.brand import Report, contrast
from csimprove.settings.causes import (
    CATEGORY_SETS,
    CauseEntry,
    CauseFile,
    Causes,
    Status,
    SubCause,
    Why,
    plain_name,
)
from csimprove.settings.indicators import Customers, EventLimit, MetricSettings, OwnMetric
from csimprove.settings.plan import NextStep, PilotPlan, StaffFeedback
from csimprove.settings.programme import (
    Evidence,
    Gate,
    Pdca,
    PlannedKpi,
    Schedule,
    SchedulePhase,
    Task,
    Trigger,
    Version,
)
from csimprove.settings.reading import line_of, problems, read_causes, read_settings
from csimprove.settings.source import DURATION_UNITS, DURATIONS, MAPPABLE, DurationUnit, Source
from csimprove.settings.surveys import ANSWERS, Role, Survey, parse_scale
from csimprove.settings.tables import (
    Alerting,
    AlertRule,
    Calendar,
    Phase,
    Settings,
    Sla,
    SlaRule,
    Spc,
    Weekday,
)
from csimprove.settings.texts import (
    hint,
    near,
    nearest,
    parse_interval,
    parse_limit,
    parse_working_days,
    slug,
)
