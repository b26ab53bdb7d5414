"""Figures of the programme: actions over the calendar, and the schedule with its gates."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from csimprove import wording
from csimprove.charts import theme
from csimprove.charts.sheet import Panel, Sheet
from csimprove.charts.theme import fit, text_width
from csimprove.pdca import CycleStatus, Stretch
from csimprove.programme import ProgrammeResult
from csimprove.schedule import GateStatus, PhaseStatus, TaskStatus
from csimprove.settings import Language

_ROW, _BAR = 46.0, 19.0  # px, of an action and of its bar
_LEFT, _STATE = 268.0, 640.0  # px, of the calendar and of the states
_HEAD = 64.0  # px, above the rows
_PHASE, _TASK = 34.0, 27.0  # px, rows of the schedule
#: Room for a letter in its bar, px.
_LETTER = 13.0
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
    below = 24.0 if _shown(result, days) else 4.0
    sheet = Sheet(_HEAD + _ROW * len(rows) + below, language)
    panel = sheet.calendar(_LEFT, _HEAD, _STATE - 20 - _LEFT, _ROW * len(rows), days)
    sheet.text(0, _HEAD - 10, sheet.words("pdca_action"), "small")
    sheet.text(_STATE, _HEAD - 10, sheet.words("pdca_state"), "small")
    sheet.rule(_HEAD)
    _months(sheet, panel)
    _closures(sheet, panel, result)
    for number, one in enumerate(rows):
        _action(sheet, panel, one, (number + 0.5) * _ROW, result.today)
        sheet.rule(_HEAD + (number + 1) * _ROW)
    _today(sheet, panel, result.today)
    return sheet.figure


def _action(sheet: Sheet, panel: Panel, of: CycleStatus, y: float, today: date) -> None:
    base = panel.top + y
    sheet.text(0, base - 3, str(of.id), "tick")
    sheet.text(28, base - 3, fit(of.title, panel.left - 44))
    owner = of.owner or wording.text("pdca.nobody", sheet.language)
    sheet.text(28, base + 14, fit(owner, panel.left - 44, theme.SMALL), "small")
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
    icon = "cross" if of.overdue else _ICONS.get(of.state, "unknown")
    if of.state == "closed" and wording.confirmed(of):
        icon = "tick"
    sheet.icon(icon, _STATE + 8, base - 7)
    room = sheet.width - _STATE - 24
    ink = theme.BAD if of.overdue else theme.INK
    sheet.text(_STATE + 24, base - 3, fit(wording.state_text(of, sheet.language), room), color=ink)
    said = wording.late_text(of, sheet.language) if of.overdue else wording.next_text(of, sheet.language)
    sheet.text(_STATE + 24, base + 14, fit(said, room, theme.SMALL), "small")


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


def _today(sheet: Sheet, panel: Panel, today: date) -> None:
    at = today.toordinal()
    panel.axes.axvline(at, color=theme.TARGET, lw=1.4, zorder=4, clip_on=False)
    entry = (panel.x(at), sheet.words("today", date=sheet.day(today)), theme.INK)
    sheet.labels(panel, panel.top - 45, [entry], out=20)


def _months(sheet: Sheet, panel: Panel) -> None:
    first, last = (date.fromordinal(int(day)) for day in panel.x_limits)
    starts = [day for day in _firsts(first, last) if panel.x(day.toordinal()) >= panel.left]
    for day in starts:
        panel.axes.axvline(day.toordinal(), color=theme.GRID, lw=theme.GRID_LINE, zorder=0)
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


def _closures(sheet: Sheet, panel: Panel, result: ProgrammeResult) -> None:
    entries = []
    for first, last in _shown(result, panel.x_limits):
        start, end = first.toordinal(), min(last.toordinal() + 1, panel.x_limits[1])
        panel.axes.axvspan(start, end, color=theme.NEUTRAL_TINT, lw=0, zorder=0)
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
    height = sum(_PHASE + _TASK * len(one.tasks) + 8 for one in plan.phases)
    below = 24.0 if _shown(result, days) else 4.0
    sheet = Sheet(_HEAD + height + below, language)
    panel = sheet.calendar(_LEFT, _HEAD, sheet.width - _LEFT - 8, height, days)
    sheet.rule(_HEAD)
    _weeks(sheet, panel)
    _closures(sheet, panel, result)
    y = 0.0
    for phase in plan.phases:
        _phase(sheet, panel, phase, y, result.today)
        y += _PHASE + _TASK * len(phase.tasks) + 8
        sheet.rule(_HEAD + y)
    _today(sheet, panel, result.today)
    return sheet.figure


def _weeks(sheet: Sheet, panel: Panel) -> None:
    """Write the numbers of the weeks and the Monday of every fourth, as far as there is room."""
    first, last = (int(day) for day in panel.x_limits)
    pitch = panel.x(first + 7) - panel.left
    step = max(1, int(-(-22 // pitch)))
    sheet.text(panel.left - 8, panel.top - 10, sheet.words("week"), "small", align="right")
    for number, day in enumerate(range(first, last, 7)):
        panel.axes.axvline(day, color=theme.GRID, lw=theme.GRID_LINE, zorder=0)
        at = panel.x(day) + pitch / 2
        if number % step == 0 and at < panel.right:
            sheet.text(at, panel.top - 10, str(number + 1), "small", align="center")
        if number % (4 * step) == 0 and panel.x(day) < panel.right - 50:
            sheet.text(panel.x(day), panel.top - 28, sheet.day(date.fromordinal(day)), "small")


def _phase(sheet: Sheet, panel: Panel, of: PhaseStatus, top: float, today: date) -> None:
    y, first = top + _PHASE / 2 + 2, int(panel.x_limits[0])
    weeks = [str((day.toordinal() - first) // 7 + 1) for day in (of.first, of.last)]
    name = sheet.words("phase_weeks", name=of.name, first=weeks[0], last=weeks[1])
    sheet.text(0, panel.top + y + 4, fit(name, panel.left - 16), strong=True)
    ink = theme.PILOT if of.first <= today <= of.last else theme.INK2
    start, end = of.first.toordinal() + 0.0, of.last.toordinal() + 1.0
    if of.gate is not None:
        end = min(end, _gate(sheet, panel, of.gate, y))
    if end > start:
        panel.axes.plot([start, end], [y, y], color=ink, lw=2.4, solid_capstyle="butt", zorder=2)
    for number, task in enumerate(of.tasks):
        _task(sheet, panel, task, top + _PHASE + (number + 0.5) * _TASK, ink, today)


def _gate(sheet: Sheet, panel: Panel, of: GateStatus, y: float) -> float:
    """Draw a gate with its name; the phase's line may reach the day that is returned."""
    day = of.due.toordinal() + 1.0
    ink = {"passed": theme.GOOD, "missed": theme.BAD, "open": theme.TARGET}[of.state]
    face = theme.PAPER if of.state == "open" else ink
    panel.axes.plot([day], [y], "D", ms=11, mfc=face, mec=ink, mew=1.4, zorder=5, clip_on=False)
    step = (panel.x_limits[1] - panel.x_limits[0]) / panel.width  # days a px
    if of.state == "passed":
        points = [day - 4 * step, day - step, day + 4.5 * step], [y + 0.3, y + 3.2, y - 3.4]
        panel.axes.plot(*points, color=theme.PAPER, lw=1.7, zorder=6, clip_on=False)
    elif of.state == "missed":
        panel.axes.plot([day], [y], "x", ms=5.5, color=theme.PAPER, mew=1.7, zorder=6, clip_on=False)
    words, at = wording.gate_text(of, sheet.language), panel.x(day)
    width = text_width(words, theme.SMALL)
    if at + 14 + width <= sheet.width:
        sheet.text(at + 14, panel.top + y + 4, words, "mark", over=True)
        return day
    sheet.text(at - 14, panel.top + y + 4, words, "mark", align="right", over=True)
    return day - (18 + width) * step


def _task(sheet: Sheet, panel: Panel, of: TaskStatus, y: float, ink: str, today: date) -> None:
    sheet.text(0, panel.top + y + 4, fit(of.name, panel.left - 16, theme.TICK), "name")
    first, last = of.first.toordinal() + 0.0, of.last.toordinal() + 1.0
    _box(panel, first, last, y, face=theme.PAPER, edge=theme.NEUTRAL, height=14)
    reached = min((of.done or today).toordinal() + 1.0, last)
    if reached > first and of.first <= today:
        _box(panel, first, reached, y, face=ink, edge=ink, height=14)
    if of.late:
        _box(panel, last, last + of.late, y, face=theme.ALERT, edge=theme.ALERT, height=14)
        words = sheet.words("days_late.1" if of.late == 1 else "days_late.n", n=str(of.late))
        at = panel.x(last + of.late) + 8
        if at + text_width(words, theme.SMALL) <= sheet.width:
            sheet.text(at, panel.top + y + 4, words, "mark", over=True)
        else:
            sheet.text(panel.x(first) - 8, panel.top + y + 4, words, "mark", align="right", over=True)
