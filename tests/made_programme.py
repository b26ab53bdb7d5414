"""A small programme for the tests of its figures, words and blocks: no file, no engine."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from csimprove.pdca import (
    add_cycle,
    check_cycle,
    close_cycle,
    extend_cycle,
    plan_cycle,
    reopen_cycle,
    start_cycle,
)
from csimprove.programme import ProgrammeResult, programme
from made_register import LEAD, OWNER, PLAN, PLAYBOOK, QUALITY, at, measures, project, started

SCHEDULE = """
since = 2025-08-01
[[versions]]
version = "V<1.0>"
start = 2025-08-04
changed = "fewer fields"
where = { region = ["East"] }
trained = 9
staff = 10
[[schedule.phases]]
name = "Preparation"
first = 2025-09-01
last = 2025-09-21
tasks = [
  { name = "Goals", first = 2025-09-01, last = 2025-09-05, done = 2025-09-05 },
  { name = "Training", first = 2025-09-08, last = 2025-09-12, done = 2025-09-14 },
]
gate = { name = "G1 plan", due = 2025-09-21, evidence = [{ file = "playbook.toml" }] }
[[schedule.phases]]
name = "Pilot"
first = 2025-09-22
last = 2025-10-12
tasks = [{ name = "Daily tracking", first = 2025-09-22, last = 2025-10-13 }]
[schedule.phases.gate]
name = "G2 GO"
due = 2025-10-19
evidence = [{ result = "pilot.verdict", equals = "go" }, { cycle = 2 }]
[[schedule.phases]]
name = "Solidify"
first = 2025-10-13
last = 2025-10-26
[schedule.phases.gate]
name = "G3 handover"
due = 2025-10-31
evidence = [{ metric = "response_on_time", reaches = 0.99, first = 2025-08-04, last = 2025-08-31 }]
[[schedule.kpis]]
metric = "response_on_time"
path = { 2025-08-01 = 0.99, 2025-10-31 = 0.99 }
"""


@cache
def a_programme() -> ProgrammeResult:
    """Return four actions (late, waiting, planned again, closed), three gates and a version."""
    with TemporaryDirectory() as folder:
        made = project(Path(folder), PLAYBOOK + SCHEDULE)
        started(made, title="Remind <the> agent")
        extend_cycle(made, 1, who=LEAD, at=at("2025-09-20"), due=date(2025, 10, 10), why="supplier <late>")
        for number, gain in ((2, 0.15), (3, 0.0)):
            started(made, title=f"Action {number}", due=date(2025, 10, 30))
            check_cycle(made, number, who=QUALITY, at=at("2025-09-09"), measures=measures(gain))
        close_cycle(made, 2, who=LEAD, at=at("2025-09-10"), standard="In every region")
        reopen_cycle(made, 3, who=LEAD, at=at("2025-09-11"), why="not shown")
        add_cycle(made, title="Script", who=QUALITY, at=at("2025-10-01"), causes=("one", "two"))
        plan_cycle(
            made, 4, who=QUALITY, at=at("2025-10-02"), fields={"owner": OWNER, "due": date(2025, 11, 20)}
        )
        planned = {**PLAN, "due": date(2025, 12, 20), "baseline": (date(2025, 9, 1), date(2025, 9, 28))}
        planned["window"] = (date(2025, 11, 3), date(2025, 11, 30))
        add_cycle(made, title="Second shift", who=QUALITY, at=at("2025-10-02"))
        plan_cycle(made, 5, who=QUALITY, at=at("2025-10-05"), fields=planned)
        start_cycle(made, 5, who=OWNER, at=at("2025-10-09"))
        return programme(measures(0.15, as_of="2025-10-21", weeks=16), settings=made)
