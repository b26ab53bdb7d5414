"""Blocks of the programme, in both languages: what they say of a made programme."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from csimprove import report, wording
from csimprove.errors import SettingsError
from csimprove.programme import ProgrammeResult
from csimprove.settings import Pdca, Settings, Source
from made_programme import a_programme

SETTINGS = Settings(
    project="p", source=Source(path="t.csv"), pdca=Pdca(clock="business", report_within="1 d")
)
BLOCKS: dict[str, Any] = {
    "masthead": report.programme_masthead,
    "overdue": lambda result, language: report.overdue_table(result, SETTINGS, language=language),
    "predicted": report.predicted_table,
    "exceptions": lambda result, language: report.exceptions_table(result, SETTINGS, language=language),
    "proposals": report.proposals_table,
    "versions": report.versions_table,
    "gates": report.gates_table,
    "drift": report.drift_table,
    "pages": report.a3_pages,
    "history": report.history_table,
}


def said(name: str, result: ProgrammeResult | None = None, language: str = "en") -> str:
    plain: str = BLOCKS[name](result or a_programme(), language=language).plain
    return plain


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("name", list(BLOCKS))
def test_every_block_is_whole_in_both_languages_also_without_anything(name: str, language: str) -> None:
    full = a_programme()
    empty = replace(full, cycles=(), exceptions=(), proposals=(), versions=(), schedule=None)
    for result in (full, empty):
        block = BLOCKS[name](result, language=language)
        for words in (block.html, block.plain):
            assert words
            assert "{" not in words
            assert "nan" not in words.lower()
        assert "<the>" not in block.html
        assert "V<1.0>" not in block.html
        assert "<late>" not in block.html


def test_the_masthead_holds_the_finding() -> None:
    first = said("masthead").splitlines()[0]
    assert first == "1 of 5 actions are closed with their effect confirmed; one is 11 days late"
    assert said("masthead", language="zh").startswith("5项措施中1项经证实关闭；1项逾期11天")


def test_without_actions_the_finding_is_what_waits_for_one() -> None:
    empty = replace(a_programme(), cycles=())
    waiting = sum(one.cycle is None for one in empty.open_exceptions)
    assert waiting == 1
    assert said("masthead", empty).startswith("No action is in the register; one alert waits for an answer\n")
    many = replace(empty, exceptions=empty.exceptions[:1] * 25)
    assert said("exceptions", many).endswith("20 of 25 are shown.")
    assert said("masthead", many, "zh").startswith("改进台账中没有措施；25项预警待答复\n")


def test_what_is_overdue_names_owner_first_due_date_and_level() -> None:
    (row,) = [line for line in said("overdue").splitlines() if line.startswith("Remind")]
    for words in (
        "Desk manager (now with: Service director)", "10 Oct 2025", "26 Sep 2025",
        "11 days late, level 3 since 20 Oct", "somebody other than the owner checks",
    ):  # fmt: skip
        assert words in row


def test_predicted_stands_beside_measured_with_what_the_interval_ignores() -> None:
    text = said("predicted")
    (good,) = [line for line in text.splitlines() if line.startswith("Action 2")]
    (none,) = [line for line in text.splitlines() if line.startswith("Action 3")]
    assert "+10 points" in good
    assert "+15." in good
    assert good.rstrip().endswith("confirmed")
    assert none.rstrip().endswith("below the planned gain")
    assert "(Response on time; 5 teams against 8)" in good
    assert "How it was measured: against compared units, from the change of each; ignores what only" in text


def test_a_gate_shows_every_piece_of_evidence_with_what_is_there() -> None:
    lines = said("gates").splitlines()
    (go,) = [line for line in lines if line.startswith("G2 GO")]
    (handover,) = [line for line in lines if line.startswith("G3 handover")]
    assert "pilot.verdict is go: cannot be seen yet; action 2 closed, effect confirmed: there" in go
    assert go.endswith("missed")
    assert "in 4 Aug – 31 Aug 2025: not there (82.0%)" in handover
    assert handover.endswith("open")


def test_a_lag_behind_the_path_is_a_warning() -> None:
    assert "behind the plan" in said("drift")
    assert wording.gantt(a_programme())["title"].endswith("; response on time behind the plan")


def test_versions_are_cohorts_with_their_trained_share() -> None:
    lines = said("versions").splitlines()
    before, version = lines[2:4]
    assert before.startswith("before")
    assert version.startswith("V<1.0>   fewer fields")
    assert "(East)" in version
    assert "90%" in version


def test_a_page_an_action_from_background_to_standard() -> None:
    text = report.a3_pages(a_programme(), 2).plain
    lines = text.splitlines()
    assert lines[0] == "Action 2: Action 2"
    assert [line.partition(":")[0] for line in lines[1:]] == [
        "Background", "Current condition", "Goal", "Causes", "Countermeasures", "Plan",
        "Follow-up", "Standardise",
    ]  # fmt: skip
    assert "Goal: Response on time: +10 points predicted, at least +5 points to count" in text
    assert "Standardise: In every region" in text
    with pytest.raises(ValueError, match="`cycle` must be the number of an action") as caught:
        report.a3_pages(a_programme(), 9)
    assert str(caught.value) == "`cycle` must be the number of an action (1, 4, 5, 3, 2), not 9."


def test_more_actions_than_pages_are_counted() -> None:
    made = a_programme()
    many = replace(made, cycles=made.cycles * 3)
    assert report.a3_pages(many).plain.endswith(
        "7 more actions have no page here: set the parameter `cycle` to the number of one."
    )


def test_lateness_is_an_entry_of_the_history() -> None:
    text = said("history")
    assert "still open: to level 3, Service director" in text
    assert "due date moved to 10 Oct 2025: supplier <late>" in text
    assert text.index("still open: to level 3") < text.index("due date moved")


def test_a_workbook_holds_dates_as_dates_and_no_formula(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    made = a_programme()
    evil = ["=1+1", "+cmd|'/c calc'!A0", "-2", "@SUM(A1)", "\tx", "\rx", "plain\x01"]
    cycles = tuple(replace(made.cycles[0], id=n, title=words, owner=words) for n, words in enumerate(evil, 1))
    for language in ("en", "zh"):
        path = report.write_workbook(replace(made, cycles=cycles), tmp_path / "r.xlsx", language=language)  # type: ignore[arg-type]
        book = openpyxl.load_workbook(path)
        assert len(book.sheetnames) == 4
        kinds = {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row}
        assert "f" not in kinds
        titles = [row[1] for row in book.worksheets[0].iter_rows(min_row=2)]
        # readers of XML may turn a return into a line feed
        assert [str(cell.value).replace("\r", "\n") for cell in titles] == [*evil[:5], "\nx", "plain"]
        assert [cell.quotePrefix for cell in titles] == [True] * 6 + [False]
    assert book.worksheets[0]["E2"].value == datetime(2025, 10, 10)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.xlsx"]
    checks = report.write_workbook(made, tmp_path / "r.xlsx")
    rows = list(openpyxl.load_workbook(checks)["Checks"].iter_rows(min_row=2, values_only=True))
    assert [row[4] for row in rows] == ["below the planned gain", "confirmed"]
    assert all(isinstance(row[7], float) for row in rows)


def test_without_the_extra_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingsError) as caught:
        report.write_workbook(a_programme(), tmp_path / "r.xlsx")
    assert str(caught.value) == (
        "a workbook cannot be written: the extra is not installed. Install it: pip install 'csimprove[xlsx]'."
    )
