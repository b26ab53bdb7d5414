"""What is said and shown of root causes, in both languages."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from csimprove import report, wording
from csimprove.causes import CausesResult
from made_causes import FILE, made_causes, mixed, ticket

DAY = "2025-03-03"
FORBIDDEN = re.compile(r"significant|proves|no change|caus(ed|es) by|because of", re.IGNORECASE)


@pytest.fixture
def made(tmp_path: Path) -> CausesResult:
    (tmp_path / "coding.csv").write_text(
        "ticket_id,coder,cause\n1,ann,Queue\n1,ben,Queue\n2,ann,Staff\n2,ben,can't tell\n", encoding="utf-8"
    )
    return made_causes(tmp_path, mixed(), FILE, sheet="coding.csv")


def test_the_headline_names_a_largest_cause_only_where_it_is_shown(tmp_path: Path) -> None:
    clear = [ticket(n, DAY, "A" if n < 40 else "B") for n in range(50)]
    result = made_causes(tmp_path, clear)
    assert wording.causes_headline(result) == (
        "A is the largest cause: 80.0% of coded tickets (67.0 to 88.8), 60.0 points ahead of the next"
    )
    assert (
        wording.causes_headline(result, "zh")
        == "首要原因是A，占已编码工单的80.0%（67.0至88.8），比第二位高60.0个百分点"
    )
    close = made_causes(tmp_path, [ticket(n, DAY, "A" if n < 11 else "B") for n in range(20)])
    assert wording.causes_headline(close) == (
        "A (55.0%) and B (45.0%) lead the causes of tickets; which is larger is not shown"
    )
    one = made_causes(tmp_path, clear[:3])
    assert wording.causes_headline(one) == "All coded tickets have one cause: A"
    none = made_causes(tmp_path, [ticket(1, DAY, "")])
    assert wording.causes_headline(none) == "No cause can be told: 0 of 1 tickets are coded"


def test_the_words_around_a_pareto_say_n_intervals_and_the_rule_of_ties(made: CausesResult) -> None:
    words = wording.pareto(made)
    assert words["title"] == "Two of three causes make up 90% of the coded delays"
    assert words["lede"].startswith(
        "Causes of 10 coded tickets, from the export; coders agree to Krippendorff's alpha"
    )
    for part in ("15 tickets looked into", "Wilson", "A tie at the 80% line stays above it", "tickets.csv"):
        assert part in words["caption"]
    assert 'not coded 3, can\'t tell 1 and marked "-" 1' in words["alt"]
    assert wording.pareto(made, language="zh")["title"] == "3项原因中的2项占已编码延误的90%"


@pytest.mark.parametrize(
    ("counts", "title"),
    [
        ([9, 1], "One cause makes up 90% of the coded tickets"),
        ([2, 2, 2], "It takes all three causes to reach 80% of the coded tickets"),
        ([3] * 9 + [1], "Five causes make up 54% of the coded tickets; it takes nine of ten to reach 80%"),
    ],
)
def test_titles_of_a_pareto(tmp_path: Path, counts: list[int], title: str) -> None:
    codes = [f"cause {place}" for place, n in enumerate(counts) for _ in range(n)]
    result = made_causes(tmp_path, [ticket(n, DAY, code) for n, code in enumerate(codes)])
    assert wording.pareto(result)["title"] == title


def test_a_cause_of_several_categories_is_told_with_its_category(tmp_path: Path) -> None:
    rows = [ticket(1, DAY, "Belt", category="Line 1"), ticket(2, DAY, "Belt", category="Line 2")]
    result = made_causes(tmp_path, rows, category="category")
    assert [wording.cause_name(result, one) for one in result.ranked] == ["Belt (Line 1)", "Belt (Line 2)"]


def test_the_words_around_a_fishbone_count_what_is_confirmed(made: CausesResult) -> None:
    [words] = wording.fishbone(made, [wording.FishPage((0, 1, 2, 3))])
    assert words["title"] == "Process and people hold 90% of the coded delays; 1 of 4 causes confirmed"
    assert "Process 7 tickets, 70%: Long queue 7" in words["alt"]
    assert "Causes: 1 confirmed, 2 suggested, 1 ruled out" in words["alt"]
    [alone] = wording.fishbone(made, [wording.FishPage((0,), alone=True)], language="zh")
    assert alone["title"] == "法（流程）全貌：7件，原因1项"
    [nothing] = wording.fishbone(made, [])
    assert nothing["title"] == "No fishbone: no ticket is coded and no cause is listed"


def test_small_shares_do_not_read_as_nothing(tmp_path: Path) -> None:
    rows = [ticket(n, DAY, "A" if n else "B", category="x" if n else "y") for n in range(300)]
    result = made_causes(tmp_path, rows, category="category")
    assert wording.category_note(result.categories[1]) == "1 ticket, 0.3% (0 to 2)"


def test_the_table_tells_shares_lateness_and_status(made: CausesResult) -> None:
    plain = report.causes_table(made).plain
    lines = plain.splitlines()
    assert lines[0] == "Causes of delays in numbers"
    assert re.search(
        r"^Long queue \(Process\) +7 +70\.0% \(39\.7 to 89\.2\) +100\.0% \(n = 5\)", plain, re.MULTILINE
    )
    assert "confirmed, controllable" in plain
    assert "There is no earlier period to compare with" in plain
    chinese = report.causes_table(made, language="zh").plain
    assert "排队长" in chinese
    assert "已证实，可控" in chinese


def test_the_table_says_what_it_cannot(tmp_path: Path) -> None:
    without = report.causes_table(made_causes(tmp_path, mixed(), FILE, limit=False)).plain
    assert "Without a limit in the settings nothing can be said of late tickets." in without
    assert "Median time" not in without
    earlier = [ticket(n, "2025-03-01", "Staff") for n in range(50, 54)]
    result = made_causes(tmp_path, [*mixed(), *earlier], FILE, period=("2025-03-02", "2025-03-03"))
    assert "Change of the share against 1 Mar 2025, Newcombe interval." in report.causes_table(result).plain
    assert re.search(r"−80\.0 points", report.causes_table(result).plain)


def test_the_outline_holds_every_cause_with_its_ticket_ids(made: CausesResult) -> None:
    block = report.fishbone_outline(made)
    lines = block.plain.splitlines()
    assert (
        "  Long queue: 7 tickets, 70% (40 to 89); confirmed, controllable: counted in a trial week" in lines
    )
    assert "    Peak hours: 1 ticket, 10% (2 to 40); suggested" in lines
    assert "  Too many forms: 0 tickets, 0% (0 to 28); ruled out, not controllable" in lines
    assert block.html.count("<details>") == 4
    assert "<small>1 2 3 4 5 6 7</small>" in block.html
    assert "高峰时段" in report.fishbone_outline(made, language="zh").plain


def test_on_a_phone_the_outline_takes_the_place_of_the_fishbone(made: CausesResult) -> None:
    # a browser shows what the rule does; here its hook is kept
    style = (files("csimprove.report") / "style.css").read_text(encoding="utf-8")
    phone = style.split("@media screen and (max-width:700px){")[1].split("@media")[0]
    assert "figure:has(.only):has(+.csi>.fish) :is(.lede,.scroll," in phone
    assert style.count(".fish") == phone.count(".fish")
    assert report.fishbone_outline(made).html.startswith('<section class="outline fish">')
    assert "fish" not in report.whys_outline(made).html


def test_an_outline_of_many_tickets_says_how_to_get_the_rest(tmp_path: Path) -> None:
    result = made_causes(tmp_path, [ticket(n, DAY, "A") for n in range(250)])
    assert "and 50 more: `csimprove code list` writes them all" in report.fishbone_outline(result).html


def test_whys_stand_below_what_they_explain(made: CausesResult) -> None:
    assert report.whys_outline(made).plain.splitlines() == [
        "Asked why, again and again",
        "Long queue",
        "  1. why: too few agents at noon. Evidence: roster (confirmed)",
        "    2. why: shifts start at nine. (suggested)",
        "    2. why: lunch is at noon. (ruled out)",
    ]
    assert "第1问：中午坐席不足。依据：排班表（已证实）" in report.whys_outline(made, language="zh").plain


def test_agreement_is_told_with_n_interval_and_pairs(made: CausesResult) -> None:
    plain = report.agreement_table(made).plain
    assert plain.startswith("2 coders agree on 50% of pairs; beyond chance: alpha")
    assert re.search(r"Staff not trained +can't tell +1 +2|can't tell +Staff not trained +1 +2", plain)
    assert "2 tickets coded by at least two people" in plain


def test_associations_are_worded_as_such(tmp_path: Path) -> None:
    rows = [ticket(n, DAY, "A", wait=90, csat=1) for n in range(40)]
    rows += [ticket(100 + n, DAY, "B", csat=5) for n in range(40)] + [ticket(200, DAY, "C", csat=3)]
    plain = report.associations_table(made_causes(tmp_path, rows)).plain
    assert "goes together with less" in plain
    assert "goes together with more" in plain
    assert "An association, not an effect" in plain
    table = plain.split("Among coded tickets")[0]
    assert not FORBIDDEN.search(table)
    assert "与较低同时出现" in report.associations_table(made_causes(tmp_path, rows), language="zh").plain


def test_parts_without_data_say_so_in_one_line(tmp_path: Path) -> None:
    result = made_causes(tmp_path, [ticket(1, DAY, "")], limit=False)
    blocks = [
        report.causes_table(result),
        report.whys_outline(result),
        report.agreement_table(result),
        report.associations_table(result),
        report.suggestions_table(result),
    ]
    assert [len(block.plain.splitlines()) for block in blocks] == [1] * 5


def test_suggestions_are_counted_nowhere_else(tmp_path: Path) -> None:
    rows = [
        *mixed(),
        ticket(90, DAY, "", suggested_cause="Queue"),
        ticket(91, DAY, "Staff", suggested_cause="Queue"),
    ]
    result = made_causes(tmp_path, rows, FILE)
    plain = report.suggestions_table(result).plain
    assert plain.startswith("Keywords suggest a cause for 1 ticket without one")
    assert re.search(r"Long queue +1", plain)
    assert result.ranked[0].count == 7


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_block_speaks_the_language_and_claims_no_more_than_it_knows(
    made: CausesResult, language: Any
) -> None:
    blocks = [
        report.causes_masthead(made, language=language),
        report.causes_table(made, language=language),
        report.fishbone_outline(made, language=language),
        report.whys_outline(made, language=language),
        report.agreement_table(made, language=language),
        report.associations_table(made, language=language),
    ]
    words = "\n".join(block.plain for block in blocks)
    assert not FORBIDDEN.search(words)
    assert "{" not in words
    assert bool(re.search("[一-鿿]", words)) == (language == "zh")
