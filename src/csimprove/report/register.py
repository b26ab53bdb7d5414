"""The register as a workbook: dates as dates, numbers as numbers, texts never as formulas."""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from csimprove import wording
from csimprove.errors import SettingsError
from csimprove.programme import ProgrammeResult
from csimprove.report.blocks import heads
from csimprove.settings import Language
from csimprove.wording import text

#: Beginnings by which a program takes a text for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_WIDEST = 60
_ACTION = ("action_number", "action", "state", "owner", "due", "first_due", "late_days", "level", "metric")
_CHECK = (
    "action_number",
    "action",
    "when",
    "checked_by",
    "verdict",
    "before",
    "after",
    "effect",
    "low",
    "high",
    "n",
)
_EXCEPTION = ("id", "metric", "where", "raised", "over", "state", "level", "answer")

Value = str | int | float | date | None


def write_workbook(result: ProgrammeResult, path: Path, *, language: Language = "en") -> Path:
    """Write actions, checks, history and alerts as the sheets of one workbook.

    Parameters
    ----------
    result
        The programme.
    path
        File to write; an earlier one stays until the new one is complete.
    language
        Language of heads and states.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    SettingsError
        If the extra ``xlsx`` is not installed.

    Notes
    -----
    A text that begins like a formula (=, +, -, @, tab, return) is stored as a text and marked as one, so that
    no program calculates it, not even after it was edited. Effects are changes towards the better side.
    """
    if importlib.util.find_spec("openpyxl") is None:
        raise SettingsError(
            "a workbook cannot be written: the extra is not installed. "
            "Install it: pip install 'csimprove[xlsx]'."
        )
    book = importlib.import_module("openpyxl").Workbook()
    book.remove(book.active)
    for name, keys, rows in (
        ("actions", _ACTION, _actions(result, language)),
        ("checks", _CHECK, _checks(result, language)),
        ("history", ("action_number", "when", "who", "what"), _history(result, language)),
        ("exceptions", _EXCEPTION, _exceptions(result, language)),
    ):
        _sheet(book.create_sheet(text(f"sheet.{name}", language)), heads(keys, language), rows)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(prefix=".part-", suffix=".xlsx", dir=path.parent)
    os.close(handle)
    try:
        book.save(part)
        Path(part).replace(path)
    finally:
        Path(part).unlink(missing_ok=True)
    return path


def _actions(result: ProgrammeResult, language: Language) -> Iterable[Sequence[Value]]:
    for one in result.cycles:
        metric = wording.metric_name(one.plan.metric, language) if one.plan and one.plan.metric else None
        words = (one.title, wording.state_text(one, language), one.owner)
        yield one.id, *words, one.due, one.first_due, one.late, one.level, metric


def _checks(result: ProgrammeResult, language: Language) -> Iterable[Sequence[Value]]:
    for one in result.checked:
        if (check := one.check) is not None:
            verdict = text(f"pdca.verdict.{check.verdict}", language)
            figures = (check.before, check.after, check.effect, check.ci_low, check.ci_high, check.n_after)
            yield one.id, one.title, check.at.date(), check.by, verdict, *figures


def _history(result: ProgrammeResult, language: Language) -> Iterable[Sequence[Value]]:
    for one in result.cycles:
        for entry in one.history:
            yield one.id, entry.at.replace(tzinfo=None), entry.who, wording.entry_text(entry, language)
        for late in one.escalations:
            yield one.id, late.on, late.person, wording.lateness_text(late, language)


def _exceptions(result: ProgrammeResult, language: Language) -> Iterable[Sequence[Value]]:
    for one in result.exceptions:
        what, group = wording.exception_rule(one, language)
        said = wording.exception_text(one, language)
        yield one.id, what, group, one.raised.date(), one.ended, said, one.level, one.cycle


def _sheet(sheet: Any, head: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    fonts = importlib.import_module("openpyxl.styles")
    widths = [len(words) for words in head]
    for y, row in enumerate([head, *rows], start=1):
        for x, value in enumerate(row, start=1):
            cell = sheet.cell(y, x)
            _set(cell, value)
            cell.font = fonts.Font(bold=y == 1)
            said = str(value if value is not None else "")
            widths[x - 1] = max(widths[x - 1], sum(2 if one > "\u2e80" else 1 for one in said))
    for x, width in enumerate(widths, start=1):
        sheet.column_dimensions[sheet.cell(1, x).column_letter].width = min(width + 2, _WIDEST)
    sheet.freeze_panes = "A2"


def _set(cell: Any, value: Value) -> None:
    if isinstance(value, str):
        illegal = importlib.import_module("openpyxl.cell.cell").ILLEGAL_CHARACTERS_RE
        cell.value = illegal.sub("", value)
        cell.data_type = "s"
        cell.quotePrefix = value.startswith(_FORMULA)
    else:
        cell.value = value
        if isinstance(value, date):
            cell.number_format = "yyyy-mm-dd hh:mm" if isinstance(value, datetime) else "yyyy-mm-dd"
