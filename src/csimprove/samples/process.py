"""How the service deals with the tickets: chances with planted totals, then times, contacts and ratings."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from csimprove.samples.stream import (
    AGENTS,
    CATEGORIES,
    CHANNELS,
    DAY,
    END,
    PHASES,
    REGIONS,
    SEVERITIES,
    STAGES,
    TEAMS,
    Array,
    Stream,
    Variant,
    first_response_limits,
    open_time,
    seconds,
)

#: Shares answered on time: all regions, the pilot region before, during, and the others after their roll-out.
ON_TIME = (0.75, 0.80, 0.95, 0.91)
#: Shares resolved at first contact: the pilot region as all others before.
FIRST_CONTACT = (0.60, 0.60, 0.85, 0.80)
#: Satisfaction score (mean of 1-5 stretched to 0-1) and mean wait in minutes: before, pilot, after roll-out.
SCORE = (0.65, 0.82, 0.78)
WAIT = (5.0, 2.8, 3.2)
COMPLAINTS = 0.025
LATE_AFTER_SALES_SHARE = 0.30
#: Other complaints under the new process against the old one.
FEWER_COMPLAINTS = 0.6

#: Logit offsets that make the mix matter: an A ticket is answered on time in 55 %, a C ticket in 85 %.
_ON_TIME_BY = (
    {"A": -1.6, "B": -1.15, "C": 0.0},
    {"phone": 0.3, "online": 0.0, "email": -0.2, "social": -0.5, "branch": 0.2},
)
_FIRST_CONTACT_BY = (
    {"A": -1.2, "B": -0.8, "C": 0.0},
    {"phone": 0.2, "online": 0.0, "email": -0.2, "social": -0.4, "branch": 0.2},
)
_TEAM_SD, _AGENT_SD, _DRIFT_SD, _SHOCK_SD = 0.15, 0.10, 0.08, 0.25

#: Of the tickets that fail at first contact: a repeat contact, a reopening; else unresolved for a week.
_REPEAT, _REOPENED = 0.45, 0.33
_WINDOW = 7 * DAY
#: Median business seconds from answer to solution.
_WORK = {"A": 1.5 * 3600, "B": 5 * 3600, "C": 9 * 3600}
#: Customers of a region: more than it has tickets of any one category.
_CUSTOMERS = 3_000
#: Week, counted from 0, in which the first of the other regions takes over the new process; one more a week.
_FIRST_WAVE = 15
#: What a timely answer and a solution at first contact add to the satisfaction score.
_LIFT = (0.20, 0.10)
#: Shares of tickets solved without a reply, of solved tickets with a survey, of surveys answered.
_NO_REPLY, _SURVEYED, _ANSWERED = 0.02, 0.8, 0.3


@dataclass(frozen=True, slots=True)
class Rates:
    """Planted rates as shares, waiting time in minutes, score 0-1 (0.65 is 65 of 100)."""

    response_on_time: float
    first_contact_resolution: float
    csat: float
    csat_score: float
    complaint_rate: float
    waiting_time: float


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What became of each ticket; times in local seconds since 1970, 0 = not (yet)."""

    first_response: Array
    resolved: Array
    reopened: Array
    customer: Array
    alone: Array  # no other ticket of the same customer and category
    complaint: Array
    late_after_sales: Array  # the complaint is due to it
    survey: Array
    score: Array  # 0 = none
    wait: Array  # seconds, -1 = no queue
    on_time: Array
    first_contact: Array
    rates: dict[str, Rates]
    effect: Rates


@dataclass(frozen=True, slots=True, eq=False)
class _Arms:
    """Masks of tickets."""

    pilot: Array  # pilot region
    history: Array
    during: Array  # the four weeks of the pilot, all regions
    new: Array  # new process: pilot region from the pilot on
    rolled: Array  # new process: other regions after their wave


@dataclass(frozen=True, slots=True, eq=False)
class _Chance:
    """Chances of one outcome: as drawn, as expected, and as expected under the old process."""

    drawn: Array
    now: Array
    old: Array


def draw_outcomes(rng: np.random.Generator, stream: Stream, variant: Variant) -> Outcomes:
    """Draw what becomes of each ticket.

    Whether a ticket is answered on time and resolved at first contact is drawn first; times, reopenings and
    repeat contacts are then made so that the definitions of the metrics measure exactly that.
    """
    arms = _arms(stream, works=variant == "standard")
    shock_sd = _SHOCK_SD if variant == "regional_shock" else 0.0
    share = arms.pilot[arms.history].mean()
    others = (ON_TIME[0] - share * ON_TIME[1]) / (1 - share)
    on = _chance(rng, stream, arms, offsets=_ON_TIME_BY, rates=(others, *ON_TIME[1:]), shock_sd=shock_sd)
    first = _chance(rng, stream, arms, offsets=_FIRST_CONTACT_BY, rates=FIRST_CONTACT, shock_sd=shock_sd)
    size = len(stream.opened)
    on_time = rng.random(size) < on.drawn
    response = _first_response(rng, stream, on_time)
    # A ticket that waits out a whole holiday cannot be resolved within seven days.
    in_time = response < stream.opened + _WINDOW - DAY // 2
    first_contact = (rng.random(size) < first.drawn) & in_time
    follower = _followers(rng, stream, ~first_contact & in_time & (rng.random(size) < _REPEAT))
    resolved, reopened = _resolution(
        rng, stream, response, smooth=first_contact | (follower >= 0), possible=in_time
    )
    customer, alone = _customers(rng, stream, follower)
    complaint, late_after_sales, complaint_chance = _complaints(rng, stream, arms, on, on_time)
    score, score_chance = _scores(rng, arms, (on, first), (on_time, first_contact))
    wait, mean_wait = _waits(rng, stream, arms, response)
    silent = (rng.random(size) < _NO_REPLY) & first_contact & ~complaint
    survey = (rng.random(size) < _SURVEYED) & (resolved > 0)
    rated = survey & (rng.random(size) < _ANSWERED)
    now = np.stack([on.now, first.now, *score_chance[0], complaint_chance.now, mean_wait.now])
    old = np.stack([on.old, first.old, *score_chance[1], complaint_chance.old, mean_wait.old])
    cells = {
        "overall": arms.history,
        "pilot_before": arms.history & arms.pilot,
        "control_before": arms.history & ~arms.pilot,
        "pilot_during": arms.during & arms.pilot,
        "control_during": arms.during & ~arms.pilot,
    }
    return Outcomes(
        first_response=np.where(silent, 0, _until_end(response)),
        resolved=resolved,
        reopened=reopened,
        customer=customer,
        alone=alone,
        complaint=complaint,
        late_after_sales=late_after_sales,
        survey=survey,
        score=np.where(rated, score, 0),
        wait=wait,
        on_time=on_time,
        first_contact=first_contact,
        rates={name: _means(now, cell) for name, cell in cells.items()},
        effect=_means(now - old, cells["pilot_during"]),
    )


def _arms(stream: Stream, *, works: bool) -> _Arms:
    pilot = stream.region == 0
    rolled = works & ~pilot & (stream.week >= _FIRST_WAVE + stream.region - 1)
    return _Arms(pilot, stream.phase == 0, stream.phase == 2, works & pilot & (stream.phase >= 2), rolled)


def _chance(
    rng: np.random.Generator,
    stream: Stream,
    arms: _Arms,
    *,
    offsets: tuple[dict[str, float], dict[str, float]],
    rates: tuple[float, float, float, float],
    shock_sd: float,
) -> _Chance:
    """Chances by stratum, team, agent and period that meet the planted rates in expectation."""
    severity, channel = offsets
    offset = np.array([severity[name] for name in SEVERITIES])[stream.severity]
    offset = offset + np.array([channel[name] for name in CHANNELS])[stream.channel]
    teams = len(REGIONS) * TEAMS
    offset = offset + _TEAM_SD * rng.standard_normal(teams)[stream.team]
    offset = offset + _AGENT_SD * rng.standard_normal(teams * AGENTS)[stream.agent]
    drift = _DRIFT_SD * rng.standard_normal((teams, len(PHASES)))[stream.team, stream.phase]
    shock = shock_sd * rng.standard_normal() * (arms.pilot & arms.during)
    control, before, during, after = rates
    history = {True: offset[arms.history & arms.pilot], False: offset[arms.history & ~arms.pilot]}
    base = np.where(arms.pilot, _intercept(history[True], before), _intercept(history[False], control))
    level = np.where(arms.new, _intercept(offset[arms.pilot & arms.during], during), base)
    level = np.where(arms.rolled, _intercept(history[False], after), level)
    return _Chance(
        _share(level + offset + shock + drift), _share(level + offset + shock), _share(base + offset + shock)
    )


def _share(logit: Array) -> Array:
    return 1 / (1 + np.exp(-logit))


def _intercept(offset: Array, rate: float) -> float:
    """Logit level at which the mean chance is ``rate``, by bisection."""
    low, high = -10.0, 10.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if _share(middle + offset).mean() < rate else (low, middle)
    return middle


def _first_response(rng: np.random.Generator, stream: Stream, on_time: Array) -> Array:
    """Moments of the first response, inside the limit on its clock if on time, else outside."""
    size = len(stream.opened)
    limit, business = (
        table[stream.stage, stream.channel, stream.severity] for table in first_response_limits()
    )
    within = 0.08 + 0.88 * np.sqrt(rng.random(size))
    beyond = 1.05 + np.minimum(-0.9 * np.log(1 - rng.random(size)), 8)
    taken = np.floor(limit * np.where(on_time, within, beyond)).astype("int64")
    return np.where(business, open_time().after(stream.opened, taken), stream.opened + taken)


def _followers(rng: np.random.Generator, stream: Stream, repeat: Array) -> Array:
    """Index of the ticket that is the repeat contact of each, -1 = none was free within the window.

    Repeat contacts are tickets of the stream, same region and category, 0.3 to 7 days later, each used once.
    """
    group = stream.region * len(CATEGORIES) + stream.category
    key = group * 2**25 + stream.opened - stream.opened[0]  # groups lie further apart than any two openings
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
    rng: np.random.Generator, stream: Stream, response: Array, *, smooth: Array, possible: Array
) -> tuple[Array, Array]:
    """Moments of the (last) resolution and of the reopening, 0 = not by the end.

    ``smooth`` tickets are resolved within the window for good; the others are reopened or not resolved in it.
    """
    size = len(stream.opened)
    clock = open_time()
    window = stream.opened + _WINDOW
    work, again = (
        (np.array([*_WORK.values()])[stream.severity] * np.exp(rng.standard_normal(size))).astype("int64")
        for _ in range(2)
    )
    resolved = clock.after(response, work)
    latest = window - 2 * 3600
    sooner = response + np.floor(rng.random(size) * (latest - response)).astype("int64")
    resolved = np.where(resolved > latest, sooner, resolved)
    reopens = ~smooth & possible & (rng.random(size) < _REOPENED / (1 - _REPEAT))
    reopened = resolved + 60 + np.floor(rng.random(size) * (window - 120 - resolved)).astype("int64")
    reopened = np.where(reopens, _until_end(reopened), 0)
    resolved = np.where(reopened > 0, clock.after(reopened, again), resolved)
    long = np.maximum(window, response) + (DAY // 4 + 20 * DAY * rng.random(size) ** 2).astype("int64")
    resolved = np.where(smooth | reopens, resolved, clock.after(long, work))
    return _until_end(resolved), reopened


def _until_end(moment: Array) -> Array:
    return np.where(moment < seconds(END), moment, 0)


def _customers(rng: np.random.Generator, stream: Stream, follower: Array) -> tuple[Array, Array]:
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
    group = stream.region[first] * len(CATEGORIES) + stream.category[first]
    for code in range(len(REGIONS) * len(CATEGORIES)):
        chains = first[group == code]
        pool = np.argsort(rng.random(_CUSTOMERS), kind="stable")[: len(chains)]
        customer[chains] = code // len(CATEGORIES) * _CUSTOMERS + pool
    return customer[root], alone


def _complaints(
    rng: np.random.Generator, stream: Stream, arms: _Arms, on: _Chance, on_time: Array
) -> tuple[Array, Array, _Chance]:
    """Whether a ticket is a complaint, whether for a late after-sales response, and the chances."""
    after_sales = stream.stage == STAGES.index("after-sales")
    late = {name: after_sales * (1 - getattr(on, name)) for name in ("now", "old")}
    expected = late["now"][arms.history].mean()
    for_lateness = LATE_AFTER_SALES_SHARE * COMPLAINTS / expected
    other = (1 - LATE_AFTER_SALES_SHARE) * COMPLAINTS / (1 - expected)
    fewer = np.where(arms.new | arms.rolled, FEWER_COMPLAINTS * other, other)
    was_late = after_sales & ~on_time
    chance = np.where(was_late, for_lateness, fewer)
    complaint = rng.random(len(chance)) < chance
    now = late["now"] * for_lateness + (1 - late["now"]) * fewer
    old = late["old"] * for_lateness + (1 - late["old"]) * other
    return complaint, complaint & was_late, _Chance(chance, now, old)


def _scores(
    rng: np.random.Generator, arms: _Arms, chances: tuple[_Chance, _Chance], outcome: tuple[Array, Array]
) -> tuple[Array, list[list[Array]]]:
    """Score of each ticket, 1 + Binomial(4, q), and [top-two chance, expected q] now and as it was.

    q, the satisfaction score, rises with a timely answer and a solution at first contact.
    """
    on, first = chances
    lift = {name: _LIFT[0] * getattr(on, name) + _LIFT[1] * getattr(first, name) for name in ("now", "old")}
    usual = np.where(
        arms.pilot,
        SCORE[0] - lift["now"][arms.history & arms.pilot].mean(),
        SCORE[0] - lift["now"][arms.history & ~arms.pilot].mean(),
    )
    base = np.where(arms.new, SCORE[1] - lift["now"][arms.pilot & arms.during].mean(), usual)
    if arms.rolled.any():
        base = np.where(arms.rolled, SCORE[2] - lift["now"][arms.rolled].mean(), base)
    q = base + _LIFT[0] * outcome[0] + _LIFT[1] * outcome[1]
    score = 1 + (rng.random((4, len(q))) < q).sum(axis=0)
    pairs = ((base, on.now, first.now, lift["now"]), (usual, on.old, first.old, lift["old"]))
    return score, [[_top_two(level, a, b), level + rise] for level, a, b, rise in pairs]


def _top_two(base: Array, on: Array, first: Array) -> Array:
    """Chance of a 4 or 5: at least three of four, over the four ways a ticket can go."""
    total = np.zeros_like(base)
    for i, chance_on in enumerate((1 - on, on)):
        for j, chance_first in enumerate((1 - first, first)):
            q = base + i * _LIFT[0] + j * _LIFT[1]
            total += chance_on * chance_first * (4 * q**3 - 3 * q**4)
    return total


def _waits(rng: np.random.Generator, stream: Stream, arms: _Arms, response: Array) -> tuple[Array, _Chance]:
    """Seconds in the queue, never longer than until the response, and the planted mean minutes."""
    queue = np.isin(stream.channel, [[*CHANNELS].index(name) for name in ("phone", "online")])
    size = len(queue)
    drift = _DRIFT_SD * rng.standard_normal((len(REGIONS) * TEAMS, len(PHASES)))[stream.team, stream.phase]
    need = -np.log((1 - rng.random(size)) * (1 - rng.random(size))) * np.exp(drift)
    until = response - stream.opened
    before, during, after = WAIT
    planted = np.select([arms.new, arms.rolled], [during, after], before)
    scale = np.zeros(size)
    cells = (
        (arms.pilot, arms.history & arms.pilot, before),
        (~arms.pilot, arms.history & ~arms.pilot, before),
        (arms.new, arms.new & arms.during, during),
        (arms.rolled, arms.rolled, after),
    )
    for where, cell, minutes in cells:
        if where.any():
            scale[where] = _scale(need[cell & queue], until[cell & queue], 60 * minutes)
    wait = np.where(queue, np.minimum(scale * need, until), -1).astype("int64")
    return wait, _Chance(planted, planted, np.full(size, before))


def _scale(need: Array, until: Array, mean: float) -> float:
    low, high = 0.0, 100 * mean
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if np.minimum(middle * need, until).mean() < mean else (low, middle)
    return middle


def _means(values: Array, cell: Array) -> Rates:
    return Rates(*(float(row[cell].mean()) for row in values))
