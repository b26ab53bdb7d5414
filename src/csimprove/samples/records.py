"""What comes after the service: records, follow-up calls, results, willingness to recommend."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from csimprove.samples.process import NOW
from csimprove.samples.stream import PLAN, WORDS, Array, named, time_texts

_MINUTE, _HOUR = 60, 3600
#: Of those who rated: how many also say whether they would recommend the service.
_RECOMMENDING = 0.9


def draw_records(rng: np.random.Generator, tickets: pd.DataFrame) -> pd.DataFrame:
    """Draw the columns of an export that come after the service.

    Parameters
    ----------
    rng
        A stream of its own, so that the tickets do not depend on it.
    tickets
        Outcomes of `csimprove.samples.process.draw_outcomes`.

    Returns
    -------
    pandas.DataFrame
        Text columns ``Recorded``, ``Follow-up``, ``Customer type``, ``Recommend``, ``Result``; shares as
        planted under ``records``, those of the new process where it has arrived.
    """
    size, plan = len(tickets), PLAN["records"]
    new = (tickets["new"] | tickets["rolled"]).to_numpy().astype("int64")

    def happens(what: str) -> Array:
        drawn: Array = rng.random(size) < np.array(plan[what])[new]
        return drawn

    def one_of(names: Sequence[str]) -> Array:
        return named(names, np.floor(len(names) * rng.random(size)).astype("int64"))

    answered, resolved = (tickets[name].to_numpy() for name in ("first_response", "resolved"))
    written = _within(rng, answered, happens("written"), limit=30 * _MINUTE, longest=6 * _HOUR)
    called = _within(rng, resolved, happens("followed_up"), limit=48 * _HOUR, longest=10 * 24 * _HOUR)
    complaint = tickets["complaint"].to_numpy()
    kind = named(["new", "old"], (rng.random(size) < 0.7).astype("int64"))
    said, empty = (one_of(WORDS["results"][name]) for name in ("said", "vague"))
    result = np.where(happens("vague"), empty, said)
    score = _recommending(rng, new)
    asked = (tickets["score"] > 0).to_numpy() & (rng.random(size) < _RECOMMENDING)
    return pd.DataFrame(
        {
            "Recorded": time_texts(written),
            "Follow-up": time_texts(np.where(complaint, called, 0)),
            "Customer type": np.where(happens("customer_type"), kind, ""),
            "Recommend": np.where(asked, score.astype(str), ""),
            "Result": np.where(complaint & (resolved > 0), result, ""),
        },
        dtype=object,
    )


def _within(rng: np.random.Generator, start: Array, on_time: Array, *, limit: int, longest: int) -> Array:
    """Moments after a start, within the limit or between it and the longest; 0 = no start, or not yet."""
    early = np.floor(limit * (0.05 + 0.9 * rng.random(len(start))))
    late = limit + _MINUTE + np.floor((longest - limit) * rng.random(len(start)) ** 2)
    moment = start + np.where(on_time, early, late).astype("int64")
    return np.where((start > 0) & (moment < NOW), moment, 0)


def _recommending(rng: np.random.Generator, new: Array) -> Array:
    """Answers from 0 to 10: 9 and 10 of promoters, 0 to 6 of detractors, mostly 4 to 6."""
    size, plan = len(new), PLAN["records"]
    promoters, detractors = (np.array(plan[name])[new] for name in ("promoters", "detractors"))
    u = rng.random(size)
    high = 9 + (rng.random(size) < 0.4)
    low = 6 - np.floor(7 * rng.random(size) ** 2)
    middle = 7 + (rng.random(size) < 0.6)
    return np.where(u < promoters, high, np.where(u > 1 - detractors, low, middle)).astype("int64")
