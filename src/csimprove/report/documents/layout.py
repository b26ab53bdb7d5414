"""What the columns of a table need, for every format that sets them on paper."""

from __future__ import annotations

import re
import unicodedata

from csimprove.report.documents.model import Cell, Line, Table, plain

#: Characters that a text column takes before it wraps, where there is room.
_COMFORT = 38
#: Where a Latin letter or a digit and a Chinese character meet.
_MEETING = re.compile(r"(?<=\w)(?:(?<=[\u2e80-\uffef])(?=[!-~])|(?<=[!-~])(?=[\u2e80-\uffef]))(?=\w)")
#: Characters between two columns.
_GAP = 2.0


def columns(table: Table, room: float) -> tuple[list[float], float]:
    """Share the width of a page among the columns of a table.

    Parameters
    ----------
    table
        The table.
    room
        How many characters of its usual size fit beside one another.

    Returns
    -------
    tuple
        The share of each column (they sum to 1), and how far the type must shrink so that no number and no
        word is broken: 1 for a table that fits.

    Examples
    --------
    >>> from csimprove.report.documents.model import Span
    >>> one = [Cell(((Span("A long name of a measure"),),)), Cell(((Span("12.4%"),),))]
    >>> made = Table((), (), tuple(one), (tuple(one),), (), (False, True), ("",))
    >>> shares, scale = columns(made, 60)
    >>> [round(share, 2) for share in shares], scale
    ([0.79, 0.21], 1.0)
    """
    grid = list(zip(*table.rows, strict=True)) if table.rows else [() for _ in table.head]
    needs, wants = [], []
    for head, cells, number in zip(table.head, grid, table.numeric, strict=True):
        longest = max((wide(line) for one in cells for line in _lines(one)), default=1)
        words = [word for one in (head, *cells) for line in one.lines for word in _tokens(line)]
        need = max([wide(word) for word in words] + ([longest] if number else []) + [4])
        icon = 2.5 if any(one.icon for one in cells) else 0.0
        needs.append(need + icon + _GAP)
        titles = max(wide(line) for line in _lines(head)) if len(head.lines) else 1
        wants.append(max(min(max(longest, min(titles, 14)), _COMFORT) + icon + _GAP, needs[-1]))
    if sum(wants) <= room:
        widths = wants
    elif sum(needs) <= room:
        rest = (room - sum(needs)) / (sum(wants) - sum(needs))
        widths = [need + (want - need) * rest for need, want in zip(needs, wants, strict=True)]
    else:
        widths = needs
    return [width / sum(widths) for width in widths], min(1.0, room / sum(needs))


def _lines(cell: Cell) -> list[str]:
    return [plain(line) for line in cell.lines] or [""]


def _tokens(line: Line) -> list[str]:
    """Parts that a line is not broken inside: words, numbers, dates, intervals; a Chinese pair at least."""
    kept = "".join(re.sub(r"[\s\u2e80-\uffef]", "__", one.text) if one.unbroken else one.text for one in line)
    return re.findall(r"[^\s\u2e80-\uffef]+|[\u2e80-\uffef]{1,2}", kept)


def wide(words: str) -> float:
    """Width of words in Latin characters; programs set a little room between Chinese and Latin ones.

    Examples
    --------
    >>> wide("May"), wide("5月")
    (3.0, 3.4)
    """
    own = sum(1.9 if unicodedata.east_asian_width(one) in "WF" else 1.0 for one in words)
    return own + 0.5 * len(_MEETING.findall(words))
