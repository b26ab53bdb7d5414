"""Figures of root causes: Pareto chart and fishbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

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
_ROW = 32.0
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
        its own on the same rows; the 80 % line across both; tickets without a cause apart. ``None`` if no
        ticket is coded.
    """
    ranked = result.ranked
    if not ranked:
        return None
    drawn = ranked if len(ranked) <= DRAWN + 1 else ranked[:DRAWN]
    rest = ranked[len(drawn) :]
    names = [wording.cause_name(result, cause, language) for cause in drawn]
    if rest:
        names.append(wording.further_causes(len(rest), language))
    left = min(max(text_width(name, theme.TICK) for name in names) + 14, 300.0)
    lines = [wrapped(name, left - 14, theme.TICK, most=2) for name in names]
    tall = len(lines) * _ROW
    apart = [(reason, n) for reason, n in result.no_cause.items() if n]
    steady = _steady_lines(result, language)
    foot = 50 + tall + 34 + (70 if apart else 6)
    sheet = Sheet(foot + (len(steady) * 17 + 14 if steady else 0), language)
    shares = [cause.share or 0.0 for cause in drawn] + [sum(cause.share or 0.0 for cause in rest)]
    axis = scale([0.0, *(cause.ci_high for cause in drawn)], "share", count=5)
    panel = sheet.value_rows(left, 50, 600 - left, tall, axis)
    total = scale([0.0, 1.0], "share", count=2)
    running = sheet.value_rows(672, 50, sheet.width - 24 - 672, tall, total)
    for at, key in ((panel.left, "share"), (running.left, "running")):
        sheet.text(at, 12, sheet.words(f"pareto_{key}"), "heading", strong=True)
        sheet.text(at, 30, sheet.words(f"pareto_{key}_note", place=_ordinal(result, language)), "tick")
    for place, words in enumerate(lines):
        base = 50 + (place + 0.5) * _ROW + 4 - (len(words) - 1) * 7.5
        ink = theme.INK if place < _focus(result) else theme.INK2
        for number, line in enumerate(words):
            sheet.text(0, base + number * 15, line, "name", color=ink)
    for place, cause in enumerate(drawn):
        _bar(sheet, panel, place, cause, place < _focus(result))
    if rest:
        _rest_bar(sheet, panel, len(drawn), shares[-1], sum(cause.count for cause in rest))
    _running_total(sheet, running, shares[: len(lines)], result)
    if result.vital < len(lines):
        at = 50 + result.vital * _ROW
        sheet.dashes((0, at), (sheet.width, at))
    if apart:
        _apart(sheet, 50 + tall + 58, apart)
    if steady:
        sheet.icon(_STEADY[wording.stability_state(result) or ""], 8, foot + 8, 14)
        for number, line in enumerate(steady):
            sheet.text(24, foot + 13 + number * 17, line, "name", color=theme.INK)
    return sheet.figure


def _steady_lines(result: CausesResult, language: Language) -> list[str]:
    words = wording.stability_text(result, language)
    return wrapped(words, theme.width() - 24, theme.TICK, most=3) if words else []


def _focus(result: CausesResult) -> int:
    """Count the causes that stand out: those above the 80 % line, at most five."""
    return min(result.vital, wording.FOCUS)


def _ordinal(result: CausesResult, language: Language) -> str:
    return wording.ordinal(result.vital, language)


def _bar(sheet: Sheet, panel: Panel, place: int, cause: Cause, focus: bool) -> None:
    y, color = (place + 0.5) * _ROW, theme.PILOT if focus else theme.CONTROL
    share, low, high = cause.share or 0.0, cause.ci_low or 0.0, cause.ci_high or 0.0
    panel.axes.barh(y, share, height=15, color=color, lw=0, zorder=2)
    # the interval: paper inside the bar, ink outside
    panel.axes.plot([low, share], [y, y], color=theme.PAPER, lw=1.4, zorder=3, solid_capstyle="butt")
    panel.axes.plot([share, high], [y, y], color=theme.INK, lw=1.4, zorder=3, clip_on=False)
    ink = theme.INK if focus else theme.INK2
    sheet.text(panel.x(high) + 8, panel.top + y + 4, wording.count(cause.count), "name", color=ink)


def _rest_bar(sheet: Sheet, panel: Panel, place: int, share: float, count: int) -> None:
    y, shown = (place + 0.5) * _ROW, min(share, panel.scale.high)
    style: dict[str, Any] = {"height": 15, "fc": theme.PAPER, "ec": theme.CONTROL, "lw": 1.1}
    panel.axes.barh(y, shown, zorder=2, clip_on=False, **style)
    if share > shown:  # longer than the axis: its end is open
        panel.axes.plot([shown, shown], [y - 8, y + 8], color=theme.PAPER, lw=2.4, zorder=3, clip_on=False)
    sheet.text(panel.x(shown) + 8, panel.top + y + 4, wording.count(count), "name", color=theme.INK2)


def _running_total(sheet: Sheet, panel: Panel, shares: list[float], result: CausesResult) -> None:
    totals = [sum(shares[: place + 1]) for place in range(len(shares))]
    rows = [(place + 0.5) * _ROW for place in range(len(shares))]
    panel.axes.axvline(VITAL_SHARE, color=theme.TARGET, lw=1.2, ls=DASHES, zorder=1)
    panel.axes.plot(totals, rows, color=theme.INK2, lw=1.4, zorder=2, clip_on=False)
    named = {0, result.vital - 1}
    for place, (share, y) in enumerate(zip(totals, rows, strict=True)):
        color = theme.PILOT if place < _focus(result) else theme.INK2
        panel.axes.plot([share], [y], "o", ms=6, mfc=color, mec=theme.PAPER, mew=1.0, zorder=3, clip_on=False)
        if place in named:
            words, right = wording.percent(share, places=0), share > 0.35
            width = text_width(words, theme.TICK)
            at = panel.x(share) - 10 - width if right else panel.x(share) + 10
            if at < panel.x(VITAL_SHARE) + 6 and at + width > panel.x(VITAL_SHARE) - 6:
                at = panel.x(VITAL_SHARE) - 6 - width
            sheet.text(at, panel.top + y + 4, words, "name", over=True, color=theme.INK)


def _apart(sheet: Sheet, y: float, apart: Sequence[tuple[str, int]]) -> None:
    sheet.text(0, y, sheet.words("pareto_apart"), "heading", strong=True)
    x = 0.0
    for reason, n in apart:
        name, number = wording.text(f"no_cause.{reason}", sheet.language), wording.count(n)
        sheet.text(x, y + 24, name, "name")
        x += text_width(name, theme.TICK) + 8
        sheet.text(x, y + 24, number, "name", color=theme.MUTED_TEXT)
        x += text_width(number, theme.TICK) + 30


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
