"""Is a pilot's verdict worth its name: simulated pilots of known truth, judged by the product's own analysis.

Runs everything that ``docs/benchmarks.md`` reports, on two processes::

    python benchmarks/pilot_calibration.py

Counts are drawn per day, team, agent and stratum from the rate model of the sample programme (its mix of
channel and severity and their offsets) with logit standard deviations of 0.3 between teams, 0.3 between an
agent's periods and 0.15 between a team's periods, in one scenario also 0.15 between a region's periods. Four
regions of five teams of four agents, 32 tickets a team and day, 28 days before and 28 during; the first
region is the pilot. The same seed draws the same effects of teams, agents and regions in every scenario.

Sums go through the product's estimate, bounds and gate without the tables around them; on 100 draws the whole
evaluation of `Measures` made from the same counts, and on 100 draws the whole way from a file of tickets,
must give the very same effects, intervals and verdicts. Volume and routing checks are made but do not enter
the verdicts shown: they answer a shift of mix before the gate is asked, and the standardisation has to hold
without them; how often they would answer is counted beside.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import tomllib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import expit, ndtr

from csimprove import inference
from csimprove.metrics import CATALOGUE, Measures, load_measures
from csimprove.pilot import effects, gate, pilot
from csimprove.pilot.evaluation import Snapshot, _looks, _metrics, _routing, _stayed, _volume
from csimprove.pilot.result import PilotMetric
from csimprove.settings import PilotPlan, read_settings
from csimprove.tickets import Reading

Floats = NDArray[np.float64]

SAMPLE = tomllib.loads(resources.files("csimprove.samples").joinpath("programme.toml").read_text("utf-8"))
REGIONS, TEAMS, AGENTS = tuple(SAMPLE["region"]), SAMPLE["teams"], SAMPLE["agents"]
CHANNELS, SEVERITIES = (tuple(SAMPLE[name]["usual"]) for name in ("channel", "severity"))

METRICS = ("response_on_time", "first_contact_resolution", "csat")
BASE = (0.80, 0.60, 0.56)
RATED = 0.24
DAYS = 28
DAILY = 32
UNITS = len(REGIONS) * TEAMS
TREATED = np.arange(UNITS) < TEAMS
TEAM_SD, AGENT_PERIOD_SD, TEAM_PERIOD_SD = 0.3, 0.3, 0.15
START = date(2025, 3, 3)
BEFORE = START, START + timedelta(days=DAYS - 1)
DURING = START + timedelta(days=DAYS), START + timedelta(days=2 * DAYS - 1)
LOOKS = tuple(DURING[0] + timedelta(days=7 * week - 1) for week in (1, 2, 3))
DECIDED = DURING[1] + timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is true: rates of the pilot during, whether its mix gets easier, drift between regions."""

    name: str
    during: tuple[float, float, float] = BASE
    easy_mix: bool = False
    region_sd: float = 0.0
    #: tests by ticket, agent and team beside the product's
    beside: bool = False


SCENARIOS = (
    Scenario("null", beside=True),
    Scenario("on time 80 -> 95, FCR null", (0.95, 0.60, 0.56)),
    Scenario("both: on time 80 -> 95, FCR 60 -> 85", (0.95, 0.85, 0.56)),
    Scenario("both, CSAT 56 -> 46", (0.95, 0.85, 0.46)),
    Scenario("both, CSAT 56 -> 36", (0.95, 0.85, 0.36)),
    Scenario("null, mix gets easier", easy_mix=True),
    Scenario("null, regions drift", region_sd=0.15, beside=True),
)


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Tickets and successes, shape (days, teams, agents, channels, severities); rated tickets for CSAT."""

    tickets: NDArray[np.int64]
    rated: NDArray[np.int64]
    successes: tuple[NDArray[np.int64], ...]


def plan(*, looks: bool, guarded: bool = True) -> PilotPlan:
    """Return the plan of every simulated pilot: both must gain 5 points, CSAT may lose 3."""
    first, *others = REGIONS
    return PilotPlan(
        pilot=(first,),
        control=tuple(others),
        before=BEFORE,
        during=DURING,
        co_primary=METRICS[:2],
        guardrail=METRICS[2:] if guarded else (),
        minimum_gain=dict.fromkeys(METRICS[:2], 0.05),
        margin={METRICS[2]: 0.03} if guarded else {},
        looks=LOOKS if looks else (),
        decision_date=DECIDED,
    )


@cache
def mix(easy: bool) -> Floats:
    """Share of each channel and severity."""
    channel, severity = (
        SAMPLE[name]["easy" if easy else "usual"].values() for name in ("channel", "severity")
    )
    return np.outer([*channel], [*severity])


@cache
def offsets(place: int) -> Floats:
    """Logit offsets of each channel and severity; satisfaction has none."""
    if METRICS[place] not in SAMPLE:
        return np.zeros((len(CHANNELS), len(SEVERITIES)))
    by = SAMPLE[METRICS[place]]
    return np.add.outer(
        [by["channel"][name] for name in CHANNELS], [by["severity"][name] for name in SEVERITIES]
    )


@cache
def level(place: int, rate: float, region_sd: float) -> float:
    """Logit at which the rate, over strata of the usual mix and all random effects, is the planted one."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(41)
    spread = math.sqrt(TEAM_SD**2 + AGENT_PERIOD_SD**2 + TEAM_PERIOD_SD**2 + region_sd**2)
    logits = offsets(place)[..., None] + spread * nodes
    low, high = -10.0, 10.0
    for _ in range(60):
        middle = (low + high) / 2
        mean = (mix(False) * (expit(middle + logits) @ weights / weights.sum())).sum()
        low, high = (middle, high) if mean < rate else (low, middle)
    return middle


def draw(seed: int, scenario: Scenario) -> Counts:
    """Draw one pilot."""
    rng = np.random.default_rng([7, seed])
    normal = rng.standard_normal
    arms = np.zeros((2, UNITS), dtype=bool)
    arms[1] = TREATED
    chances = []
    for place in range(len(METRICS)):
        parts = (
            TEAM_SD * normal((1, UNITS, 1)),
            AGENT_PERIOD_SD * normal((2, UNITS, AGENTS)),
            TEAM_PERIOD_SD * normal((2, UNITS, 1)),
            scenario.region_sd * np.repeat(normal((2, len(REGIONS), 1)), TEAMS, axis=1),
        )
        usual, other = (
            level(place, rate, scenario.region_sd) for rate in (BASE[place], scenario.during[place])
        )
        logit = sum(parts) + np.where(arms, other, usual)[..., None]
        chances.append(np.repeat(expit(logit[..., None, None] + offsets(place)), DAYS, axis=0))
    easy = np.repeat(arms & scenario.easy_mix, DAYS, axis=0)[..., None, None, None]
    expected = DAILY / AGENTS * np.where(easy, mix(True), mix(False))
    tickets = rng.poisson(np.broadcast_to(expected, chances[0].shape))
    rated = rng.binomial(tickets, RATED)
    sizes = (tickets, tickets, rated)
    return Counts(tickets, rated, tuple(rng.binomial(n, p) for n, p in zip(sizes, chances, strict=True)))


def decided_until(name: str, day: date) -> date:
    """Return the last day of opening whose tickets are decided at the end of a day."""
    window = next(metric.window_days for metric in CATALOGUE if metric.name == name)
    return day - timedelta(days=window)


def sums_at(counts: Counts, day: date) -> list[effects.Sums]:
    """Return the sums as of the end of a day, strata flattened."""
    opened = min((day - START).days + 1, 2 * DAYS)
    found = []
    for place, name in enumerate(METRICS):
        size = counts.rated if name == "csat" else counts.tickets
        ripe = min((decided_until(name, day) - START).days + 1, opened)
        numerator, decided, undecided = (
            np.stack(
                [
                    part[period * DAYS : (period + 1) * DAYS][: max(ends - period * DAYS, 0)]
                    .sum(axis=(0, 2), dtype=float)
                    .reshape(UNITS, -1)
                    for period in (0, 1)
                ]
            )
            for part, ends in ((counts.successes[place], ripe), (size, ripe), (size, opened))
        )
        metric = next(metric for metric in CATALOGUE if metric.name == name)
        found.append(effects.Sums(metric, numerator, decided, undecided - decided, TREATED))
    return found


def judged(made: dict[date, Snapshot], asked: PilotPlan) -> tuple[str, tuple[PilotMetric, ...], list[Any]]:
    """Return verdict, metrics and looks: what `csimprove.pilot.pilot` does once its tables are made."""
    days, count = [*asked.looks, DECIDED], len(asked.metrics)
    kept = {
        day: replace(made[day], sums=made[day].sums[:count], found=made[day].found[:count]) for day in days
    }
    looks, now = _looks(days, kept, plan=asked), kept[DECIDED]
    deciding = looks[-1] if asked.looks else None
    metrics = _metrics(now, plan=asked, weeks=DAYS / 7, last_look=True, look=deciding)
    arms = int(TREATED.sum()), int((~TREATED).sum())
    decision = gate.decide(
        metrics, plan=asked, arms=arms, volume=None, volume_ok=None, decided_on=DECIDED, today=DECIDED
    )
    looks[-1] = replace(looks[-1], decision=decision[0], reason=decision[1])
    return gate.settled(looks, otherwise=decision)[0], metrics, looks


def snapshots(counts: Counts, rng: np.random.Generator) -> dict[date, Snapshot]:
    """Estimate every metric at every look."""
    made = {}
    for day in (*LOOKS, DECIDED):
        sums = sums_at(counts, day)
        found = [effects.estimate(part, basis="standardised", rng=rng) for part in sums]
        made[day] = Snapshot(pd.DataFrame(), [], sums, found, None, None, ())
    return made


def one(task: tuple[int, Scenario]) -> dict[str, Any]:
    """Simulate and judge one pilot."""
    seed, scenario = task
    counts, rng = draw(seed, scenario), np.random.default_rng(seed)
    made = snapshots(counts, rng)
    row: dict[str, Any] = {"scenario": scenario.name, "seed": seed}
    row["one look"], metrics, _ = judged(made, plan(looks=False))
    row["four looks"], _, looks = judged(made, plan(looks=True))
    row["one look, no guardrail"], *_ = judged(made, plan(looks=False, guarded=False))
    row["four looks, no guardrail"], *_ = judged(made, plan(looks=True, guarded=False))
    row["volume or mix moved"] = moved(counts)
    for place, metric in enumerate(metrics):
        name, truth = metric.metric, scenario.during[place] - BASE[place]
        assert metric.ci_low is not None
        assert metric.ci_high is not None
        row[f"{name} covers"] = metric.ci_low <= truth <= metric.ci_high
        row[f"{name} p"] = metric.pvalue is not None and metric.pvalue <= 0.05
        judged_looks = [part for look in looks for part in look.metrics if part.metric == name]
        row[f"{name} looks"] = any(
            part.ci_low is not None and not part.ci_low <= 0 <= (part.ci_high or 0.0) for part in judged_looks
        )
    if scenario.beside:
        row |= beside(counts, made[DECIDED], rng)
    return row


def moved(counts: Counts) -> bool:
    """Whether the product would say that volume or mix of tickets moved."""
    tickets = counts.tickets.reshape(2, DAYS, UNITS, AGENTS, *counts.tickets.shape[3:]).sum(axis=(1, 3))
    regions, teams = (np.array(part) for part in names())
    period, unit, channel, severity = np.indices(tickets.shape).reshape(4, -1)
    rows = pd.DataFrame(
        {"metric": METRICS[0], "period": period, "team": teams[unit], "tickets": tickets.ravel()}
    )
    rows = rows.assign(channel=np.array(CHANNELS)[channel], severity=np.array(SEVERITIES)[severity])
    before, during = tickets.sum(axis=(2, 3))
    arm = np.where(TREATED, "pilot", "control")
    units = pd.DataFrame({"unit": teams, "group": regions, "arm": arm, "before": before, "during": during})
    asked = plan(looks=False)
    volume = _volume(units)
    assert volume is not None
    routing = _routing(asked, units, rows)
    return not _stayed(volume, asked) or gate.rerouted(routing, asked) is not None


def beside(counts: Counts, now: Snapshot, rng: np.random.Generator) -> dict[str, bool]:
    """Test on-time responses in the ways of other tools: True where one finds an effect at 5 %."""
    tickets, met = (
        np.stack([part[:DAYS].sum(axis=(0, 3, 4)), part[DAYS:].sum(axis=(0, 3, 4))]).astype(float)
        for part in (counts.tickets, counts.successes[0])
    )
    sums = [
        np.stack([part[:, arm].sum(axis=(1, 2)) for arm in (TREATED, ~TREATED)]) for part in (tickets, met)
    ]
    n, rate = sums[0], sums[1] / sums[0]
    pooled = sums[1][:, 1].sum() / n[:, 1].sum()
    after = (rate[0, 1] - rate[1, 1]) / math.sqrt(pooled * (1 - pooled) * (1 / n[:, 1]).sum())
    both = (np.diff(rate[0]) - np.diff(rate[1])).item() / math.sqrt((rate * (1 - rate) / n).sum())
    agents = inference.cluster_robust(
        (met / tickets).reshape(2, -1), np.repeat(TREATED, AGENTS), weights=tickets.reshape(2, -1)
    )
    team_n, team_met = tickets.sum(axis=2), met.sum(axis=2)
    teams = inference.cluster_robust(team_met / team_n, TREATED, weights=team_n)
    changes = np.diff(now.found[0].rates, axis=0)[0]
    return {
        "z test on tickets, during": bool(2 * ndtr(-abs(after)) <= 0.05),
        "difference in differences on tickets": bool(2 * ndtr(-abs(both)) <= 0.05),
        "clustered by agent, t": agents.pvalue <= 0.05,
        "clustered by team, t": teams.pvalue <= 0.05,
        "wild bootstrap by team": inference.wild_cluster_bootstrap(changes, TREATED, rng=rng).pvalue <= 0.05,
        "pooled t on teams": inference.pooled_t(changes[TREATED], changes[~TREATED]).pvalue <= 0.05,
    }


def names() -> tuple[list[str], list[str]]:
    """Region and name of each team."""
    regions = [region for region in REGIONS for _ in range(TEAMS)]
    return regions, [f"{region} {number}" for region in REGIONS for number in range(1, TEAMS + 1)]


def measures_at(counts: Counts, day: date) -> Measures:
    """Return the counts as the measures that reading their tickets would give at the end of a day."""
    opened = min((day - START).days + 1, 2 * DAYS)
    shape = (opened, UNITS, len(CHANNELS), len(SEVERITIES))
    where = [part.ravel() for part in np.indices(shape)]
    regions, teams = (np.array(part)[where[1]] for part in names())
    frame = pd.DataFrame(
        {
            "day": pd.Timestamp(START) + pd.to_timedelta(where[0], unit="D"),
            "region": regions,
            "team": teams,
            "channel": np.array(CHANNELS)[where[2]],
            "severity": np.array(SEVERITIES)[where[3]],
            "tickets": counts.tickets[:opened].sum(axis=2).ravel(),
            "no_reply": 0,
        }
    )
    for place, name in enumerate(METRICS):
        size = (counts.rated if name == "csat" else counts.tickets)[:opened].sum(axis=2).ravel()
        ripe = where[0] <= (decided_until(name, day) - START).days
        frame[f"{name}__sum"] = np.where(ripe, counts.successes[place][:opened].sum(axis=2).ravel(), 0)
        frame[f"{name}__decided"] = np.where(ripe, size, 0)
        frame[f"{name}__eligible"] = size
    moment = datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)
    total = int(frame["tickets"].sum())
    return Measures(
        frame=frame[frame["tickets"] > 0].reset_index(drop=True),
        keys=("day", "region", "team", "channel", "severity"),
        metrics=tuple(metric for metric in CATALOGUE if metric.name in METRICS),
        unavailable=(),
        reading=Reading(
            source="simulated",
            sha256="0" * 64,
            encoding="utf-8",
            delimiter=",",
            preset=None,
            rows=total,
            used=total,
            rejected_rows=0,
            excluded={},
            rejects=(),
            reject_count=0,
            flags={},
            columns=(),
            filled={},
            headings={},
            first_opened=datetime(2025, 3, 3, tzinfo=UTC),
            last_opened=moment,
            latest=moment,
            zone="UTC",
        ),
        as_of=moment,
        zone="UTC",
        key="0" * 16,
    )


def same(seed: int, scenario: Scenario) -> None:
    """Prove that the fast way and the product's evaluation of the same counts agree."""
    counts = draw(seed, scenario)
    made = snapshots(counts, np.random.default_rng(seed))
    for looks in (False, True):
        verdict, metrics, _ = judged(made, plan(looks=looks))
        result = pilot(
            measures_at(counts, DECIDED),
            plan=plan(looks=looks),
            rng=np.random.default_rng(seed),
            history={day: measures_at(counts, day) for day in LOOKS} if looks else None,
        )
        assert figures(result.metrics) == figures(metrics), (seed, scenario)
        seen = result.reason.code in ("routing_moved", "volume_moved")
        assert result.verdict == verdict or seen, (seed, scenario, result.verdict, verdict)
        assert seen == moved(counts) == scenario.easy_mix, (seed, scenario, result.reason)


def figures(metrics: tuple[PilotMetric, ...]) -> list[Any]:
    """Return what must not differ, to the tenth digit."""
    found: list[Any] = []
    for m in metrics:
        numbers = m.effect, m.ci_low, m.ci_high, m.pvalue, m.crude_effect, m.information
        found.append((m.metric, m.status, *(None if x is None else round(x, 10) for x in numbers)))
    return found


SETTINGS = """\
project = "Calibration"
cuts = ["region", "team", "channel", "severity"]
[source]
path = "tickets.csv"
[source.columns]
ticket_id = "id"
opened_at = "opened"
first_response_at = "answered"
resolved_at = "resolved"
reopened_at = "reopened"
customer = "customer"
category = "category"
channel = "channel"
severity = "severity"
region = "region"
team = "team"
agent = "agent"
csat = "score"
[sla]
rules = [{ measure = "first_response", limit = "1 h", clock = "calendar" }]
"""


def tickets_of(counts: Counts) -> pd.DataFrame:
    """Return the counts ticket by ticket, as a file would hold them."""
    repeats = counts.tickets.ravel()
    places = [np.repeat(part.ravel(), repeats) for part in np.indices(counts.tickets.shape)]
    rank = np.arange(repeats.sum()) - np.repeat(repeats.cumsum() - repeats, repeats)

    def first(part: NDArray[np.int64]) -> NDArray[np.bool_]:
        return np.asarray(rank < np.repeat(part.ravel(), repeats))

    on_time, resolved, satisfied = (first(part) for part in counts.successes)
    opened = (
        pd.Timestamp(START)
        + pd.to_timedelta(places[0] * 24 + 8, unit="h")
        + pd.to_timedelta(rank, unit="min")
    )
    regions, teams = (np.array(part)[places[1]] for part in names())
    after = pd.to_timedelta(np.where(on_time, 30, 90), unit="min")
    solved = pd.Series(opened + pd.to_timedelta(np.where(resolved, 3, 24 * 8), unit="h"))
    return pd.DataFrame(
        {
            "id": np.arange(len(opened)),
            "opened": opened,
            "answered": opened + after,
            "resolved": solved,
            # the column must be there; nothing is reopened
            "reopened": np.where(np.arange(len(opened)) == 0, str(opened[0] + pd.Timedelta(days=30)), ""),
            "customer": np.arange(len(opened)),
            "category": "all",
            "channel": np.array(CHANNELS)[places[3]],
            "severity": np.array(SEVERITIES)[places[4]],
            "region": regions,
            "team": teams,
            "agent": places[1] * AGENTS + places[2],
            "score": np.where(first(counts.rated), np.where(satisfied, 5, 2), 0),
        }
    ).replace({"score": {0: ""}})


def from_file(seed: int, scenario: Scenario) -> None:
    """Prove that a file of the same tickets gives the same figures."""
    counts = draw(seed, scenario)
    _, metrics, _ = judged(snapshots(counts, np.random.default_rng(seed)), plan(looks=False))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        tickets_of(counts).to_csv(folder / "tickets.csv", index=False)
        (folder / "playbook.toml").write_text(SETTINGS, encoding="utf-8")
        measures = load_measures(
            read_settings(folder / "playbook.toml"), as_of=DECIDED, folder=folder / "kept"
        )
        result = pilot(measures, plan=plan(looks=False), rng=np.random.default_rng(seed))
    assert figures(result.metrics) == figures(metrics), (seed, scenario)


def checked(task: tuple[str, int]) -> None:
    """Run one check of equality; scenarios take turns."""
    kind, seed = task
    scenario = SCENARIOS[seed % len(SCENARIOS)]
    (same if kind == "measures" else from_file)(seed, scenario)


def share(values: pd.Series[Any]) -> str:
    """Share in per cent with two simulation errors."""
    p = float(values.mean())
    return f"{p:6.1%} +- {2 * math.sqrt(p * (1 - p) / len(values)):.1%}"


def main() -> None:
    """Run what the options ask for and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pilots", type=int, default=2_000, help="a scenario")
    parser.add_argument("--checks", type=int, default=100, help="of each kind")
    parser.add_argument("--processes", type=int, default=2)
    numbers = range(len(SCENARIOS))
    parser.add_argument(
        "--scenarios", type=int, nargs="+", choices=numbers, default=numbers, help="of 0 to 6"
    )
    options = parser.parse_args()
    tasks = [(seed, SCENARIOS[k]) for k in options.scenarios for seed in range(options.pilots)]
    with ProcessPoolExecutor(options.processes) as pool:
        for kind in ("measures", "file") if options.checks else ():
            list(pool.map(checked, [(kind, seed) for seed in range(options.checks)], chunksize=5))
            print(f"{options.checks} evaluations from {kind}: the same figures")
        rows = pd.DataFrame(list(pool.map(one, tasks, chunksize=50)))
    for name, part in rows.groupby("scenario", sort=False):
        print(f"\n{name} ({len(part)} pilots)")
        for looks in (
            f"{number}{plans}" for plans in ("", ", no guardrail") for number in ("one look", "four looks")
        ):
            words = ", ".join(
                f"{word} {share(part[looks] == word)}" for word in ("go", "stop", "cannot_tell")
            )
            print(f"  {looks:<26}{words}")
        print(f"  {'volume or mix moved':<26}{share(part['volume or mix moved'])}")
        for metric in METRICS:
            columns = {"covers": "interval covers", "p": "p <= 5 %", "looks": "four looks find it"}
            words = ", ".join(f"{told} {share(part[f'{metric} {key}'])}" for key, told in columns.items())
            print(f"  {metric:<26}{words}")
        for column in rows.columns[rows.columns.get_loc(f"{METRICS[-1]} looks") + 1 :]:
            if part[column].notna().all():
                print(f"  {column:<40}{share(part[column].astype(bool))}")


if __name__ == "__main__":
    main()
