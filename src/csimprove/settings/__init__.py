"""playbook.toml as typed, frozen settings: read once, every mistake in one message.

Paths in the file are relative to the file. Days are local days of ``calendar.zone``, both ends included.
"""

from csimprove.settings.base import Language
from csimprove.settings.plan import NextStep, PilotPlan
from csimprove.settings.reading import read_settings
from csimprove.settings.source import DURATION_UNITS, DURATIONS, MAPPABLE, DurationUnit, Source
from csimprove.settings.tables import (
    Alerting,
    AlertRule,
    Calendar,
    MetricSettings,
    Phase,
    Settings,
    Sla,
    SlaRule,
    Spc,
    Weekday,
)
from csimprove.settings.texts import near, nearest, parse_interval, parse_limit, slug

__all__ = [
    "DURATIONS",
    "DURATION_UNITS",
    "MAPPABLE",
    "AlertRule",
    "Alerting",
    "Calendar",
    "DurationUnit",
    "Language",
    "MetricSettings",
    "NextStep",
    "Phase",
    "PilotPlan",
    "Settings",
    "Sla",
    "SlaRule",
    "Source",
    "Spc",
    "Weekday",
    "near",
    "nearest",
    "parse_interval",
    "parse_limit",
    "read_settings",
    "slug",
]
