"""Reports: blocks that notebook cells show, executed notebooks as pages, the first page of a run."""

from csimprove.report.blocks import Block
from csimprove.report.cells import hand_over, show_chart
from csimprove.report.headers import masthead, method, provenance, tiles, verdict_banner
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
    "checks",
    "cuts_table",
    "evaluation_table",
    "goals_table",
    "hand_over",
    "index",
    "indicators_table",
    "left_out_table",
    "masthead",
    "method",
    "next_steps_table",
    "page",
    "parse_notes",
    "provenance",
    "quality_table",
    "show_chart",
    "tiles",
    "verdict_banner",
]
