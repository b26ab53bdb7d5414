"""Blocks of a pilot's design, tracking and evidence as HTML and as text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from csimprove import report, wording
from made_evidence import CREDIBILITY, DESIGN, LOCK, TRACKED
from test_report import LANGUAGES, Outline

METRIC = "response_on_time"


def blocks(language: wording.Language) -> dict[str, report.Block]:
    return {
        "effects": report.effects_table(TRACKED, language=language),
        "robustness": report.robustness_table(CREDIBILITY, TRACKED, METRIC, language=language),
        "cannot": report.cannot_conclude(TRACKED, language=language),
        "staff": report.staff_feedback(TRACKED, language=language),
        "lock": report.plan_changes(LOCK, language=language),
        "checks": report.checks(TRACKED, language=language),
        "design masthead": report.design_masthead(DESIGN, language=language),
        "advice": report.advice(DESIGN, language=language),
        "units": report.units_table(DESIGN, language=language),
        "variation": report.variation_table(DESIGN, language=language),
        "power": report.power_table(DESIGN, METRIC, language=language),
        "tracking masthead": report.tracking_masthead(TRACKED, language=language),
        "progress": report.progress_table(TRACKED, language=language),
        "looks": report.looks_table(TRACKED, language=language),
        "rules": report.rules(TRACKED, language=language),
    }


def cells(line: str) -> list[str]:
    return re.split(r" {2,}", line)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", blocks("en"))
def test_blocks_are_well_formed_and_escape_what_comes_from_data(
    name: str, language: wording.Language
) -> None:
    block = blocks(language)[name]
    outline = Outline(block._repr_html_())
    assert outline.open == []
    assert not {"华东", "phone", "1", "two"} & {tag for tag, _ in outline.tags}
    assert "<phone>" not in block.html
    assert "<华东>" not in block.html
    assert "{" not in block.plain.replace("{ yes", "")
    assert all(line == line.rstrip() for line in block.plain.splitlines())


def test_effects_stand_crude_and_standardised_with_mix_and_tickets_a_week() -> None:
    lines = report.effects_table(TRACKED).plain.splitlines()
    assert cells(lines[2]) == [
        "Response on time",
        "+14.5 points (12.4 to 16.5)",
        "+14.4 points (12.0 to 16.6)",
        "−0.1 points",
        "About 210 fewer late answers a week (180 to 239)",
    ]
    assert "repeated" not in lines[-1]
    wide = replace(TRACKED, metrics=(replace(TRACKED.metrics[0], confidence=0.962), *TRACKED.metrics[1:]))
    assert "repeated intervals" in report.effects_table(wide).plain
    assert "repeated intervals" in report.evaluation_table(wide).plain


def test_ways_have_p_values_only_once_the_pilot_has_one() -> None:
    lines = report.robustness_table(CREDIBILITY, TRACKED, METRIC).plain.splitlines()
    assert cells(lines[6]) == ["Wild cluster bootstrap", "+14.5 points", "–", "0.0005", "20"]
    assert "ranks 1 of 3" in lines[-1]
    early = replace(TRACKED, metrics=(replace(TRACKED.metrics[0], pvalue=None), *TRACKED.metrics[1:]))
    assert "0.0005" not in report.robustness_table(CREDIBILITY, early, METRIC).plain


def test_looks_are_told_with_bounds_also_of_those_to_come() -> None:
    lines = report.looks_table(TRACKED).plain.splitlines()
    assert cells(lines[2]) == [
        "1: 31 Aug 2025",
        "Response on time",
        "25.0% (250 / 1,000)",
        "+16.0 points (4.0 to 28.0)",
        "6.51 / 6.49",
        "continue",
    ]
    assert cells(lines[4])[0] == "2: 7 Sep 2025"
    assert cells(lines[4])[-2:] == ["– / 4.33", "to come"]
    assert cells(lines[5])[-1] == "GO"


def test_progress_counts_decided_tickets_of_both_arms() -> None:
    lines = report.progress_table(TRACKED).plain.splitlines()
    assert cells(lines[2]) == [
        "Response on time",
        "98.0% (1,000 / 1,020)",
        "99.3% (3,000 / 3,020)",
        "95.1%",
        "79.9%",
    ]
    assert "p =" not in "\n".join(lines)


def test_checks_name_what_moved_and_what_is_not_equally_decided() -> None:
    assert "Mix of what arrives: A (severity) moved by +20.0 points" in report.checks(TRACKED).plain
    steady = replace(TRACKED, routing=TRACKED.routing[:1])
    assert "most phone (channel), −1.0 points (−3.0 to +1.0)" in report.checks(steady).plain
    uneven = replace(TRACKED.metrics[0], decided_gap=0.08, unequally_decided=True)
    said = report.checks(replace(TRACKED, metrics=(uneven, *TRACKED.metrics[1:]))).plain
    assert "Equally decided: response on time: the shares of decided tickets differ by 8.0 points" in said


def test_before_the_decision_date_the_permutation_is_said_to_come_later() -> None:
    early = replace(TRACKED, metrics=(replace(TRACKED.metrics[0], pvalue=None), *TRACKED.metrics[1:]))
    said = report.checks(early).plain
    assert "Permutation of teams: response on time: given at the last look on 28 Sep 2025, not before" in said


def test_plan_changes_are_rows_of_then_and_now() -> None:
    lines = report.plan_changes(LOCK).plain.splitlines()
    assert cells(lines[3]) == ["minimum gain, Response on time", "0.08", "0.05"]
    assert cells(lines[4]) == ["looks", "2025-08-31", "2025-08-31, 2025-09-07"]
    assert "fields changed after: 0" in report.plan_changes(replace(LOCK, changes=())).plain
    assert "not locked" in report.plan_changes(None).plain


def test_power_says_what_is_modelled_and_what_rests_on_few_tries() -> None:
    lines = report.power_table(DESIGN, METRIC).plain.splitlines()
    assert cells(lines[2]) == [
        "1",
        "as planned, 5 : 15",
        "40 (24)",
        "27.0% (2.0 to 40.0)",
        "3.0",
        "9.4",
        "14.0",
        "61%",
    ]
    assert cells(lines[6])[:2] == ["4", "as planned, few tries, 5 : 15"]
    assert cells(lines[8])[:4] == ["8", "as planned, modelled, 5 : 15", "–", "27.0%"]


def test_a_pilot_without_open_questions_says_so() -> None:
    clear = replace(TRACKED, cannot_conclude=())
    assert "every question of the plan has an answer" in report.cannot_conclude(clear).plain
    assert "No advice" in report.advice(replace(DESIGN, advice=())).plain
