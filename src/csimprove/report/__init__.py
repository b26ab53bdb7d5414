"""Reports: blocks that notebook cells show, executed notebooks as pages, the first page of a run."""

from csimprove.report.blocks import Block
from csimprove.report.causes import (
    agreement_table,
    associations_table,
    causes_masthead,
    causes_table,
    fishbone_outline,
    show_fishbone,
    suggestions_table,
    whys_outline,
)
from csimprove.report.cells import hand_over, show_chart
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
from csimprove.report.pages import RunEntry, index, page
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
    "Note",
    "RunEntry",
    "advice",
    "agreement_table",
    "alerts_table",
    "associations_table",
    "cannot_conclude",
    "causes_masthead",
    "causes_table",
    "changes_table",
    "checks",
    "comparison_table",
    "cuts_table",
    "design_masthead",
    "durations_table",
    "effects_table",
    "evaluation_table",
    "fishbone_outline",
    "goals_table",
    "hand_over",
    "index",
    "indicators_table",
    "left_out_table",
    "looks_table",
    "masthead",
    "method",
    "monitoring_masthead",
    "next_steps_table",
    "page",
    "parse_notes",
    "plan_changes",
    "power_table",
    "problems_table",
    "progress_table",
    "provenance",
    "quality_table",
    "robustness_table",
    "rules",
    "show_chart",
    "show_fishbone",
    "staff_feedback",
    "standing_table",
    "suggestions_table",
    "tiles",
    "tracking_masthead",
    "units_table",
    "variation_table",
    "verdict_banner",
    "whys_outline",
]
