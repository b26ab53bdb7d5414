"""Words of a pilot's design, tracking and evidence: both languages, and no more than the interval allows."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from csimprove import wording
from csimprove.pilot import PreTrend, Reason
from made_evidence import BARE, CAVEATS, CREDIBILITY, DESIGN, LOCK, TRACKED
from test_wording import FORBIDDEN, LANGUAGES, chinese_faults

METRIC = "response_on_time"
COMMAND = "csimprove plan lock"  # holds a forbidden word that claims nothing


def figure_words(language: wording.Language) -> dict[str, wording.FigureWords]:
    return {
        "robustness": wording.pilot_robustness(CREDIBILITY, TRACKED, METRIC, language=language),
        "robustness bare": wording.pilot_robustness(BARE, TRACKED, METRIC, language=language),
        "event study": wording.pilot_event_study(CREDIBILITY, TRACKED, METRIC, language=language),
        "power": wording.power_curve(DESIGN, METRIC, language=language),
        "daily": wording.pilot_daily(TRACKED, METRIC, language=language),
        "looks": wording.pilot_looks(TRACKED, language=language),
    }


def fine(words: str, language: str) -> bool:
    said = words.replace(COMMAND, "X")
    return (
        bool(said) and not FORBIDDEN[language].search(said) and (language == "en" or not chinese_faults(said))
    )


@pytest.mark.parametrize("name", figure_words("en"))
def test_figures_have_words_and_an_alt_text_of_hearable_length(name: str) -> None:
    english, chinese = figure_words("en")[name], figure_words("zh")[name]
    assert 40 <= len(english["alt"].split()) <= 90
    assert 60 <= len(chinese["alt"]) <= 320
    assert all(fine(words, "en") for words in english.values())
    assert all(fine(words, "zh") for words in chinese.values())
    assert not english["title"].endswith(".")


def test_figure_titles_are_the_finding() -> None:
    assert {name: words["title"] for name, words in figure_words("en").items()} == {
        "robustness": (
            "On response on time 4 of 5 other ways of looking fall into the main interval; "
            "3 of 4 false pilots cover zero"
        ),
        "robustness bare": (
            "On response on time no interval can be given to hold other ways of looking against; "
            "no false pilot could be tried"
        ),
        "event study": (
            "On response on time 8 of 8 weeks before the pilot cover zero and 4 of 4 pilot weeks leave it out"
        ),
        "power": (
            "4 weeks would detect a gain of 6.3 points on response on time; the plan asks for 5.0 points"
        ),
        "daily": (
            "Response on time day by day: the pilot's median is 97.0% after 82.0%, "
            "that of the controls 79.0% after 79.0%"
        ),
        "looks": "Response on time passes at look 3; first-contact resolution passes at look 3",
    }


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("margin", [0.05, None])
@pytest.mark.parametrize(
    ("low", "high"), [(-0.03, 0.02), (-0.08, 0.02), (-0.02, 0.08), (0.06, 0.09), (-0.09, -0.06), (None, None)]
)
def test_arms_moved_alike_is_said_only_of_a_parallel_trend(
    low: float | None, high: float | None, margin: float | None, language: wording.Language
) -> None:
    drift = None if low is None or high is None else (low + high) / 2
    for status in ("parallel", "diverging", "cannot_tell"):
        trend = PreTrend(METRIC, 8, drift, low, high, margin, status)
        said = wording.pretrend_text(trend, TRACKED.metrics[0], language)
        assert fine(said, language)
        alike = {"en": "moved alike on response on time: over", "zh": "走势一致："}[language]
        assert (alike in said) == (status == "parallel" and drift is not None)


def test_pretrends_in_full() -> None:
    metric = TRACKED.metrics[0]
    trend = PreTrend(METRIC, 8, 0.008, -0.035, 0.052, 0.05, "cannot_tell")
    assert wording.pretrend_text(trend, metric) == (
        "Whether the arms moved alike on response on time before the pilot cannot be told: over 8 weeks they "
        "drifted apart by +0.8 points (90% interval −3.5 to +5.2; alike would be within ±5)."
    )
    assert wording.pretrend_text(
        replace(trend, status="diverging", drift=0.07, ci_low=0.06), metric, "zh"
    ) == (
        "试点前两组响应及时率已经分离：8周内相对偏移+7.0个百分点（90%区间6.0至5.2），超出±5。效应中可能含有这一趋势。"
    )


@pytest.mark.parametrize(("caveat", "language"), list(itertools.product(CAVEATS, LANGUAGES)))
def test_every_caveat_is_a_sentence(caveat: Reason, language: wording.Language) -> None:
    said = wording.caveat_text(caveat, TRACKED, language)
    assert fine(said, language)
    assert said.endswith({"en": ".", "zh": "。"}[language])


def test_caveats_quote_their_numbers() -> None:
    said = {caveat.code: wording.caveat_text(caveat, TRACKED) for caveat in CAVEATS}
    assert "8.3 points between arms and periods" in said["unequally_decided"]
    assert "the share of <phone> (channel) moved by −18.0 points" in said["routing_moved"]
    assert "moved by +18.0% against the controls (12.0 to 25.0)" in said["volume_moved"]
    assert said["look_not_made"].startswith("What the planned look of 7 Sep 2025 would have said")


@pytest.mark.parametrize(("advice", "language"), list(itertools.product(DESIGN.advice, LANGUAGES)))
def test_every_advice_is_a_sentence_with_this_clients_numbers(
    advice: Reason, language: wording.Language
) -> None:
    said = wording.advice_text(advice, DESIGN, language)
    assert fine(said, language)
    assert any(letter.isdigit() for letter in said)


def test_spreading_is_advised_with_both_standard_errors_and_false_alarms() -> None:
    spread = next(one for one in DESIGN.advice if one.code == "spread")
    assert wording.advice_text(spread, DESIGN) == (
        "The pilot is one region, which is one draw. The same number of teams, drawn from every region, "
        "would see response on time over 4 weeks with a standard error of 2.9 points instead of 4.9 points "
        "and detect 6.2 points instead of 8.0 points. Of 100 pilots without any effect about 5 instead of 27 "
        "would look like one that had one. The history cannot hold that length: the figures come from "
        "fitted variance components."
    )
    alike = Reason("spread", {**spread.values, "detectable_planned": 0.062, "modelled": False})
    assert "did not drift by themselves" in wording.advice_text(alike, DESIGN)


@pytest.mark.parametrize(
    ("codes", "headline"),
    [
        (
            ("too_few_units", "detects"),
            "This pilot could not tell: 5 pilot and 15 control teams are too few",
        ),
        (
            ("not_enough_history", "detects"),
            "Worth running: 4 weeks would detect 3.1 points on response on time, and 5.0 points is asked "
            "for; modelled, since the history is short",
        ),
        (
            ("longer",),
            "Worth running if it is longer: 6 weeks would detect 4.8 points on response on time, and "
            "5.0 points is asked for",
        ),
        ((), "What a pilot of 4 weeks in 华东 could show"),
    ],
)
def test_what_limits_most_is_the_headline_of_a_design(codes: tuple[str, ...], headline: str) -> None:
    design = replace(DESIGN, advice=tuple(one for one in DESIGN.advice if one.code in codes))
    assert wording.design_headline(design) == headline


def test_tracking_says_which_look_decided() -> None:
    assert wording.tracking_headline(TRACKED) == "2 of 3 looks are made; look 3 on 28 Sep 2025: GO"
    early = replace(TRACKED, looks=(replace(TRACKED.looks[0], decision="stop"), *TRACKED.looks[1:]))
    assert wording.tracking_headline(early) == "2 of 3 looks are made; look 1 on 31 Aug 2025: STOP"
    none = replace(TRACKED, looks=TRACKED.looks[1:2])
    assert wording.tracking_headline(none, "zh") == "计划的1次评审均未进行，2025年9月28日之前不作决定"


def test_the_lock_and_the_staff_are_told_with_their_numbers() -> None:
    assert (
        wording.lock_text(LOCK)
        == "After the lock on 20 Aug 2025 (hash 9f2c41d7) 2 fields of the plan changed."
    )
    assert wording.lock_text(replace(LOCK, changes=())).startswith(
        "The plan is as it was locked on 20 Aug 2025"
    )
    assert wording.plan_field(LOCK.changes[0], "zh") == "最低改进，响应及时率"
    assert wording.staff_text(TRACKED) == (
        "18 of 20 colleagues asked find the new process clearer: 90% (95% interval 69.9 to 97.2). "
        "There is no control to compare this with, and it decides nothing."
    )
    assert "{ yes = 18, asked = 20 }" in wording.staff_text(replace(TRACKED, staff=None))
