"""Figures of the programme: actions over the calendar, and the schedule with its gates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import product
from typing import NamedTuple

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import STYLES, Align, Panel, Sheet, Style
from csimprove.charts.theme import fit, text_width
from csimprove.pdca import CycleStatus, Stretch
from csimprove.programme import ProgrammeResult
from csimprove.schedule import GateStatus, PhaseStatus, TaskStatus
from csimprove.settings import Language

_ROW, _BAR, _LINE = 46.0, 19.0, 17.0  # px, of an action, of its bar and of words above it
_LEFT, _STATE = 268.0, 240.0  # px, left of the calendar, and for the states on the right
_HEAD = 64.0  # px, above the rows
_PHASE, _TASK = 34.0, 27.0  # px, rows of the schedule
#: Room for a letter in its bar, px.
_LETTER = 13.0
#: Parts of a panel's height.
Strips = Sequence[tuple[float, float]]
#: Where words may stand: px, and which of their ends that is.
Spot = tuple[float, Align]
_ICONS = {"waiting": "watch", "again": "watch", "checked": "watch", "to_check": "watch"}


@theme.drawn
def pdca_rows(result: ProgrammeResult, *, language: Language = "en") -> Figure | None:
    """Draw one row an action: plan, do, check, act over the calendar, its state and measured effect.

    Parameters
    ----------
    result
        The programme.
    language
        Language of the words.

    Returns
    -------
    Figure or None
        The first 20 actions; done filled, planned dashed, overdue hatched, due dates as diamonds; ``None``
        without any.
    """
    rows = result.cycles[: wording.MOST_ROWS]
    if not rows:
        return None
    ends = [day for one in rows for part in one.stretches for day in (part.first, part.last)]
    ends += [result.today, *(day for one in rows for day in (one.due, one.first_due) if day)]
    days = min(ends).toordinal() - 2.0, max(ends).toordinal() + 3.0
    names, states = _columns(rows, language)
    page, narrow = theme.width() >= theme.PAGE, theme.narrow()
    above = 0 if page else names.lines + states.lines * narrow
    pitch = _ROW + 2 + _LINE * (above - 1) if above else _ROW
    below = 24.0 if _shown(result, days) else 4.0
    sheet = Sheet(_HEAD + pitch * len(rows) + below, language)
    left, right = 0.0 if above else _LEFT, sheet.width - (6 if narrow else _STATE + 20)
    panel = sheet.calendar(left, _HEAD, right - left, pitch * len(rows), days)
    if page:
        sheet.text(0, _HEAD - 10, sheet.words("pdca_action"), "small")
    if not narrow:
        sheet.text(sheet.width - _STATE, _HEAD - 10, sheet.words("pdca_state"), "small")
    sheet.rule(_HEAD)
    middles = [(number + 1) * pitch - (15 if above else pitch / 2) for number in range(len(rows))]
    strips = _strips(panel, middles if above else [], 12)
    _months(sheet, panel, strips)
    _closures(sheet, panel, result, strips)
    for number, (one, y) in enumerate(zip(rows, middles, strict=True)):
        base = _HEAD + (number * pitch + 14 if above else y - 3)
        sheet.text(0, base, str(one.id), "tick")
        names.write(sheet, base, number)
        base += _LINE * names.lines if narrow else 0.0
        sheet.icon(_icon(one), states.left - 16, base - 4)
        states.write(sheet, base, number, theme.BAD if one.overdue else theme.INK)
        _bars(sheet, panel, one, y, result.today)
        sheet.rule(_HEAD + (number + 1) * pitch)
    _today(sheet, panel, result.today, strips)
    sheet.cuts += [_HEAD + number * pitch for number in range(len(rows) + 1)]
    return sheet.figure


class _Column(NamedTuple):
    """Words of actions, each with a note on its one line or on the next; px from the left, and of room."""

    left: float
    room: float
    pairs: list[tuple[str, str]]
    lines: int

    def write(self, sheet: Sheet, base: float, number: int, ink: str = theme.INK) -> None:
        """Write those of an action."""
        words, note = self.pairs[number]
        sheet.text(self.left, base, fit(words, self.room), color=ink)
        after, down = (_after(words), 0.0) if self.lines == 1 else (0.0, _LINE)
        sheet.text(self.left + after, base + down, fit(note, self.room - after, theme.SMALL), "small")


def _columns(rows: Sequence[CycleStatus], language: Language) -> tuple[_Column, _Column]:
    """Return names and states: the page has them beside a bar, a slide the names above it, a phone both."""
    page, narrow, width = theme.width() >= theme.PAGE, theme.narrow(), theme.width()
    nobody = wording.text("pdca.nobody", language)
    names = [(one.title, one.owner or nobody) for one in rows]
    after = [(wording.late_text if one.overdue else wording.next_text)(one, language) for one in rows]
    states = [(wording.state_text(one, language), words) for one, words in zip(rows, after, strict=True)]
    left = 28.0 if page else max(text_width(str(one.id), theme.TICK) for one in rows) + 8
    right = width - 4 if narrow else width
    state = 24.0 if narrow else width - _STATE + 24
    room = (_LEFT - 16 if page else right if narrow else state - 32) - left
    return (
        _Column(left, room, names, 2 if page else _lines(names, room)),
        _Column(state, right - state, states, _lines(states, right - state) if narrow else 2),
    )


def _icon(of: CycleStatus) -> str:
    if of.state == "closed" and wording.confirmed(of):
        return "tick"
    return "cross" if of.overdue else _ICONS.get(of.state, "unknown")


def _lines(pairs: Iterable[tuple[str, str]], room: float) -> int:
    """Lines that words with a note need: one where every pair fits on it."""
    return 1 if all(_after(words) + text_width(note, theme.SMALL) <= room for words, note in pairs) else 2


def _after(words: str) -> float:
    """Px from words to the note on their line."""
    return text_width(words) + 8


def _strips(panel: Panel, middles: Sequence[float], half: float) -> Strips:
    """Parts of a panel in which days are marked: ``half`` px around marks that have words above, else all."""
    return [(1 - (y + half) / panel.height, 1 - (y - half) / panel.height) for y in middles] or [(0.0, 1.0)]


def _bars(sheet: Sheet, panel: Panel, of: CycleStatus, y: float, today: date) -> None:
    late = of.due if of.overdue else None
    for part in of.stretches:
        _stretch(sheet, panel, part, y, min(today, late or today))
    if late is not None:
        start, end = late.toordinal() + 1.0, today.toordinal() + 1.0
        _box(panel, start, end, y, face=theme.BAD_TINT, edge=theme.BAD, hatch="////")
    if of.first_due is not None and of.first_due != of.due:
        _diamond(panel, of.first_due, y, theme.TARGET, hollow=True)
    if of.due is not None:
        _diamond(panel, of.due, y, theme.BAD if of.overdue else theme.TARGET)


def _stretch(sheet: Sheet, panel: Panel, part: Stretch, y: float, until: date) -> None:
    """Draw what is done filled and what is planned as a dashed outline, the letter in the larger of them.

    What lies beyond the due date of a late action is drawn by the caller.
    """
    first, last = part.first.toordinal() + 0.0, part.last.toordinal() + 0.0
    done = min(part.done, until).toordinal() + 0.0 if part.done else first
    last = min(last, done) if part.done and part.done > until else last
    face, ink = theme.PDCA[part.letter]
    if last > done:
        _box(panel, max(first, done), last, y, face="none", edge=theme.NEUTRAL, dashed=True)
    if done > first:
        _box(panel, first, done, y, face=face, edge=theme.PAPER)
    filled = done - first >= last - done
    left, right = (first, done) if filled else (max(first, done), last)
    place = (panel.x(left) + panel.x(right)) / 2
    if panel.x(right) - panel.x(left) < _LETTER:
        return
    line = panel.x(until.toordinal())
    if abs(place - line) < 7:  # today's line, or the diamond of a late action
        place = line - 10
    sheet.text(
        place, panel.top + y + 4.5, part.letter, "mark", color=ink if filled else theme.INK2, align="center"
    )


def _box(
    panel: Panel,
    first: float,
    last: float,
    y: float,
    *,
    face: str,
    edge: str,
    height: float = _BAR,
    dashed: bool = False,
    hatch: str = "",
) -> None:
    box = Rectangle((first, y - height / 2), last - first, height, fc=face, ec=edge, lw=1.0, zorder=2)
    box.set(linestyle=(0, (2.6, 1.8)) if dashed else "-", hatch=hatch or None, clip_on=False)
    panel.axes.add_patch(box)


def _diamond(panel: Panel, day: date, y: float, ink: str, *, hollow: bool = False) -> None:
    face, edge = (theme.PAPER, ink) if hollow else (ink, theme.PAPER)
    place = [day.toordinal() + 0.0]
    panel.axes.plot(place, [y], "D", ms=6.5, mfc=face, mec=edge, mew=1.2, clip_on=False, zorder=5)


def _today(sheet: Sheet, panel: Panel, today: date, strips: Strips) -> None:
    at = today.toordinal()
    for strip in strips:
        panel.axes.axvline(at, *strip, color=theme.TARGET, lw=1.4, zorder=4, clip_on=False)
    entry = (panel.x(at), sheet.words("today", date=sheet.day(today)), theme.INK)
    sheet.labels(panel, panel.top - 45, [entry], out=20)


def _months(sheet: Sheet, panel: Panel, strips: Strips) -> None:
    first, last = (date.fromordinal(int(day)) for day in panel.x_limits)
    starts = [day for day in _firsts(first, last) if panel.x(day.toordinal()) >= panel.left]
    for day, strip in product(starts, strips):
        panel.axes.axvline(day.toordinal(), *strip, color=theme.GRID, lw=theme.GRID_LINE, zorder=0)
    named = [day for day in starts if panel.x(day.toordinal()) < panel.right - 28]
    wide = 48 if first.year == last.year else 84
    step = max(1, -(-len(named) * wide // int(panel.width)))
    for number, day in enumerate(named[::step]):
        year = (number == 0 and first.year != last.year) or day.month == 1
        words = wording.month_text(day, sheet.language, year=year)
        sheet.text(panel.x(day.toordinal()), panel.top - 10, words, "small")


def _firsts(first: date, last: date) -> Iterator[date]:
    day = first.replace(day=1)
    while day <= last:
        yield day
        day = (day + timedelta(days=32)).replace(day=1)


def _shown(result: ProgrammeResult, days: tuple[float, float]) -> list[tuple[date, date]]:
    """Closures within the calendar that are wide enough to be named."""
    return [one for one in result.closures if days[0] <= one[0].toordinal() <= days[1]]


def _closures(sheet: Sheet, panel: Panel, result: ProgrammeResult, strips: Strips) -> None:
    entries = []
    for first, last in _shown(result, panel.x_limits):
        start, end = first.toordinal(), min(last.toordinal() + 1, panel.x_limits[1])
        for strip in strips:
            panel.axes.axvspan(start, end, *strip, color=theme.NEUTRAL_TINT, lw=0, zorder=0)
        words = sheet.words("closed_days", days=_span(first, last, sheet.language))
        entries.append(((panel.x(start) + panel.x(end)) / 2, words, theme.MUTED_TEXT))
    room = panel.width // max([90, *(text_width(words, theme.SMALL) + 8 for _, words, _ in entries)])
    sheet.labels(panel, panel.bottom + 18, entries[-int(room) :], "small", out=30)


def _span(first: date, last: date, language: Language) -> str:
    end = wording.date_text(last, language, year=False)
    if language == "zh":
        same = first.month == last.month
        return wording.date_text(first, language, year=False) + "至" + (f"{last.day}日" if same else end)
    start = str(first.day) if first.month == last.month else wording.date_text(first, year=False)
    return f"{start}–{end}"


@theme.drawn
def gantt(result: ProgrammeResult, *, language: Language = "en") -> Figure | None:
    """Draw phases with their gates, tasks planned and done, lateness, and today.

    Parameters
    ----------
    result
        The programme.
    language
        Language of the words.

    Returns
    -------
    Figure or None
        ``None`` without a schedule.
    """
    plan = result.schedule
    if plan is None:
        return None
    first, last = wording.schedule_span(plan)
    first -= timedelta(days=first.weekday())
    days = float(first.toordinal()), max(last, result.today).toordinal() + 2.0
    above = theme.ABOVE if theme.narrow() else 0.0
    heights = [_PHASE + above + (_TASK + above) * len(one.tasks) + 8 for one in plan.phases]
    below = 24.0 if _shown(result, days) else 4.0
    sheet = Sheet(_HEAD + sum(heights) + below, language)
    phases = [_phase_name(sheet, one, first) for one in plan.phases]
    left = _LEFT
    if sheet.width < theme.PAGE:  # no more than the names or, on a phone, the word beside weeks need
        tasks = [task.name for one in plan.phases for task in one.tasks]
        left = max(theme.column(phases), theme.column(tasks, theme.TICK))
        left = left or text_width(sheet.words("week"), theme.SMALL) + 14
    panel = sheet.calendar(left, _HEAD, sheet.width - left - 8, sum(heights), days)
    tops = [sum(heights[:number]) for number in range(len(heights))]
    rows = [
        [top + above + _PHASE / 2 + 2]
        + [top + 1.5 * above + _PHASE + (number + 0.5) * (_TASK + above) for number in range(len(one.tasks))]
        for top, one in zip(tops, plan.phases, strict=True)
    ]
    strips = _strips(panel, [y for one in rows for y in one] if above else [], 9)
    sheet.rule(_HEAD)
    _weeks(sheet, panel, strips)
    _closures(sheet, panel, result, strips)
    for phase, name, middles, top, height in zip(plan.phases, phases, rows, tops, heights, strict=True):
        _phase(sheet, panel, phase, name, middles, result.today)
        sheet.rule(_HEAD + top + height)
    _today(sheet, panel, result.today, strips)
    sheet.cuts += [_HEAD + top for top in [*tops, sum(heights)]]
    return sheet.figure


def _weeks(sheet: Sheet, panel: Panel, strips: Strips) -> None:
    """Write the numbers of the weeks and the Monday of every fourth, as far as there is room."""
    first, last = (int(day) for day in panel.x_limits)
    pitch = panel.x(first + 7) - panel.left
    step = max(1, int(-(-22 // pitch)))
    sheet.text(panel.left - 8, panel.top - 10, sheet.words("week"), "small", align="right")
    for number, day in enumerate(range(first, last, 7)):
        for strip in strips:
            panel.axes.axvline(day, *strip, color=theme.GRID, lw=theme.GRID_LINE, zorder=0)
        at = panel.x(day) + pitch / 2
        if number % step == 0 and at < panel.right:
            sheet.text(at, panel.top - 10, str(number + 1), "small", align="center")
        if number % (4 * step) == 0 and panel.x(day) < panel.right - 50:
            sheet.text(panel.x(day), panel.top - 28, sheet.day(date.fromordinal(day)), "small")


def _phase_name(sheet: Sheet, of: PhaseStatus, monday: date) -> str:
    first, last = (str((day - monday).days // 7 + 1) for day in (of.first, of.last))
    return sheet.words("phase_weeks", name=of.name, first=first, last=last)


def _phase(
    sheet: Sheet, panel: Panel, of: PhaseStatus, name: str, rows: Sequence[float], today: date
) -> None:
    y = rows[0]
    ink = theme.PILOT if of.first <= today <= of.last else theme.INK2
    start, end = of.first.toordinal() + 0.0, of.last.toordinal() + 1.0
    gate = wording.gate_text(of.gate, sheet.language) if of.gate else ""
    spots: list[Spot] = []
    if of.gate is not None:
        at = _gate(panel, of.gate, y)
        spots = [(at + 14, "left"), (at - 14, "right"), (panel.x(start) - 8, "right")]
        if sheet.width < theme.PAGE:  # a short line should not give way to words
            spots[1:] = reversed(spots[1:])
    spot = _named(sheet, panel, y, name, gate, spots, today, strong=True)
    if of.gate is not None and spot == (at - 14, "right"):
        end = min(end, of.gate.due.toordinal() + 1 - (18 + text_width(gate, theme.SMALL)) / _day(panel))
    if end > start:
        panel.axes.plot([start, end], [y, y], color=ink, lw=2.4, solid_capstyle="butt", zorder=2)
    for row, task in zip(rows[1:], of.tasks, strict=True):
        _task(sheet, panel, task, row, ink, today)


def _day(panel: Panel) -> float:
    """Px that a day takes."""
    return panel.width / (panel.x_limits[1] - panel.x_limits[0])


def _named(
    sheet: Sheet,
    panel: Panel,
    y: float,
    name: str,
    note: str,
    spots: Sequence[Spot],
    today: date,
    strong: bool = False,
) -> Spot | None:
    """Write the name of a row, and a note at the first of the spots where it is clear, which is returned.

    On a phone both stand above the mark.
    """
    style: Style = "label" if strong else "name"
    size, base = STYLES[style][0], panel.top + y + 4
    if theme.narrow():
        base -= theme.ABOVE + 4 * strong  # the mark of a gate is higher than a bar
        note = fit(note, max(sheet.width / 2, sheet.width - text_width(name, size) - 12), theme.SMALL)
        room = sheet.width - text_width(note, theme.SMALL) - 12
        sheet.text(0, base, fit(name, room, size), style, strong=strong)
        if note:
            sheet.text(sheet.width, base, note, "mark", align="right")
        return None
    name = fit(name, panel.left - 16, size)
    sheet.text(0, base, name, style, strong=strong)
    if not note:
        return None
    wide, line, after = text_width(note, theme.SMALL), panel.x(today.toordinal()), text_width(name, size) + 16
    rooms = {(x, end): sheet.width - x if end == "left" else x - after for x, end in spots}
    inside = [spot for spot in spots if rooms[spot] >= wide]
    clear = [(x, end) for x, end in inside if not -4 < (line - x if end == "left" else x - line) < wide + 4]
    spot = (*clear, *inside, max(spots, key=rooms.__getitem__))[0]
    words = fit(note, rooms[spot], theme.SMALL)
    sheet.text(spot[0], base, words, "mark", align=spot[1], over=True)
    return spot


def _gate(panel: Panel, of: GateStatus, y: float) -> float:
    """Draw the mark of a gate; return where, px."""
    day = of.due.toordinal() + 1.0
    ink = {"passed": theme.GOOD, "missed": theme.BAD, "open": theme.TARGET}[of.state]
    face = theme.PAPER if of.state == "open" else ink
    panel.axes.plot([day], [y], "D", ms=11, mfc=face, mec=ink, mew=1.4, zorder=5, clip_on=False)
    step = 1 / _day(panel)  # days a px
    if of.state == "passed":
        points = [day - 4 * step, day - step, day + 4.5 * step], [y + 0.3, y + 3.2, y - 3.4]
        panel.axes.plot(*points, color=theme.PAPER, lw=1.7, zorder=6, clip_on=False)
    elif of.state == "missed":
        panel.axes.plot([day], [y], "x", ms=5.5, color=theme.PAPER, mew=1.7, zorder=6, clip_on=False)
    return panel.x(day)


def _task(sheet: Sheet, panel: Panel, of: TaskStatus, y: float, ink: str, today: date) -> None:
    first, last = of.first.toordinal() + 0.0, of.last.toordinal() + 1.0
    late = sheet.words("days_late.1" if of.late == 1 else "days_late.n", n=str(of.late)) if of.late else ""
    spots: list[Spot] = [(panel.x(last + of.late) + 8, "left"), (panel.x(first) - 8, "right")]
    _named(sheet, panel, y, of.name, late, spots, today)
    _box(panel, first, last, y, face=theme.PAPER, edge=theme.NEUTRAL, height=14)
    reached = min((of.done or today).toordinal() + 1.0, last)
    if reached > first and of.first <= today:
        _box(panel, first, reached, y, face=ink, edge=ink, height=14)
    if of.late:
        _box(panel, last, last + of.late, y, face=theme.ALERT, edge=theme.ALERT, height=14)
