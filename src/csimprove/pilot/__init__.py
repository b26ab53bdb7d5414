"""Pilot against control: did the process cause a gain worth having, and is the target reached."""

from csimprove.pilot.evaluation import pilot
from csimprove.pilot.result import Cell, PilotMetric, PilotResult, Reason, Role, Status, TargetStatus, Verdict

__all__ = [
    "Cell",
    "PilotMetric",
    "PilotResult",
    "Reason",
    "Role",
    "Status",
    "TargetStatus",
    "Verdict",
    "pilot",
]
