"""How the service deals with the tickets: chances with planted totals, then times, contacts and ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.special import expit

from csimprove.samples.stream import DAY, END, PHASES, PLAN, Array, Variant, first_response_limits, open_after

#: The moment at which the export is written, in local seconds since 1970.
NOW = int(END.astype("datetime64[s]").astype("int64"))

_WINDOW = 7 * DAY
_TEAMS = len(PLAN["region"]) * PLAN["teams"]


@dataclass(frozen=True, slots=True)
class Rates:
    """Planted rates as shares, waiting time in minutes, score 0-1 (0.65 is 65 of 100)."""

    response_on_time: float
    first_contact_resolution: float
    csat: float
    csat_score: float
    complaint_rate: float
    waiting_time: float


#: Chances or expected values of the tickets by name of a rate.
_Expected = dict[str, Array]


def draw_outcomes(
    rng: np.random.Generator, stream: pd.DataFrame, variant: Variant
) -> tuple[pd.DataFrame, dict[str, Rates]]:
    """Draw what becomes of each ticket.

    Whether a ticket is answered on time and resolved at first contact is drawn first; times, reopenings and
    repeat contacts are then made so that the definitions of the metrics measure exactly that.

    Returns
    -------
    tuple
        The tickets with ``first_response``, ``resolved`` and ``reopened`` (local seconds, 0 = not yet),
        ``customer``, ``alone`` (no other ticket of customer and category), ``complaint``,
        ``late_after_sales`` (it is due to that), ``survey``, ``score`` (0 = none), ``wait`` (seconds, -1 = no
        queue), ``on_time``, ``first_contact``; and the planted rates by field of ``Truth``.
    """
    tickets = _with_arms(stream, works=variant == "standard")
    now: _Expected = {}
    old: _Expected = {}
    shock_sd = PLAN["sd"]["shock"] if variant == "regional_shock" else 0.0
    on_chance = _chance(rng, tickets, "response_on_time", now, old, shock_sd=shock_sd)
    first_chance = _chance(rng, tickets, "first_contact_resolution", now, old, shock_sd=shock_sd)
    size = len(tickets)
    tickets["on_time"] = rng.random(size) < on_chance
    response = _first_response(rng, tickets)
    # A ticket that waits out a whole holiday cannot be resolved within seven days.
    in_time = response < tickets["opened"].to_numpy() + _WINDOW - DAY // 2
    first_contact = tickets["first_contact"] = (rng.random(size) < first_chance) & in_time
    repeat = ~first_contact & in_time & (rng.random(size) < PLAN["failed"]["repeat"])
    follower = _followers(rng, tickets, repeat)
    smooth = first_contact | (follower >= 0)
    resolved, tickets["reopened"] = _resolution(rng, tickets, response, smooth=smooth, possible=in_time)
    tickets["resolved"] = resolved
    tickets["customer"], tickets["alone"] = _customers(rng, tickets, follower)
    tickets["complaint"], tickets["late_after_sales"] = _complaints(rng, tickets, now, old)
    score = _scores(rng, tickets, now, old)
    tickets["wait"] = _waits(rng, tickets, now, old, response)
    silent = (rng.random(size) < PLAN["survey"]["no_reply"]) & first_contact & ~tickets["complaint"]
    tickets["first_response"] = np.where(silent, 0, _until_now(response))
    survey = tickets["survey"] = (rng.random(size) < PLAN["survey"]["offered"]) & (resolved > 0)
    rated = survey & (rng.random(size) < PLAN["survey"]["answered"])
    tickets["score"] = np.where(rated, score, 0)
    return tickets, _planted(tickets, now, old)


def _planted(tickets: pd.DataFrame, now: _Expected, old: _Expected) -> dict[str, Rates]:
    def means(values: _Expected, cell: Array) -> Rates:
        return Rates(**{name: float(value[cell].mean()) for name, value in values.items()})

    pilot, history, during = (tickets[name].to_numpy() for name in ("pilot", "history", "during"))
    return {
        "overall": means(now, history),
        "pilot_before": means(now, history & pilot),
        "control_before": means(now, history & ~pilot),
        "pilot_during": means(now, during & pilot),
        "control_during": means(now, during & ~pilot),
        "effect": means({name: now[name] - old[name] for name in now}, during & pilot),
    }


def _with_arms(stream: pd.DataFrame, *, works: bool) -> pd.DataFrame:
    """Mark the pilot region, two periods, and the new process: in the pilot region, in the others."""
    pilot = stream["region"] == next(iter(PLAN["region"]))
    return stream.assign(
        pilot=pilot,
        history=stream["phase"] == 0,
        during=stream["phase"] == 2,
        new=works & pilot & (stream["phase"] >= 2),
        rolled=works & (stream["week"] >= stream["region"].map(PLAN["roll_out"])),
    )


def _levels(
    tickets: pd.DataFrame, planted: Sequence[float], level: Callable[[Array, float], float], *, after: Array
) -> tuple[Array, Array]:
    """Levels of the tickets at which the planted rates hold, now and under the old process.

    ``level`` finds the one at which tickets of a mask have a rate; ``after``: the mask for the roll-out.
    """
    pilot, history, new = (tickets[name].to_numpy() for name in ("pilot", "history", "new"))
    overall, before, during, rolled_out = planted
    share = pilot[history].mean()
    others = (overall - share * before) / (1 - share)
    old = np.where(pilot, level(history & pilot, before), level(history & ~pilot, others))
    now = old.copy()
    if new.any():
        now[new] = level(new & tickets["during"].to_numpy(), during)
        now[tickets["rolled"]] = level(after, rolled_out)
    return now, old


def _chance(
    rng: np.random.Generator,
    tickets: pd.DataFrame,
    rate: str,
    now: _Expected,
    old: _Expected,
    *,
    shock_sd: float,
) -> Array:
    """Draw chances by stratum, team, agent and period that meet the planted rates in expectation."""
    plan, sd = PLAN[rate], PLAN["sd"]
    offset = sum(tickets[name].map(plan[name]).to_numpy() for name in ("severity", "channel"))
    offset = offset + sd["team"] * rng.standard_normal(_TEAMS)[tickets["team"]]
    offset = offset + sd["agent"] * rng.standard_normal(_TEAMS * PLAN["agents"])[tickets["agent"]]
    drift = _drift(rng, tickets)
    shock = shock_sd * rng.standard_normal() * (tickets["pilot"] & tickets["during"]).to_numpy()

    def intercept(cell: Array, share: float) -> float:
        return float(brentq(lambda level: expit(level + offset[cell]).mean() - share, -10, 10))

    others_before = (tickets["history"] & ~tickets["pilot"]).to_numpy()
    level, usual = _levels(tickets, plan["planted"], intercept, after=others_before)
    now[rate], old[rate] = expit(level + offset + shock), expit(usual + offset + shock)
    drawn: Array = expit(level + offset + shock + drift)
    return drawn


def _drift(rng: np.random.Generator, tickets: pd.DataFrame) -> Array:
    """Chance moves of teams from phase to phase."""
    moves = rng.standard_normal((_TEAMS, len(PHASES)))
    drift: Array = PLAN["sd"]["drift"] * moves[tickets["team"], tickets["phase"]]
    return drift


def _first_response(rng: np.random.Generator, tickets: pd.DataFrame) -> Array:
    """Moments of the first response, inside the limit on its clock if on time, else outside."""
    limit, business = first_response_limits(tickets)
    within = 0.08 + 0.88 * np.sqrt(rng.random(len(limit)))
    beyond = 1.05 + np.minimum(-0.9 * np.log(1 - rng.random(len(limit))), 8)
    taken = np.floor(limit * np.where(tickets["on_time"], within, beyond)).astype("int64")
    opened = tickets["opened"].to_numpy()
    return np.where(business, open_after(opened, taken), opened + taken)


def _followers(rng: np.random.Generator, tickets: pd.DataFrame, repeat: Array) -> Array:
    """Index of the ticket that is the repeat contact of each, -1 = none was free within the window.

    Repeat contacts are tickets of the stream, same region and category, 0.3 to 7 days later, each used once.
    """
    opened = tickets["opened"].to_numpy()
    # groups lie further apart than any two openings
    key = tickets["group"].to_numpy() * 2**25 + opened - opened[0]
    order = np.argsort(key, kind="stable")
    wanted = key + (0.3 * DAY + 4.2 * DAY * rng.random(len(key))).astype("int64")
    source = np.flatnonzero(repeat)
    source = source[np.argsort(wanted[source], kind="stable")]
    steps = np.arange(len(source))
    # The next free place at or after the wanted one: places of the sorted sources must increase.
    place = np.maximum.accumulate(np.searchsorted(key[order], wanted[source]) - steps) + steps
    source, place = source[place < len(key)], place[place < len(key)]
    target = order[place]
    near = key[target] - key[source] < _WINDOW - 3600
    follower = np.full(len(key), -1)
    follower[source[near]] = target[near]
    return follower


def _resolution(
    rng: np.random.Generator, tickets: pd.DataFrame, response: Array, *, smooth: Array, possible: Array
) -> tuple[Array, Array]:
    """Moments of the (last) resolution and of the reopening, 0 = not by the end.

    ``smooth`` tickets are resolved within the window for good; the others are reopened or not resolved in it.
    """
    size = len(tickets)
    window = tickets["opened"].to_numpy() + _WINDOW
    median = tickets["severity"].map(PLAN["work"]).to_numpy()
    work, again = ((median * np.exp(rng.standard_normal(size))).astype("int64") for _ in range(2))
    resolved = open_after(response, work)
    latest = window - 2 * 3600
    sooner = response + np.floor(rng.random(size) * (latest - response)).astype("int64")
    resolved = np.where(resolved > latest, sooner, resolved)
    reopens = (
        ~smooth & possible & (rng.random(size) < PLAN["failed"]["reopened"] / (1 - PLAN["failed"]["repeat"]))
    )
    reopened = resolved + 60 + np.floor(rng.random(size) * (window - 120 - resolved)).astype("int64")
    reopened = np.where(reopens, _until_now(reopened), 0)
    resolved = np.where(reopened > 0, open_after(reopened, again), resolved)
    long = np.maximum(window, response) + (DAY // 4 + 20 * DAY * rng.random(size) ** 2).astype("int64")
    return _until_now(np.where(smooth | reopens, resolved, open_after(long, work))), reopened


def _until_now(moment: Array) -> Array:
    return np.where(moment < NOW, moment, 0)


def _customers(rng: np.random.Generator, tickets: pd.DataFrame, follower: Array) -> tuple[Array, Array]:
    """Draw the customer of each ticket, and tell whether it is the only one of its customer and category.

    Tickets linked by repeat contacts share a customer; otherwise a customer has at most one such chain in a
    category, so nothing counts as a repeat contact by accident.
    """
    root = np.arange(len(follower))
    root[follower[follower >= 0]] = np.flatnonzero(follower >= 0)
    alone = (follower < 0) & (root == np.arange(len(root)))
    while not np.array_equal(root[root], root):
        root = root[root]
    customer = np.zeros(len(root), "int64")
    first = np.unique(root)
    group, categories = tickets["group"].to_numpy()[first], len(PLAN["category"])
    for code in range(len(PLAN["region"]) * categories):
        chains = first[group == code]
        pool = np.argsort(rng.random(PLAN["customers"]), kind="stable")[: len(chains)]
        customer[chains] = code // categories * PLAN["customers"] + pool
    return customer[root], alone


def _complaints(
    rng: np.random.Generator, tickets: pd.DataFrame, now: _Expected, old: _Expected
) -> tuple[Array, Array]:
    """Whether a ticket is a complaint, and whether for a late after-sales response."""
    plan = PLAN["complaints"]
    after_sales = (tickets["stage"] == "after-sales").to_numpy()
    late_now, late_old = (after_sales * (1 - expected["response_on_time"]) for expected in (now, old))
    late = late_now[tickets["history"]].mean()
    for_lateness = plan["late_after_sales"] * plan["rate"] / late
    other = (1 - plan["late_after_sales"]) * plan["rate"] / (1 - late)
    fewer = np.where(tickets["new"] | tickets["rolled"], plan["fewer"] * other, other)
    now["complaint_rate"] = late_now * for_lateness + (1 - late_now) * fewer
    old["complaint_rate"] = late_old * for_lateness + (1 - late_old) * other
    was_late = after_sales & ~tickets["on_time"].to_numpy()
    complaint = rng.random(len(tickets)) < np.where(was_late, for_lateness, fewer)
    return complaint, complaint & was_late


def _scores(rng: np.random.Generator, tickets: pd.DataFrame, now: _Expected, old: _Expected) -> Array:
    """Score of each ticket, 1 + Binomial(4, q); q, the satisfaction score, rises with both outcomes."""

    def lift(on_time: Any, first_contact: Any) -> Any:
        return PLAN["csat_score"]["lift"][0] * on_time + PLAN["csat_score"]["lift"][1] * first_contact

    def expected(chances: _Expected) -> Any:
        return lift(chances["response_on_time"], chances["first_contact_resolution"])

    rise = expected(now)
    levels = _levels(
        tickets,
        PLAN["csat_score"]["planted"],
        lambda cell, score: score - rise[cell].mean(),
        after=tickets["rolled"].to_numpy(),
    )
    for chances, level in zip((now, old), levels, strict=True):
        chances["csat"] = np.zeros(len(level))
        for i, on_time in enumerate((1 - chances["response_on_time"], chances["response_on_time"])):
            resolved = chances["first_contact_resolution"]
            for j, first_contact in enumerate((1 - resolved, resolved)):
                q = level + lift(i, j)
                # a 4 or 5 is at least three of four
                chances["csat"] += on_time * first_contact * (4 * q**3 - 3 * q**4)
        chances["csat_score"] = level + expected(chances)
    q = levels[0] + lift(tickets["on_time"].to_numpy(), tickets["first_contact"].to_numpy())
    score: Array = 1 + (rng.random((4, len(q))) < q).sum(axis=0)
    return score


def _waits(
    rng: np.random.Generator, tickets: pd.DataFrame, now: _Expected, old: _Expected, response: Array
) -> Array:
    """Seconds in the queue, never longer than until the response; -1 without a queue."""
    queue = tickets["channel"].isin(["phone", "online"]).to_numpy()
    size = len(queue)
    drift = _drift(rng, tickets)
    need = -np.log((1 - rng.random(size)) * (1 - rng.random(size))) * np.exp(drift)
    until = response - tickets["opened"].to_numpy()

    def scale(cell: Array, minutes: float) -> float:
        most, mean = until[cell & queue], 60 * minutes
        return float(brentq(lambda s: np.minimum(s * need[cell & queue], most).mean() - mean, 0, 100 * mean))

    planted, rolled = PLAN["waiting_time"]["planted"], tickets["rolled"].to_numpy()
    now["waiting_time"], old["waiting_time"] = _levels(tickets, planted, lambda _, rate: rate, after=rolled)
    scales, _ = _levels(tickets, planted, scale, after=rolled)
    return np.where(queue, np.minimum(scales * need, until), -1).astype("int64")
