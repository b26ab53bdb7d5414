"""Pilot against control: did the process cause a gain worth having, and is the target reached."""

from csimprove.pilot.credibility import PilotCredibility, PreTrend, Robustness, credibility
from csimprove.pilot.design import PilotDesign, pilot_design
from csimprove.pilot.evaluation import pilot
from csimprove.pilot.lock import PlanChange, PlanLock, lock_plan, plan_hash, plan_lock
from csimprove.pilot.looks import look_history
from csimprove.pilot.panel import PanelResult, pilot_panel
from csimprove.pilot.result import (
    Cell,
    Look,
    LookMetric,
    PilotMetric,
    PilotResult,
    Reason,
    Role,
    Routing,
    StaffShare,
    Status,
    TargetStatus,
    Verdict,
)
