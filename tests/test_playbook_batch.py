"""Batches: a report a value or a row, each as it is within the whole, and a cover that hides no failure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from csimprove import metrics, playbook, samples
from csimprove.errors import RunError, SettingsError
from csimprove.playbook import batch, runs
from csimprove.settings import read_settings


@pytest.fixture(scope="module")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_sample(tmp_path_factory.mktemp("batch"), small=True)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """What runs were asked for; here none is executed."""
    found: list[tuple[str, dict[str, Any]]] = []

    def stand_in(file: str, **options: Any) -> Path:
        found.append((file.rpartition("/")[2], options))
        if "North" in file:
            raise RunError("01_baseline failed.\nIt is kept.")
        folder = options["into"] / "20260101-000000"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "results.json").write_text(json.dumps({"results": {}}))
        return folder / "index.html"

    monkeypatch.setattr(runs, "run", stand_in)
    return found


def text_of(page: Path) -> str:
    return " ".join(
        re.sub(r"<style.*?</style>|<[^>]*>", " ", page.read_text(encoding="utf-8"), flags=re.S).split()
    )


def test_one_report_a_value_and_a_failure_stops_no_other(
    settings_file: Path, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    made = playbook.run_batch(settings_file, by="region", isolated=True, quiet=True)
    assert [file for file, _ in calls] == [
        f"playbook.toml?region={name}&pilot=none"
        for name in ("East China", "North China", "South China", "Southwest")
    ]
    # without both arms of the pilot its notebooks are left out
    assert {options["only"] for _, options in calls} == {("01_baseline", "07_monitoring")}
    assert [entry.status for entry in made.entries] == ["ok", "failed", "ok", "ok"]
    assert made.failures == ["North China: 01_baseline failed."]
    assert made.cover == read_settings(settings_file).reports / "by-region" / "index.html"
    assert made.entries[0].link == "east-china/20260101-000000/index.html"
    told = json.loads((made.cover.parent / "batch.json").read_text(encoding="utf-8"))
    assert told == made.to_dict()
    assert told["status"] == "failed"
    words = text_of(made.cover)
    assert "3 of 4 reports by region are ready" in words
    assert "failed: 01_baseline failed." in words
    assert "do not hold both arms of the pilot" in words


def test_a_value_that_holds_both_arms_keeps_the_pilot(
    settings_file: Path, calls: list[tuple[str, dict[str, Any]]]
) -> None:
    playbook.run_batch(
        settings_file, by="channel", only=("01", "05"), isolated=True, quiet=True, language="zh"
    )
    assert {options["only"] for _, options in calls} == {("01_baseline", "05_pilot_evaluation")}
    assert "playbook.toml?channel=phone" in [file for file, _ in calls]


def test_too_few_tickets_are_told_and_no_failure(
    settings_file: Path, calls: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measures = metrics.load_measures(read_settings(settings_file))
    least = measures.frame.groupby("region")["tickets"].sum().min()
    monkeypatch.setattr(batch, "FEW", least + 1)
    made = playbook.run_batch(settings_file, by="region", isolated=True, quiet=True)
    assert [entry.status for entry in made.entries].count("too_few") == 1
    assert f"no report: fewer than {least + 1} tickets" in text_of(made.cover)


def test_a_table_gives_cuts_parameters_moment_and_language(
    settings_file: Path, calls: list[tuple[str, dict[str, Any]]], tmp_path: Path
) -> None:
    table = tmp_path / "clients.csv"
    table.write_text(
        "region,channel,cut,as_of,language\nEast China,,team,2025-09-30,zh\n,,,,\nNowhere & co,phone,,,\n",
        encoding="utf-8",
    )
    made = playbook.run_batch(
        settings_file, table=table, parameters={"metric": "csat"}, isolated=True, quiet=True
    )
    (first, options), (second, _) = calls
    assert (first, second) == ("playbook.toml?region=East China&pilot=none", "playbook.toml")
    assert options["parameters"] == {"metric": "csat", "cut": "team"}
    assert (options["as_of"], options["language"]) == ("2025-09-30", "zh")
    assert [(entry.label, entry.status) for entry in made.entries] == [
        ("East China, team, 2025-09-30, zh", "ok"),
        ("2", "ok"),
        ("Nowhere & co, phone", "too_few"),
    ]
    assert made.cover.parent.name == "by-clients"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "`--for` and `--table` must not be given together. Leave one out."),
        (
            {"by": "regoin"},
            "`--for` must be a cut of the settings, not 'regoin'. Did you mean region? Add it to `cuts`.",
        ),
    ],
)
def test_a_wrong_batch_is_refused(settings_file: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        playbook.run_batch(settings_file, quiet=True, isolated=True, **options)
    assert str(caught.value) == message


def test_a_ragged_table_is_refused_with_its_lines(settings_file: Path, tmp_path: Path) -> None:
    table = tmp_path / "clients.csv"
    table.write_text("region,cut\nEast\nEast,team\nEast,team,more\n", encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        playbook.run_batch(settings_file, table=table, quiet=True, isolated=True)
    assert str(caught.value) == (
        f"{table} must hold a heading and rows of as many values; wrong: line 2, 4. Correct it."
    )


def _cut(results: dict[str, Any], group: str) -> list[tuple[object, ...]]:
    rows = [row for row in results["baseline"]["cuts"] if row["cut"] == "region" and row["group"] == group]
    return [_row(row) for row in rows]


def _row(row: dict[str, Any]) -> tuple[object, ...]:
    return tuple(row[key] for key in ("metric", "value", "ci_low", "ci_high", "denominator"))


@pytest.mark.slow
def test_a_report_of_a_value_says_what_the_whole_says_of_it_and_is_reproduced(
    tmp_path: Path, read: Callable[[Path], dict[str, Any]]
) -> None:
    settings_file = samples.write_sample(tmp_path, small=True)
    whole = read(playbook.run(settings_file, only=("01",), quiet=True).parent)
    made = playbook.run_batch(settings_file, by="region", only=("01", "07"), quiet=True)
    assert made.failures == []
    for entry in made.entries:
        folder = (made.cover.parent / str(entry.link)).parent
        found = read(folder)
        assert found["project"] == f"Service process standardisation: {entry.label}"
        own = [_row(row) for row in found["results"]["baseline"]["metrics"]]
        assert own == _cut(whole["results"], entry.label)
        page = (folder / "01_baseline.html").read_text(encoding="utf-8")
        assert f"tickets.csv ({entry.label})" in page
        assert f"≠ {entry.label}" in page
    assert playbook.verify(folder, quiet=True).differences == ()
    # nothing has changed: the second batch shows the same runs
    assert playbook.run_batch(settings_file, by="region", only=("01", "07"), quiet=True) == made


@pytest.fixture
def read() -> Callable[[Path], dict[str, Any]]:
    def results(folder: Path) -> dict[str, Any]:
        return dict(json.loads((folder / "results.json").read_text(encoding="utf-8")))

    return results
