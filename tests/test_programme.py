"""The programme as a whole on the sample: what is planted is confirmed, what is not planted is not."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from csimprove import metrics, playbook
from csimprove.pdca import check_cycle, read_register
from csimprove.programme import ProgrammeResult, programme
from csimprove.report.cells import rounded
from csimprove.settings import read_settings
from made_register import at, measures, project, started

COMMITTED = Path(__file__).resolve().parents[1] / "data" / "sample"


def sample(folder: Path, variant: str, **options: object) -> ProgrammeResult:
    file = playbook.sample(folder, variant=variant, **options)  # type: ignore[arg-type]
    made = read_settings(file)
    return programme(metrics.load_measures(made, as_of="2025-10-26"), settings=made)


@pytest.fixture(scope="module")
def standard(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ProgrammeResult]:
    folder = tmp_path_factory.mktemp("standard")
    return folder, sample(folder, "standard", reports="../../reports")


def verdicts(result: ProgrammeResult) -> dict[int, str]:
    return {one.id: one.check.verdict for one in result.checked if one.check is not None}


def test_useful_actions_are_confirmed_and_the_useless_one_is_not(
    standard: tuple[Path, ProgrammeResult],
) -> None:
    _, result = standard
    assert verdicts(result) == {1: "confirmed", 2: "confirmed", 3: "too_small"}
    states = {one.id: one.state for one in result.cycles}
    assert states == {
        1: "closed", 2: "closed", 3: "again", 4: "to_check", 5: "checking", 6: "doing", 7: "waiting",
    }  # fmt: skip
    effects = {one.id: one.check for one in result.checked}
    assert effects[1] is not None
    assert effects[2] is not None
    assert effects[1].effect == pytest.approx(0.15, abs=0.04)  # planted: 80 % to 95 %
    assert effects[2].effect == pytest.approx(2.2, abs=0.6)  # planted: 5.0 to 2.8 minutes


def test_a_missed_deadline_goes_up_on_the_right_days_across_the_holiday(
    standard: tuple[Path, ProgrammeResult],
) -> None:
    """Due on Saturday 27 September; 28 is a make-up Sunday, 1 to 8 October a holiday, 11 is made up."""
    _, result = standard
    (late,) = result.overdue
    assert (late.id, late.first_due, late.due, late.late) == (
        4, date(2025, 9, 20), date(2025, 9, 27), 29,
    )  # fmt: skip
    assert [(one.on, one.level) for one in late.escalations] == [
        (date(2025, 10, 9), 2), (date(2025, 10, 13), 3),
    ]  # fmt: skip


def test_gates_versions_and_proposals_of_the_twelve_weeks(standard: tuple[Path, ProgrammeResult]) -> None:
    _, result = standard
    assert result.schedule is not None
    assert [gate.state for gate in result.schedule.gates] == ["passed", "passed", "passed", "open"]
    cohorts = {one.version: one for one in result.versions}
    assert list(cohorts) == ["", "V1.0", "V1.1"]
    assert cohorts["V1.0"].trained_share == 1.0
    rate = {name: one.indicators[0].value for name, one in cohorts.items()}
    assert rate["V1.0"] == pytest.approx(0.95, abs=0.02)
    assert [one.count for one in result.open_proposals] == [10]
    json.dumps(rounded(result.to_dict()))


def test_nothing_is_confirmed_where_nothing_works(tmp_path: Path) -> None:
    result = sample(tmp_path, "null")
    assert "confirmed" not in verdicts(result).values()
    assert len(verdicts(result)) == 3
    assert result.schedule is not None
    assert "passed" not in [gate.state for gate in result.schedule.gates[1:]]


def test_the_committed_register_is_what_the_generator_writes(
    standard: tuple[Path, ProgrammeResult],
) -> None:
    folder, _ = standard
    written = {path.name: path.read_bytes() for path in (folder / "pdca").iterdir()}
    committed = {path.name: path.read_bytes() for path in (COMMITTED / "pdca").iterdir()}
    assert written == committed


def test_an_asked_for_day_shows_the_register_as_it_was(standard: tuple[Path, ProgrammeResult]) -> None:
    folder, _ = standard
    made = read_settings(folder / "playbook.toml")
    early = metrics.load_measures(made, as_of="2025-09-25")
    result = programme(early, settings=made, as_of="2025-09-25")
    states = {one.id: (one.state, one.late) for one in result.cycles}
    assert states[1] == ("to_check", 0)
    assert states[4] == ("to_check", 0)  # extended on the 19th
    assert set(states) == {1, 2, 3, 4, 5}


def test_without_a_day_the_register_may_be_ahead_of_the_data(tmp_path: Path) -> None:
    made = project(tmp_path)
    started(made)
    check_cycle(made, 1, who="Quality manager", at=at("2025-09-20"), measures=measures())
    (one,) = programme(measures(), settings=made).cycles
    assert one.state == "checked"
    (then,) = programme(measures(), settings=made, as_of="2025-09-08").cycles
    assert then.state == "to_check"
    assert read_register(made)


def test_an_empty_project_has_nothing_to_tell(tmp_path: Path) -> None:
    result = programme(measures(), settings=project(tmp_path))
    assert (result.cycles, result.proposals, result.versions, result.schedule) == ((), (), (), None)
