"""Figures of the regular reports: what they mark and name, and that no text lies over another."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from csimprove import charts, wording
from csimprove.charts import theme
from csimprove.charts.control import _ICONS
from csimprove.charts.sheet import Sheet
from csimprove.errors import SettingsError
from csimprove.monitoring import MonitoringResult, monitoring
from csimprove.settings import Language, Phase, Spc
from made_measures import pilot_plan
from made_monitoring import measures, settings
from test_charts import faults, words

START = date(2025, 8, 4)
LONG_ZH = tuple(f"East 区域企业客户与渠道伙伴服务支持中心第{i:02d}综合服务班组" for i in range(24))


def piloted(day: date, team: str) -> float:
    return 0.96 if day >= START and team.startswith("East") else 0.80


def jumpy(day: date, team: str) -> float:
    return 0.30 if day.day % 9 == 0 else 0.99 if day.day % 7 == 0 else 0.85


def apart(day: date, team: str) -> float:
    return 0.55 if team == "East 7" else 0.85


def result(days: int = 98, *, plan: bool = True, **options: Any) -> MonitoringResult:
    phases = options.pop("phases", ())
    made = measures(days, **options)
    own = pilot_plan(before=(date(2025, 7, 7), date(2025, 8, 3)), during=(START, date(2025, 8, 31)))
    spc = Spc(exclude={date(2025, 7, 1): "CRM outage"})
    return monitoring(
        made, settings=settings(pilot=own if plan else None, phases=phases, spc=spc, cuts=("region", "team"))
    )


MANY = tuple(
    Phase(name=f"Version V1.{i} of the new service process", start=date(2025, 7, 1 + 4 * i), reason="r")
    for i in range(6)
)
CASES: dict[str, Callable[[], MonitoringResult]] = {
    "piloted": lambda: result(rate=piloted),
    "no_pilot": lambda: result(plan=False),
    "jumpy": lambda: result(rate=jumpy),
    "apart": lambda: result(rate=apart, teams=tuple(f"East {i}" for i in range(20)), size=20),
    "one_day": lambda: result(1, plan=False),
    "always_met": lambda: result(rate=lambda day, team: 1.0),
    "many_phases": lambda: result(phases=MANY),
    "long_names": lambda: result(rate=lambda day, team: 0.6 if "0" in team else 0.97, teams=LONG_ZH, size=12),
    "by_week": lambda: result(230, size=4),
}


@cache
def case(name: str) -> MonitoringResult:
    return CASES[name]()


DRAWN = (charts.control_chart, charts.control_arms, charts.kpi_multiples, charts.funnel)
#: Cases that are drawn at every width; each width takes a second.
HARD = ("no_pilot", "jumpy", "many_phases", "long_names", "by_week")


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", CASES)
def test_no_text_lies_over_another_or_leaves_the_canvas(name: str, language: str) -> None:
    drawn = {draw.__name__: draw(case(name), language=language) for draw in DRAWN}  # type: ignore[operator]

    for width in (charts.PAGE, charts.SLIDE, charts.PHONE) if name in HARD else (charts.PAGE,):
        figures = {title: charts.at_width(figure, width) for title, figure in drawn.items() if figure}
        assert {title: found for title, figure in figures.items() if (found := faults(figure))} == {}, width
    assert (drawn["control_arms"] is None) == (case(name).arms is None)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", CASES)
def test_every_figure_has_its_words(name: str, language: str) -> None:
    for draw in DRAWN:
        said = getattr(wording, draw.__name__)(case(name), language=language)
        assert said["title"]
        assert "{" not in "".join(said.values())
        assert "nan" not in "".join(said.values())


def lines(figure: Figure, axes: int, **wanted: Any) -> list[Any]:
    return [
        line
        for line in figure.axes[axes].lines
        if all(getattr(line, f"get_{key}")() == value for key, value in wanted.items())
    ]


def test_phases_are_named_and_dated_and_frozen_limits_run_dashed_through_the_next_one() -> None:
    found = case("piloted")
    figure = charts.control_chart(found)

    named = {"At the start", "Pilot", "frozen upper limit", "frozen mean", "frozen lower limit"}
    assert named <= set(words(figure))
    assert any(text.startswith("2 Jun – 3 Aug 2025, mean 80.") for text in words(figure))
    points = found.chart.points
    dashed = [line for line in figure.axes[0].lines if line.get_linestyle() == "--"]
    frozen = [line for line in dashed if len(line.get_xdata()) == 2 * 35]
    assert len(frozen) == 3
    second = points[points["phase"] == 1]
    assert frozen[0].get_xdata()[0] == second["period"].iloc[0].toordinal() - 0.5
    assert sorted(round(line.get_ydata()[-1], 6) for line in frozen) == sorted(
        round(float(second[name].iloc[-1]), 6) for name in ("frozen_lcl", "frozen_center", "frozen_ucl")
    )


def test_on_a_phone_every_line_is_named_beside_a_panel_that_takes_two_thirds() -> None:
    figure = charts.at_width(charts.control_chart(case("piloted")), charts.PHONE)

    said = " ".join(words(figure))
    for name in ("frozen upper limit", "frozen mean", "frozen lower limit", "upper limit", "target 95%"):
        assert name in said
    assert figure.axes[0].get_position().width > 0.64


@pytest.mark.parametrize("width", [charts.SLIDE, charts.PHONE])
def test_names_and_verdicts_of_small_charts_are_whole_where_the_page_cuts_them(width: int) -> None:
    found, name = case("piloted"), "complaint_resolution"
    rows = tuple(replace(one, metric=name) for one in found.indicators[:1])
    kpis = tuple(replace(one, metric=name) for one in found.kpis * 2)
    page = charts.kpi_multiples(replace(found, indicators=rows, kpis=kpis))
    figure = charts.at_width(page, width)

    assert [text for text in words(page) if "..." in text]
    assert not [text for text in words(figure) if "..." in text]
    # two stand side by side on a phone, three on a slide
    lefts = {round(axes.get_position().x1, 3) for axes in figure.axes}
    assert len(lefts) == (2 if width == charts.PHONE else 3)


def test_no_line_joins_the_points_over_the_border_of_a_phase() -> None:
    found = case("piloted")
    figure = charts.control_chart(found)

    joined = lines(figure, 0, linewidth=0.7)
    assert [len(line.get_xdata()) for line in joined] == [62, 35]  # 63 days less the excluded one, 35 days


@pytest.mark.parametrize(
    ("language", "label", "caption"),
    [
        (
            "en",
            "1 Jul, not counted:",
            "Hollow points count for neither limits nor patterns: 1 Jul 2025 (CRM outage).",
        ),
        ("zh", "7月1日不计：", "空心点不计入控制限与判异：2025年7月1日（CRM outage）。"),
    ],
)
def test_an_excluded_day_is_hollow_and_its_reason_stands_beside_it_and_in_the_caption(
    language: Language, label: str, caption: str
) -> None:
    found = case("piloted")
    figure = charts.control_chart(found, language=language)

    hollow = [line for line in lines(figure, 0, marker="o") if line.get_markeredgewidth() == 0.8]
    assert [date.fromordinal(int(line.get_xdata()[0])) for line in hollow if len(line.get_xdata())] == [
        date(2025, 7, 1)
    ]
    assert {label, "CRM outage"} <= set(words(figure))
    assert caption in wording.control_chart(found, language=language)["caption"]
    assert caption in wording.control_arms(found, language=language)["caption"]


def test_the_caption_says_of_the_order_only_what_was_judged() -> None:
    days, weeks, one = (
        wording.control_chart(case(name))["caption"] for name in ("piloted", "by_week", "one_day")
    )
    assert re.search(r"Neighbouring points \(lag 1: \S+\) and weekdays \(lag 7: \S+\) do not mislead", days)
    assert re.search(r"Neighbouring points \(lag 1: \S+\) do not mislead the limits\.", weeks)
    assert "Too few points to judge whether neighbouring ones resemble each other." in one


def test_a_target_that_changed_is_a_step_and_the_baseline_of_the_settings_is_frozen() -> None:
    targets = {"response_on_time": {date(2025, 6, 2): 0.90, date(2025, 7, 14): 0.95}}
    spc = Spc(baseline=date(2025, 7, 6), targets=targets)
    found = monitoring(
        measures(rate=lambda day, team: 0.9 + 0.05 * (day.month > 7)), settings=settings(spc=spc)
    )
    points = found.chart.points
    assert points.groupby("target")["period"].min().dt.date.to_dict() == {
        0.90: date(2025, 6, 2),
        0.95: date(2025, 7, 14),
    }
    (line,) = [line for line in charts.control_chart(found).axes[0].lines if line.get_color() == theme.TARGET]
    assert line.get_ydata().tolist() == points["target"].repeat(2).tolist()
    (phase,) = found.chart.phases
    first = points[points["period"] <= "2025-07-06"]
    assert (phase.n, phase.center) == (35, first["numerator"].sum() / first["denominator"].sum())
    # indicators without a declared change keep their own target
    assert charts.kpi_multiples(found) is not None
    assert found.kpis[1].points["target"].unique().tolist() == [0.85]

    with pytest.raises(SettingsError, match="`metric` must be one of the catalogue, not 'response_on_tme'"):
        monitoring(measures(), settings=settings(spc=Spc(targets={"response_on_tme": {}})))


def test_many_excluded_days_are_counted_in_the_caption() -> None:
    spc = Spc(exclude={date(2025, 7, day): "CRM outage" for day in range(1, 6)})
    found = monitoring(measures(), settings=settings(spc=spc))
    said = wording.control_chart(found)["caption"]
    assert "1 Jul 2025 (CRM outage); 2 Jul 2025 (CRM outage); 3 Jul 2025 (CRM outage); 2 more. Not" in said


def test_signals_are_diamonds_on_the_bad_side_and_dots_on_the_good_one() -> None:
    found = case("jumpy")
    figure = charts.control_chart(found)

    own = [one for one in found.chart.signals if one.rule == "beyond_limits" and one.limits == "own"]
    sides = {mark: len(lines(figure, 0, marker=mark, markersize=6.5)) for mark in ("D", "o")}
    assert sides == {
        "D": sum(one.side == "below" for one in own),
        "o": sum(one.side == "above" for one in own),
    }
    assert any("below the limit" in text for text in words(figure))


def test_small_charts_say_course_and_target_in_words_and_marks() -> None:
    figure = charts.kpi_multiples(case("piloted"))

    said = " ".join(words(figure))
    assert "improved; target always missed" in said
    assert said.count("target ≥") + said.count("target ≤") == 3


def test_a_funnel_names_only_who_stands_apart_with_k_of_n() -> None:
    found = case("apart")
    figure = charts.funnel(found)
    assert figure is not None
    assert found.funnel is not None

    beyond = [str(found.funnel.points["period"].iloc[one.first]) for one in found.funnel.signals]
    assert beyond == ["East 7"]
    assert [text.split(":")[0] for text in words(figure) if text.startswith("East")] == beyond
    assert charts.funnel(replace(found, funnels=())) is None


def lightness(color: str) -> float:
    """CIE L*, 0 black to 100 white: what a print in grey keeps."""
    r, g, b = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in to_rgb(color))
    y = 0.2126 * r + 0.7152 * g + 0.0722 * b
    return float(116 * y ** (1 / 3) - 16 if y > 0.008856 else 903.3 * y)


def contrast(one: str, other: str) -> float:
    dark, light = sorted(((lightness(color) + 16) / 116) ** 3 for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_what_only_a_colour_tells_apart_differs_in_grey_and_text_stands_out() -> None:
    assert lightness(theme.CONTROL) - lightness(theme.PILOT) > 20
    for ink in (theme.INK, theme.INK2, theme.MUTED_TEXT, theme.PILOT, theme.GOOD, theme.BAD, theme.NEUTRAL):
        assert contrast(ink, theme.PAPER) >= 4.5
        assert contrast(ink, theme.PILOT_TINT) >= 4.5
    for mark in (theme.CONTROL, theme.ALERT):
        assert contrast(mark, theme.PAPER) >= 3
    # these look alike in grey: the tests below hold that none of them stands alone
    states = [lightness(color) for color in (theme.GOOD, theme.BAD, theme.NEUTRAL)]
    assert max(states) - min(states) < 10


def pixels(kind: str) -> Any:
    sheet = Sheet(32, "en")
    sheet.icon(kind, 16, 16, 28)
    drawn = io.BytesIO()
    sheet.figure.savefig(drawn, format="png", dpi=96)
    return np.asarray(Image.open(drawn).convert("L"), dtype=float)[:, :48]


def test_every_mark_of_a_state_has_a_shape_of_its_own() -> None:
    kinds = sorted({*_ICONS.values(), "steady", "watch", "hit_and_miss"})
    marks = {kind: pixels(kind) for kind in kinds}
    for one, other in itertools.combinations(kinds, 2):
        assert (np.abs(marks[one] - marks[other]) > 60).sum() > 20, (one, other)


@pytest.mark.parametrize("name", ["piloted", "jumpy"])
def test_no_line_or_point_of_a_control_chart_is_told_by_its_colour_alone(name: str) -> None:
    figure = charts.control_chart(case(name))
    looks: dict[str, set[tuple[Any, ...]]] = {}
    for line in figure.axes[0].lines:
        if len(line.get_xdata()):
            look = line.get_marker(), line.get_markersize(), line.get_linestyle(), line.get_linewidth()
            looks.setdefault(str(line.get_color()), set()).add(
                (*look, line.get_markerfacecolor() == theme.PAPER)
            )
    states = [color for color in (theme.GOOD, theme.BAD, theme.ALERT) if color in looks]
    assert states or name == "piloted"
    for color in states:
        for other in looks.keys() - {color}:
            assert looks[color].isdisjoint(looks[other]), (color, other)
    # own limits are solid, frozen ones dashed, the target in dashes of its own
    dashes = {line.get_linestyle() for line in figure.axes[0].lines if len(line.get_xdata()) > 1}
    assert {"-", "--"} <= dashes


def test_a_group_outside_the_funnel_has_a_larger_mark() -> None:
    figure = charts.funnel(case("apart"))
    assert figure is not None
    marks = [(line.get_marker(), line.get_markersize()) for line in figure.axes[0].lines]
    assert sorted(mark for mark in marks if mark[0] != "None") == [("D", 8), *[("o", 6)] * 19]
