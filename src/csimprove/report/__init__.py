"""Reports: blocks that notebook cells show, executed notebooks as pages, the first page of a run."""

from csimprove.report.blocks import Block
from csimprove.report.brand import Brand, brand_of
from csimprove.report.cells import hand_over, show_chart
from csimprove.report.cover import CoverEntry, cover
from csimprove.report.design import (
    advice,
    design_masthead,
    looks_table,
    power_table,
    progress_table,
    rules,
    tracking_masthead,
    units_table,
    variation_table,
)
from csimprove.report.durations import durations_table
from csimprove.report.evidence import (
    cannot_conclude,
    effects_table,
    plan_changes,
    robustness_table,
    staff_feedback,
)
from csimprove.report.headers import masthead, method, provenance, tiles, verdict_banner
from csimprove.report.monitoring import (
    alerts_table,
    changes_table,
    comparison_table,
    monitoring_masthead,
    problems_table,
    standing_table,
)
from csimprove.report.notes import Note, parse_notes
from csimprove.report.pages import RunEntry, index, outcome, page
from csimprove.report.pdca import (
    a3_pages,
    drift_table,
    exceptions_table,
    gates_table,
    history_table,
    overdue_table,
    predicted_table,
    programme_masthead,
    proposals_table,
    versions_table,
)
from csimprove.report.register import write_workbook
from csimprove.report.shelf import RunRow, shelf
from csimprove.report.tables import (
    checks,
    cuts_table,
    evaluation_table,
    goals_table,
    indicators_table,
    left_out_table,
    next_steps_table,
    quality_table,
)

__all__ = [
    "Block",
    "Brand",
    "CoverEntry",
    "Note",
    "RunEntry",
    "RunRow",
    "a3_pages",
    "advice",
    "alerts_table",
    "brand_of",
    "cannot_conclude",
    "changes_table",
    "checks",
    "comparison_table",
    "cover",
    "cuts_table",
    "design_masthead",
    "drift_table",
    "durations_table",
    "effects_table",
    "evaluation_table",
    "exceptions_table",
    "gates_table",
    "goals_table",
    "hand_over",
    "history_table",
    "index",
    "indicators_table",
    "left_out_table",
    "looks_table",
    "masthead",
    "method",
    "monitoring_masthead",
    "next_steps_table",
    "outcome",
    "overdue_table",
    "page",
    "parse_notes",
    "plan_changes",
    "power_table",
    "predicted_table",
    "problems_table",
    "programme_masthead",
    "progress_table",
    "proposals_table",
    "provenance",
    "quality_table",
    "robustness_table",
    "rules",
    "shelf",
    "show_chart",
    "staff_feedback",
    "standing_table",
    "tiles",
    "tracking_masthead",
    "units_table",
    "variation_table",
    "verdict_banner",
    "versions_table",
    "write_workbook",
]
