"""Figures of the programme: what is filled, dashed, hatched and named, and that no text lies over another."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta
from functools import cache
from typing import Any

import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from csimprove import charts, wording
from csimprove.charts import theme
from csimprove.programme import ProgrammeResult
from made_programme import a_programme
from test_charts import faults, words


@cache
def figure(name: str, language: str, case: str = "usual") -> Figure:
    made = getattr(charts, name)(CASES[case](), language=language)
    assert isinstance(made, Figure)
    return made


def long_names() -> ProgrammeResult:
    made = a_programme()
    long = "Remind every agent and every team lead well before the limit of a ticket 临近时限自动提醒"
    cycles = tuple(
        replace(one, id=90 + i, title=f"{i} {long}", owner=long) for i, one in enumerate(made.cycles * 5)
    )
    return replace(made, cycles=cycles)


def two_years() -> ProgrammeResult:
    made = a_programme()
    first, *others = made.cycles
    old = tuple(
        replace(part, first=part.first - timedelta(days=700), last=part.last, done=part.done)
        for part in first.stretches[:1]
    )
    return replace(made, cycles=(replace(first, stretches=old), *others))


def one_row() -> ProgrammeResult:
    made = a_programme()
    return replace(made, cycles=made.cycles[:1], closures=())


def long_schedule() -> ProgrammeResult:
    made = a_programme()
    assert made.schedule is not None
    long = "All regions, one after another 全部区域"
    phases = tuple(
        replace(
            one,
            name=f"{one.name} {long}",
            tasks=tuple(replace(task, name=f"{task.name} {long}", late=40) for task in one.tasks),
            gate=one.gate and replace(one.gate, name=f"{one.gate.name} {long}"),
        )
        for one in made.schedule.phases
    )
    return replace(made, schedule=replace(made.schedule, phases=phases))


CASES: dict[str, Any] = {
    "usual": a_programme, "long_names": long_names, "two_years": two_years, "one_row": one_row,
    "long_schedule": long_schedule,
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("name", ["pdca_rows", "gantt"])
def test_no_text_lies_over_another_or_leaves_the_sheet(name: str, case: str, language: str) -> None:
    made = figure(name, language, case)
    for width in (charts.PAGE, charts.SLIDE, charts.PHONE):
        drawn = charts.at_width(made, width)
        assert faults(drawn) == [], width
        if (name, case) != ("gantt", "long_schedule"):
            assert struck(drawn) == [], width


def struck(made: Figure) -> list[str]:
    """Words over bars or gates, or that today's line crosses; letters stand in their bars."""
    axes = made.axes[0]
    gates = [line for line in axes.lines if line.get_marker() == "D"]
    today = [line for line in axes.lines if line.get_color() == theme.TARGET and line.get_linewidth() == 1.4]
    marks = [mark.get_window_extent() for mark in (*boxes_of(made), *today)]
    marks += [
        Bbox.from_extents(*(at - 5), *(at + 5))
        for at in (axes.transData.transform(one.get_xydata()[0]) for one in gates)
    ]
    found = [(text.get_text(), text.get_window_extent()) for text in made.texts if len(text.get_text()) > 1]
    return [
        words
        for words, box in found
        if any(
            min(box.x1, mark.x1) - max(box.x0, mark.x0) > -1
            and min(box.y1, mark.y1) - max(box.y0, mark.y0) > 1
            for mark in marks
        )
    ]


def boxes_of(made: Figure) -> list[Rectangle]:
    """Bars; not the days that are closed."""
    tint = to_rgba(theme.NEUTRAL_TINT)
    return [one for one in made.axes[0].patches if isinstance(one, Rectangle) and one.get_facecolor() != tint]


def boxes(made: Figure, **looks: Any) -> list[Rectangle]:
    found = [patch for patch in made.axes[0].patches if isinstance(patch, Rectangle)]
    if "hatch" in looks:
        return [one for one in found if one.get_hatch() == looks["hatch"]]
    return [one for one in found if one.get_linestyle() not in ("-", "solid")]


def test_done_is_filled_planned_dashed_and_overdue_hatched_up_to_today() -> None:
    made, result = figure("pdca_rows", "en"), a_programme()
    (late,) = boxes(made, hatch="////")
    (overdue,) = result.overdue
    assert overdue.due is not None
    assert late.get_x() == overdue.due.toordinal() + 1
    assert late.get_x() + late.get_width() == result.today.toordinal() + 1
    assert boxes(made)
    assert all(one.get_x() >= result.today.toordinal() - 1 for one in boxes(made))


def test_due_dates_are_diamonds_and_the_first_due_date_is_hollow() -> None:
    lines = [line for line in figure("pdca_rows", "en").axes[0].lines if line.get_marker() == "D"]
    hollow = [line for line in lines if line.get_markerfacecolor() == theme.PAPER]
    assert [date.fromordinal(int(line.get_xdata()[0])) for line in hollow] == [date(2025, 9, 26)]
    red = [line for line in lines if line.get_markerfacecolor() == theme.BAD]
    assert [date.fromordinal(int(line.get_xdata()[0])) for line in red] == [date(2025, 10, 10)]


def test_rows_say_state_effect_and_lateness() -> None:
    said = words(figure("pdca_rows", "en"))
    assert "late, to be checked" in said
    assert "11 days late, level 3 since 20 Oct" in said
    assert "closed" in said
    assert any(re.search(r"% to .*%, effect \+1\d\.\d points$", text) for text in said)
    assert "no Do: effect plan missing" in said
    assert "closed 1–8 Oct" in said
    assert "today 21 Oct" in said
    assert "今天10月21日" in words(figure("pdca_rows", "zh"))


def place(made: Figure, words: str) -> tuple[float, float]:
    """Px of words from the left and from the top."""
    x, y = next(text.get_position() for text in made.texts if text.get_text() == words)
    return x * made.bbox.width, (1 - y) * made.bbox.height


def test_names_stand_above_bars_on_slides_and_states_too_on_phones() -> None:
    page, slide, phone = (
        charts.at_width(figure("pdca_rows", "en"), width)
        for width in (charts.PAGE, charts.SLIDE, charts.PHONE)
    )
    assert sorted(words(page)) == sorted([*words(slide), "action and owner"])
    assert sorted(words(slide)) == sorted([*words(phone), "state and measured effect"])
    assert place(page, "Script")[1] - place(page, "waiting")[1] == pytest.approx(0)
    assert place(slide, "Script")[1] - place(slide, "waiting")[1] == pytest.approx(0)
    assert place(phone, "waiting")[1] - place(phone, "Script")[1] == pytest.approx(17)
    assert place(slide, "waiting")[0] > charts.SLIDE / 2
    panels = [one.axes[0].get_position() for one in (page, slide, phone)]
    assert [round(panel.x0, 3) for panel in panels] == [0.305, 0, 0]
    assert panels[2].x1 == pytest.approx(352 / 358)
    assert charts.cuts(slide) == [64 + 48 * number for number in range(6)]


def test_a_schedule_names_rows_above_their_marks_on_a_phone() -> None:
    slide, phone = (charts.at_width(figure("gantt", "en"), width) for width in (charts.SLIDE, charts.PHONE))
    assert sorted(words(slide)) == sorted(words(phone))
    assert not [said for said in (*words(slide), *words(phone)) if "..." in said]
    assert place(slide, "Training")[1] == pytest.approx(place(slide, "2 days late")[1])
    (x, y), (late, same) = place(phone, "Training"), place(phone, "2 days late")
    assert (x, late, same) == (0, charts.PHONE, y)
    bars = sorted(
        (1 - bar.get_window_extent().y1 / phone.bbox.height) * phone.bbox.height for bar in boxes_of(phone)
    )
    assert min(top - y for top in bars if top > y) == pytest.approx(6, abs=1)


def test_gates_carry_their_state_and_late_tasks_their_days() -> None:
    made = figure("gantt", "en")
    said = words(made)
    assert {"G1 plan: passed", "G2 GO: missed", "G3 handover: open"} <= set(said)
    assert "2 days late" in said
    assert "Preparation, weeks 1–3" in said
    faces = [line.get_markerfacecolor() for line in made.axes[0].lines if line.get_marker() == "D"]
    assert faces == [theme.GOOD, theme.BAD, theme.PAPER]
    alert = to_rgba(theme.ALERT)
    late = [box for box in made.axes[0].patches if box.get_facecolor() == alert]
    assert [box.get_width() for box in late] == [2, 8]


def test_nothing_is_drawn_without_actions_or_schedule() -> None:
    nothing = replace(a_programme(), cycles=(), schedule=None)
    assert charts.pdca_rows(nothing) is None
    assert charts.gantt(nothing) is None
    assert wording.pdca_rows(nothing)["title"] == "No action is in the register"
    assert wording.gantt(nothing, language="zh")["title"] == "设置中没有进度计划"
