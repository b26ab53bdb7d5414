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


CASES: dict[str, Any] = {
    "usual": a_programme, "long_names": long_names, "two_years": two_years, "one_row": one_row,
}  # fmt: skip


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("case", list(CASES))
@pytest.mark.parametrize("name", ["pdca_rows", "gantt"])
def test_no_text_lies_over_another_or_leaves_the_sheet(name: str, case: str, language: str) -> None:
    assert faults(figure(name, language, case)) == []


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
