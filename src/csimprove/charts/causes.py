"""Figures of root causes: Pareto chart and fishbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.figure import Figure

from csimprove import wording
from csimprove.causes import VITAL_SHARE, Cause, CausesResult
from csimprove.charts import theme
from csimprove.charts.fishbone import Bone, Fish, Page, Role, Twig, layout
from csimprove.charts.sheet import DASHES, Panel, Sheet, Style
from csimprove.charts.theme import scale, text_width, wrapped
from csimprove.settings import Language

#: Causes that a Pareto chart draws; the others are one row.
DRAWN = 12
#: Px: rows of bars and, on a phone, of the running total, and a further line of a name.
_ROW, _RUN, _LINE = 32.0, 24.0, 15.0
#: State of the largest causes = mark.
_STEADY = {"steady": "steady", "unsteady": "watch", "too_short": "unknown"}
#: Role = style, ink and whether it is strong.
_ROLES: dict[Role, tuple[Style, str, bool]] = {
    "plain": ("name", theme.INK, False),
    "strong": ("name", theme.INK, True),
    "focus": ("name", theme.PILOT, True),
    "faint": ("name", theme.MUTED_TEXT, False),
    "small": ("name", theme.INK2, False),
    "name": ("heading", theme.INK, True),
}


@theme.drawn
def pareto(result: CausesResult, *, language: Language = "en") -> Figure | None:
    """Draw the causes by their tickets, and the running total beside them.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        Language of the words.

    Returns
    -------
    Figure or None
        At most twelve causes with interval and count, the rest as one row; the running total in a panel of
        its own on the same rows, on a phone below with their numbers; the 80 % line across both; tickets
        without a cause apart. ``None`` if no ticket is coded.
    """
    if not result.ranked:
        return None
    rows = _rows(result, language)
    narrow, width, size = theme.narrow(), theme.width(), theme.TICK
    beside, below = width * 672 / theme.PAGE, 0.0  # px, of the running total
    left = min(max(text_width(row.name, size) for row in rows) + 14, width * 300 / theme.PAGE)
    wide, run = beside - 72 - left, width - 24 - beside
    if narrow:  # names stand above their bars, the running total below; numbers lead from one to the other
        left = beside = max(text_width(row.number, size) for row in rows) + 10
        wide, run = width - left - 52, width - left - 16
    names = [wrapped(row.name, width - left if narrow else left - 14, size, most=2) for row in rows]
    lines = max(map(len, names))
    high = theme.tall(_ROW) if lines == 1 else _ROW
    pitch = high + narrow * (theme.ABOVE + _LINE * (lines - 1))
    notes = _notes(result, language, (wide + 56, width - beside))
    top = 50 + (max(map(len, notes)) - 1) * theme.pitch(size)
    bottom = top + len(rows) * pitch
    if narrow:
        below = bottom + 48
        bottom = below + top + len(rows) * _RUN
    apart, steady = _apart(result, language), _steady_lines(result, language)
    foot = bottom + 34 + (70 + apart[-1].down if apart else 6)
    sheet = Sheet(foot + (len(steady) * 17 + 14 if steady else 0), language)
    axis = scale([0.0, *(row.cause.ci_high for row in rows if row.cause)], "share", count=5)
    panel = sheet.value_rows(left, top, wide, len(rows) * pitch, axis)
    total = scale([0.0, 1.0], "share", count=2)
    running = sheet.value_rows(beside, below + top, run, bottom - below - top, total)
    for one, key, note in ((panel, "share", notes[0]), (running, "running", notes[1])):
        sheet.text(one.left, one.top - top + 12, sheet.words(f"pareto_{key}"), "heading", strong=True)
        sheet.text(one.left, one.top - top + 30, "\n".join(note), "tick")
    middles = [(place + 1) * pitch - high / 2 for place in range(len(rows))]
    totals = [(place + 0.5) * _RUN for place in range(len(rows))] if narrow else middles
    for row, name, y in zip(rows, names, middles, strict=True):
        _name(sheet, panel, row, name, y)
        _bar(sheet, panel, y, row)
    _running_total(sheet, running, rows, totals, result.vital)
    if result.vital < len(rows):
        for one in (panel, running)[: 1 + narrow]:
            at = one.top + result.vital * one.height / len(rows)
            sheet.dashes((0, at), (width, at))
    if apart:
        sheet.text(0, bottom + 58, sheet.words("pareto_apart"), "heading", strong=True)
    for word in apart:
        sheet.text(word.x, bottom + 82 + word.down, word.words, "name", color=word.ink)
    if steady:
        sheet.icon(_STEADY[wording.stability_state(result) or ""], 8, foot + 8, 14)
        for number, line in enumerate(steady):
            sheet.text(24, foot + 13 + number * 17, line, "name", color=theme.INK)
    return sheet.figure


class _Row(NamedTuple):
    """A cause that is drawn, or all that are not."""

    number: str
    name: str
    share: float
    tickets: int
    cause: Cause | None
    focus: bool


def _rows(result: CausesResult, language: Language) -> list[_Row]:
    """Return the causes that are drawn; those above the 80 % line stand out, at most five."""
    ranked = result.ranked
    drawn = ranked if len(ranked) <= DRAWN + 1 else ranked[:DRAWN]
    focus = min(result.vital, wording.FOCUS)
    rows = [
        _Row(
            str(place + 1),
            wording.cause_name(result, cause, language),
            cause.share or 0.0,
            cause.count,
            cause,
            place < focus,
        )
        for place, cause in enumerate(drawn)
    ]
    if rest := ranked[len(drawn) :]:
        share, tickets = sum(cause.share or 0.0 for cause in rest), sum(cause.count for cause in rest)
        name = wording.further_causes(len(rest), language)
        rows.append(_Row(f"{len(drawn) + 1}+", name, share, tickets, None, False))
    return rows


def _notes(result: CausesResult, language: Language, rooms: Sequence[float]) -> list[list[str]]:
    """Return the lines below the headings of both panels."""
    place = wording.ordinal(result.vital, language)
    words = [wording.text(f"chart.pareto_{key}_note", language, place=place) for key in ("share", "running")]
    return [wrapped(note, room, theme.TICK) for note, room in zip(words, rooms, strict=True)]


def _steady_lines(result: CausesResult, language: Language) -> list[str]:
    words = wording.stability_text(result, language)
    return wrapped(words, theme.width() - 24, theme.TICK, most=6) if words else []


def _name(sheet: Sheet, panel: Panel, row: _Row, lines: Sequence[str], y: float) -> None:
    """Write the name of a row beside its bar; on a phone above it, after its number."""
    ink = theme.INK if row.focus else theme.INK2
    x, base = 0.0, panel.top + y + 4 - (len(lines) - 1) * _LINE / 2
    if theme.narrow():
        x, base = panel.left, panel.top + y + 4 - theme.ABOVE - (len(lines) - 1) * _LINE
        sheet.text(0, base, row.number, "name", color=ink)
    for number, line in enumerate(lines):
        sheet.text(x, base + number * _LINE, line, "name", color=ink)


def _bar(sheet: Sheet, panel: Panel, y: float, row: _Row) -> None:
    """Draw a cause with its interval, paper inside the bar, ink outside; those that are not drawn hollow."""
    axes, end = panel.axes, min(row.share, panel.scale.high)
    if row.cause is None:
        axes.barh(y, end, height=15, fc=theme.PAPER, ec=theme.CONTROL, lw=1.1, zorder=2, clip_on=False)
        if row.share > end:  # longer than the axis: its end is open
            axes.plot([end, end], [y - 8, y + 8], color=theme.PAPER, lw=2.4, zorder=3, clip_on=False)
    else:
        low, high = row.cause.ci_low or 0.0, row.cause.ci_high or 0.0
        axes.barh(y, row.share, height=15, color=theme.PILOT if row.focus else theme.CONTROL, lw=0, zorder=2)
        axes.plot([low, row.share], [y, y], color=theme.PAPER, lw=1.4, zorder=3, solid_capstyle="butt")
        axes.plot([row.share, high], [y, y], color=theme.INK, lw=1.4, zorder=3, clip_on=False)
        end = high
    ink = theme.INK if row.focus else theme.INK2
    sheet.text(panel.x(end) + 8, panel.top + y + 4, wording.count(row.tickets), "name", color=ink)


def _running_total(
    sheet: Sheet, panel: Panel, rows: Sequence[_Row], middles: Sequence[float], vital: int
) -> None:
    totals = [sum(row.share for row in rows[: place + 1]) for place in range(len(rows))]
    panel.axes.axvline(VITAL_SHARE, color=theme.TARGET, lw=1.2, ls=DASHES, zorder=1)
    panel.axes.plot(totals, middles, color=theme.INK2, lw=1.4, zorder=2, clip_on=False)
    for place, (row, share, y) in enumerate(zip(rows, totals, middles, strict=True)):
        color = theme.PILOT if row.focus else theme.INK2
        panel.axes.plot([share], [y], "o", ms=6, mfc=color, mec=theme.PAPER, mew=1.0, zorder=3, clip_on=False)
        if theme.narrow():
            ink = theme.INK if row.focus else theme.INK2
            sheet.text(0, panel.top + y + 4, row.number, "name", color=ink)
        if place in (0, vital - 1):
            words, right = wording.percent(share, places=0), share > 0.35
            width = text_width(words, theme.TICK)
            at = panel.x(share) - 10 - width if right else panel.x(share) + 10
            if at < panel.x(VITAL_SHARE) + 6 and at + width > panel.x(VITAL_SHARE) - 6:
                at = panel.x(VITAL_SHARE) - 6 - width
            base = panel.top + y + 4 + theme.narrow() * (5 if right else -6)  # the line is flat on a phone
            sheet.text(at, base, words, "name", over=True, color=theme.INK)


class _Word(NamedTuple):
    """A word among those that are left out: px from the left, px below the first line."""

    x: float
    down: float
    words: str
    ink: str


def _apart(result: CausesResult, language: Language) -> list[_Word]:
    """Place reasons why tickets have no cause, with their number, one after the other."""
    x, down, placed = 0.0, 0.0, []
    for reason, n in result.no_cause.items():
        if n:
            name, number = wording.text(f"no_cause.{reason}", language), wording.count(n)
            after = text_width(name, theme.TICK) + 8
            wide = after + text_width(number, theme.TICK)
            if x + wide > theme.width():
                x, down = 0.0, down + 18
            placed.append(_Word(x, down, name, theme.INK2))
            placed.append(_Word(x + after, down, number, theme.MUTED_TEXT))
            x += wide + 30
    return placed


# --- fishbone ------------------------------------------------------------------------------------------


@theme.applied()
def fishbone(
    result: CausesResult, *, language: Language = "en"
) -> tuple[tuple[wording.FishPage, Figure], ...]:
    """Draw the fishbone: counts on the bones, status by a mark, sub-causes below their cause.

    Parameters
    ----------
    result
        Causes of a problem.
    language
        Language of the words.

    Returns
    -------
    tuple
        Pages: what each shows, and its figure. First those of all categories, then one of each category of
        which something had to be folded. Empty if there is no category.
    """
    if not result.categories:
        return ()
    pages = layout(fish_of(result, language))
    return tuple((wording.FishPage(page.shows, page.alone), _drawn(page, language)) for page in pages)


def fish_of(result: CausesResult, language: Language) -> Fish:
    """Return the fishbone of a result in words."""
    words = wording.fish_words(result, language)
    folds = any(cause.parts for category in result.categories for cause in category.parts)
    return Fish(
        head=words["head"],
        notes=(words["coded"], words["period"]),
        bones=tuple(
            Bone(
                wording.category_name(category, language),
                wording.category_note(category, language),
                category.share or 0.0,
                tuple(_twig(cause, language) for cause in category.parts),
            )
            for category in result.categories
        ),
        legend=tuple((status, words[status]) for status in ("confirmed", "suggested", "ruled_out")),
        hint=words["hint_folds" if folds else "hint"],
        further=words["further"],
        beyond=words["beyond"],
        number=wording.count,
    )


def _twig(cause: Cause, language: Language) -> Twig:
    parts = tuple(_twig(part, language) for part in cause.parts)
    return Twig(cause.labels[language], cause.count, cause.status or "suggested", parts)


def _drawn(page: Page, language: Language) -> Figure:
    sheet = Sheet(page.height, language)
    for (x0, y0), (x1, y1), width in page.bones:
        half = width / 2
        sheet.polygon([(x0 - half, y0), (x0 + half, y0), (x1 + half, y1), (x1 - half, y1)], theme.INK2)
    sheet.leader(*page.spine, theme.INK, 3.0)
    for start, end, strong in page.rules:
        sheet.leader(start, end, theme.CONTROL if strong else theme.LINE, 1.0)
    x, y = page.arrow
    sheet.polygon([(x, y), (x - 12, y - 7), (x - 12, y + 7)], theme.INK)
    for box in page.boxes:
        sheet.box(*box)
    for status, at, height, size in page.marks:
        sheet.icon(status, at, height, size)
    for label in page.labels:
        style, ink, strong = _ROLES[label.role]
        sheet.text(label.x, label.y, label.words, style, color=ink, align=label.align, strong=strong)
    return sheet.figure
