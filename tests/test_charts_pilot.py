"""Figures of a pilot's design, tracking and evidence: marks where the numbers are, no text over another."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from matplotlib.figure import Figure

from csimprove import charts
from csimprove.charts import theme
from csimprove.pilot import PilotCredibility, PilotDesign, PilotResult
from made_evidence import BARE, CREDIBILITY, DAILY, DESIGN, TRACKED, robust, study
from test_charts import LANGUAGES, faults, points, words

METRIC = "response_on_time"


def every_figure(
    credibility: PilotCredibility, result: PilotResult, design: PilotDesign, language: str
) -> dict[str, Figure]:
    return {
        "robustness": charts.pilot_robustness(credibility, result, METRIC, language=language),
        "event study": charts.pilot_event_study(credibility, result, METRIC, language=language),
        "daily": charts.pilot_daily(result, METRIC, language=language),
        "looks": charts.pilot_looks(result, language=language),
        "power": charts.power_curve(design, METRIC, language=language),
    }


LONG = tuple(
    replace(way, left_out="华东区域企业客户与渠道伙伴服务支持中心第07综合服务班组")
    for way in CREDIBILITY.robustness
)
CASES = {
    "as_usual": (CREDIBILITY, TRACKED, DESIGN),
    "nothing_tried": (BARE, replace(TRACKED, looks=()), replace(DESIGN, power=DESIGN.power.iloc[:0])),
    "one_length": (
        replace(CREDIBILITY, robustness=LONG, event_study=study(range(-52, 12), half=0.3)),
        replace(TRACKED, looks=TRACKED.looks[:1]),
        replace(DESIGN, power=DESIGN.power.iloc[:1]),
    ),
    "equal_curves": (
        replace(CREDIBILITY, robustness=tuple(robust("main", 0.0, 0.0) for _ in range(3))),
        TRACKED,
        replace(DESIGN, power=DESIGN.power.assign(detectable=0.05, modelled=False)),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_no_text_lies_over_another_or_leaves_the_canvas(case: str, language: str) -> None:
    figures = every_figure(*CASES[case], language)

    for width in (charts.PAGE, charts.SLIDE, charts.PHONE):
        found = {name: faults(charts.at_width(figure, width)) for name, figure in figures.items()}
        assert found == {name: [] for name in found}, width


def test_robustness_draws_each_way_false_pilots_in_grey_and_the_band_of_the_main_result() -> None:
    figure = charts.pilot_robustness(CREDIBILITY, TRACKED, METRIC)

    band = next(
        one for one in figure.axes[0].collections if one.get_facecolor().size and one.get_zorder() == 0.5
    )
    box = band.get_paths()[0].get_extents()
    assert (round(box.x0, 6), round(box.x1, 6)) == (0.125, 0.165)
    dots = [x for x, _ in points(figure, face=theme.PILOT)]
    assert dots == [0.144, 0.151, 0.145, 0.139, 0.12]
    assert [x for x, _ in points(figure, face=theme.CONTROL)] == [-0.015, 0.017, 0.03, -0.02]
    said = words(figure)
    assert "Main analysis (5 pilot, 15 control teams)" in said
    assert "+14.5  (12.5 to 16.5)" in said
    assert "−1.5 to +1.7" in said
    assert "Wild cluster bootstrap" not in said


def test_an_event_study_leaves_out_weeks_that_are_not_decided() -> None:
    figure = charts.pilot_event_study(
        replace(CREDIBILITY, event_study=study(last_decided=0.9)), TRACKED, METRIC
    )

    assert [x for x, _ in points(figure, face=theme.PILOT)] == [0, 1, 2]
    assert [x for x, _ in points(figure, face=theme.PAPER)] == list(range(-8, 0))
    assert "weeks with less than 95% of tickets decided are not drawn" in words(figure)
    assert "at least +5" in words(figure)


def test_power_joins_what_was_tried_and_what_is_modelled_separately() -> None:
    figure = charts.power_curve(DESIGN, METRIC)

    lengths, teams = figure.axes
    lines = [list(line.get_xdata()) for line in lengths.lines if line.get_linewidth() == theme.MAIN_LINE]
    assert lines == [[1, 2, 4], [8]]
    assert [x for x, _ in points(figure, axes=1)] == [5, 3, 10]
    assert {"as planned", "spread", "asked for: +5"} <= set(words(figure))
    assert len(teams.lines) == 6


def test_daily_run_charts_have_a_median_before_and_no_test() -> None:
    figure = charts.pilot_daily(TRACKED, METRIC)

    medians = [
        line.get_ydata()[0] for axes in figure.axes for line in axes.lines if line.get_color() == theme.INK2
    ]
    assert medians == pytest.approx([0.82, 0.79])
    assert not [word for word in words(figure) if "p =" in word or "±" in word]
    none = DAILY["day"] >= DAILY["day"].max() - timedelta(days=1)  # nothing of the last two days is decided
    late = DAILY.assign(
        undecided=none * 40,
        denominator=DAILY["denominator"].where(~none, 0),
        value=DAILY["value"].where(~none),
    )
    assert "days with less than 95% of tickets decided are not drawn" in words(
        charts.pilot_daily(replace(TRACKED, daily=late), METRIC)
    )


def test_looks_are_rows_with_information_interval_and_bound() -> None:
    figure = charts.pilot_looks(TRACKED)

    said = words(figure)
    assert [word for word in said if word.startswith("look ")] == [
        "look 1, 31 Aug",
        "look 2, 7 Sep",
        "look 3, 28 Sep",
        "look 3, 28 Sep",
        "look 3, 28 Sep",
        "look 1, 31 Aug",
    ]
    assert {
        "25%",
        "100%",
        "+14.5  (12.5 to 16.5)",
        "6.51 / 6.49",
        "to come; bound z = 4.33",
        "at least +10",
        "not above +0.5",
    } <= set(said)
    assert "no look is made yet" in words(charts.pilot_looks(replace(TRACKED, looks=())))


def test_on_a_phone_ways_of_looking_are_named_above_their_marks_and_nothing_is_cut() -> None:
    figure = charts.at_width(charts.pilot_robustness(CREDIBILITY, TRACKED, METRIC), charts.PHONE)

    axes = figure.axes[0]
    to_figure = axes.transData + figure.transFigure.inverted()
    marks = [to_figure.transform(point)[1] for point in points(figure, face=theme.PILOT)]
    heights = {text.get_text(): text.get_position()[1] for text in figure.texts}
    names = [
        "Crude, mix not standardised",
        "Weighted by tickets",
        "One variance for both arms (pooled t)",
        "Agents, if teams did not matter (n = 80)",
        "Without <华东> 1组, which moves it most",
    ]
    above = [(heights[name] - mark) * figure.bbox.height for name, mark in zip(names, marks, strict=True)]
    assert above == pytest.approx([theme.ABOVE - 4] * 5, abs=1)
    assert heights["+12.0  (10.0 to 14.0)"] < marks[-1] < heights[names[-1]]


def test_on_a_phone_the_power_of_more_teams_stands_under_that_of_more_weeks() -> None:
    figure = charts.at_width(charts.power_curve(DESIGN, METRIC), charts.PHONE)

    lengths, teams = (axes.get_position() for axes in figure.axes)
    assert teams.y1 < lengths.y0
    assert teams.width == lengths.width > 0.85
    ends = {text.get_text(): text.get_window_extent().x1 for text in figure.texts}
    assert max(ends["as planned"], ends["spread"]) < lengths.x1 * figure.bbox.width


def test_on_a_phone_no_line_runs_through_the_words_of_a_look() -> None:
    figure = charts.at_width(charts.pilot_looks(TRACKED), charts.PHONE)

    axes = figure.axes[0]
    upright = [line for line in axes.lines if len(line.get_xdata()) == 2]
    assert upright == []
    spans = [path.vertices[:, 1] for one in axes.collections[1:] for path in one.get_paths()]
    assert len(spans) == 6  # zero and what was asked, beside each of three looks
    assert {round(float(max(span) - min(span))) for span in spans} == {18}


def test_an_unknown_metric_names_what_there_is() -> None:
    with pytest.raises(ValueError, match="metric") as error:
        charts.pilot_robustness(CREDIBILITY, TRACKED, "nps")
    assert str(error.value).endswith("csat, waiting_time, not 'nps'.")
