"""Reports: blocks that notebook cells show, executed notebooks as pages, the first page of a run."""

from csimprove.report.blocks import Block
from csimprove.report.brand import Brand, brand_of
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
from csimprove.report.problems import ranking_table
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
from csimprove.report.voice import (
    comments_table,
    feedback_table,
    samples_table,
    satisfaction_table,
    surveys_table,
    themes_table,
    voice_cut_table,
    voice_masthead,
)
