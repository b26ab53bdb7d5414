"""Every table of a document in one workbook: numbers as numbers, nothing that a program would calculate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from csimprove.report.documents.model import Cell, Document, Section, Table, plain
from csimprove.report.documents.words import Words

_NUMBER = r"[−+-]?\d[\d,]*(?:\.\d+)?"
_VALUE = re.compile(rf"({_NUMBER})(%|(?: ?[A-Za-z\u4e00-\u9fff]{{1,12}})?)")
_SPAN = re.compile(rf"({_NUMBER}%?)\s?(?:to|至)\s?({_NUMBER}%?)(?: ?[A-Za-z\u4e00-\u9fff]{{1,12}})?")
_ARROW = " → "
_WIDEST = 60


def write_sheets(document: Document, path: Path) -> None:
    """Write every table of a document as a sheet, with a first sheet that lists them.

    Parameters
    ----------
    document
        What to write.
    path
        File to write.
    """
    words, book = Words(document), Workbook()
    first = book.active
    assert isinstance(first, Worksheet)
    first.title = words.of("tables")[:31]
    _row(first, 1, [words.of("tables")], bold=True)
    _row(first, 3, [words.of(key) for key in ("sheet", "table", "section")], bold=True)
    numbers: dict[str, int] = {}
    for at, (section, table) in enumerate(document.tables, start=4):
        name = _name(section, numbers)
        sheet = book.create_sheet(name)
        _write(sheet, table, words)
        title = plain(table.title) or plain(table.caption)
        _row(first, at, [name, title, section.question if section else words.of("kind")])
        first.cell(at, 1).hyperlink = f"#'{name}'!A1"
    _finish(first, 4)
    book.properties.title, book.properties.creator = document.project, document.brand.name
    book.save(path)


def _name(section: Section | None, numbers: dict[str, int]) -> str:
    part = section.name.split("_")[0] if section else "0"
    numbers[part] = numbers.get(part, 0) + 1
    return f"{part}-{numbers[part]}"


def _write(sheet: Worksheet, table: Table, words: Words) -> None:
    _row(sheet, 1, [plain(table.title)], bold=True)
    sheet.cell(1, 1).font = Font(bold=True, size=13)
    at = 2
    if table.lede:
        _row(sheet, at, [plain(table.lede)])
        at += 1
    heads, columns = [], []
    before: list[str] = []
    for head, cells in zip(table.head, zip(*table.rows, strict=True), strict=True):
        for name, values in _columns(head, cells, before, words):
            heads.append(name)
            columns.append(values)
        before = [plain(cell.lines[0]) if cell.lines else "" for cell in cells]
    start = at + 1
    _row(sheet, start, heads, bold=True)
    for y, row in enumerate(zip(*columns, strict=True), start=start + 1):
        _row(sheet, y, row)
    if table.caption:
        _row(sheet, start + len(table.rows) + 2, [plain(table.caption)])
    _finish(sheet, start + 1)
    sheet.freeze_panes = sheet.cell(start + 1, 2)


def _columns(
    head: Cell, cells: Sequence[Cell], before: list[str], words: Words
) -> Iterator[tuple[str, list[str]]]:
    """Split a column in those that hold one value each: before and during, interval ends, notes below.

    An interval without a unit has that of the value it belongs to: above it, or in the column before.
    """
    name = " ".join(plain(line) for line in head.lines)
    firsts = [plain(cell.lines[0]) if cell.lines else "" for cell in cells]
    short = plain(head.lines[0]) if head.lines else ""
    if any(_ARROW in one for one in firsts):
        parts = [one.split(_ARROW) if _ARROW in one else [one, ""] for one in firsts]
        ends = [re.sub(_NUMBER, "", one[1], count=1) for one in parts]
        yield (
            words.of("before", head=short),
            [
                one[0] if re.search(r"\D$", one[0]) else one[0] + end
                for one, end in zip(parts, ends, strict=True)
            ],
        )
        yield words.of("during", head=short), [one[1] for one in parts]
    else:
        yield from _ends(name, name, firsts, before, words)
    for level in range(1, max((len(cell.lines) for cell in cells), default=1)):
        below = [plain(cell.lines[level]) if len(cell.lines) > level else "" for cell in cells]
        yield from _ends(short, words.of("detail", head=short), below, firsts, words)


def _ends(
    name: str, whole: str, values: list[str], of: list[str], words: Words
) -> Iterator[tuple[str, list[str]]]:
    spans = [_SPAN.fullmatch(one) for one in values]
    others = [one for span, one in zip(spans, values, strict=True) if not span]
    if not any(spans) or any(re.search(r"\d", one) for one in others):
        yield whole, values
        return
    units = ["%" if one.endswith("%") else "" for one in of or [""] * len(values)]
    for number, key in ((1, "low"), (2, "high")):
        yield (
            words.of(key, head=name),
            [
                span[number].removesuffix("%") + (unit or "%" * span[number].endswith("%")) if span else one
                for span, one, unit in zip(spans, values, units, strict=True)
            ],
        )


def _row(sheet: Worksheet, y: int, values: Sequence[str], *, bold: bool = False) -> None:
    for x, words in enumerate(values, start=1):
        cell: Any = sheet.cell(y, x)
        value, look = ("", "") if bold else number(words)
        if look:
            cell.value, cell.number_format = value, look
        else:
            # a text is a text, whatever it begins with: never a formula, also after it was edited
            cell.value = words
            cell.data_type = "s"
            cell.quotePrefix = words[:1] in tuple("=+-@\t\r")
        cell.font = Font(bold=bold)
        cell.alignment = Alignment(vertical="top", wrap_text=len(words) > _WIDEST)


def number(words: str) -> tuple[float | str, str]:
    """Return a value and the number format that shows it as it was; text has no format.

    Examples
    --------
    >>> number("95.1%"), number("−622"), number("+14.5 points")
    ((0.951, '0.0%'), (-622.0, '#,##0'), (14.5, '+0.0" points";-0.0" points";0.0" points"'))
    >>> number("=1+1"), number("12 of 15")
    (('=1+1', ''), ('12 of 15', ''))
    """
    found = _VALUE.fullmatch(words.strip())
    if not found:
        return words, ""
    digits, unit = found[1].replace(",", "").replace("−", "-"), found[2]
    whole, _, places = digits.lstrip("+-").partition(".")
    if len(whole) > 1 and whole.startswith("0"):
        return words, ""  # an id
    look = ("#,##0" if "," in found[1] or (not places and len(whole) > 3) or not places else "0") + (
        f".{'0' * len(places)}" if places else ""
    )
    value = float(digits)
    if unit == "%":
        value, look = round(value / 100, len(places) + 4), f"0{'.' if places else ''}{'0' * len(places)}%"
    elif unit:
        look += f'"{unit}"'
    if digits.startswith("+"):
        look = f"+{look};-{look};{look}"
    return value, look


def _finish(sheet: Worksheet, head: int) -> None:
    """Set widths by what the columns hold, and a rule under the heads."""
    for x in range(1, sheet.max_column + 1):
        words = [str(sheet.cell(y, x).value or "") for y in range(head - 1, sheet.max_row + 1)]
        longest = max(
            (sum(2 if one > "\u2e80" else 1 for one in value) for value in words[: -1 if x == 1 else None]),
            default=8,
        )
        sheet.column_dimensions[get_column_letter(x)].width = min(max(longest + 2, 9), _WIDEST)
        sheet.cell(head - 1, x).border = Border(bottom=Side("thin"))
        sheet.cell(head - 1, x).alignment = Alignment(wrap_text=True, vertical="top")
    for y in range(1, head - 1):
        sheet.cell(y, 1).alignment = Alignment(wrap_text=False)
    sheet.sheet_view.showGridLines = False
