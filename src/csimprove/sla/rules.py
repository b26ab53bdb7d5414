"""The one limit of every stage, channel and severity, found in plain Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa

from csimprove import columns
from csimprove.errors import Failure, SettingsError, TicketDataError
from csimprove.settings import SlaRule, parse_limit

#: Values of stage, channel and severity of a ticket, ``""`` where it has none.
Combination = tuple[str, ...]

#: Measure = its name in the columns of timed tickets.
SHORT = {"first_response": "response", "resolution": "resolution"}
_RULES = pa.schema(
    [(key, pa.string()) for key in columns.RULE_KEYS]
    + [(f"{short}_{part}", pa.int64()) for short in SHORT.values() for part in ("limit_s", "business")]
)
#: Rule keys with missing values as "": null keys would never match.
KEYS = {f"_{key}": key for key in columns.RULE_KEYS}


def resolve_rules(
    rules: Sequence[SlaRule], combinations: Mapping[Combination, int], *, source: str = "tickets"
) -> pa.Table:
    """Find the one rule of each measure for every stage, channel and severity in use.

    The matching rule that names most keys wins.

    Parameters
    ----------
    rules
        The project's rules. A measure without any has no limit.
    combinations
        Stage, channel and severity (``""`` = none) = number of tickets.
    source
        Name of the source in an error.

    Returns
    -------
    pyarrow.Table
        ``stage``, ``channel``, ``severity`` and per measure ``<measure>_limit_s`` and
        ``<measure>_business`` (1: business clock, 0: calendar clock), null without rules.

    Raises
    ------
    SettingsError
        If two rules with equally many keys win for the same tickets.
    TicketDataError
        If tickets match no rule of a measure that has rules; every such combination is listed.
    """
    failures: list[Failure] = []
    rows = []
    for combination in sorted(combinations):
        row: dict[str, Any] = dict(zip(columns.RULE_KEYS, combination, strict=True))
        for measure in ("first_response", "resolution"):
            own = [(number, rule) for number, rule in enumerate(rules, 1) if rule.measure == measure]
            winner = _winner(own, combination)
            if own and winner is None:
                failures.append(_unmatched(measure, combination, combinations[combination]))
            row[f"{SHORT[measure]}_limit_s"] = winner and int(parse_limit(winner.limit).total_seconds())
            row[f"{SHORT[measure]}_business"] = winner and int(winner.clock == "business")
        rows.append(row)
    if failures:
        raise TicketDataError(source, failures)
    return pa.Table.from_pylist(rows, schema=_RULES)


def _winner(rules: list[tuple[int, SlaRule]], combination: Combination) -> SlaRule | None:
    matching = sorted(
        (
            (len(keys), number, rule)
            for number, rule in rules
            if (keys := _named(rule)) <= _pairs(combination)
        ),
        key=lambda found: (-found[0], found[1]),
    )
    for (most, number, rule), (next_most, next_number, next_rule) in pairwise(matching[:2]):
        if most == next_most:
            raise SettingsError(
                f"`sla.rules` must give one limit, not two, for {_words(combination)}: "
                f"rule {number} ({_rule_words(rule)}) and rule {next_number} ({_rule_words(next_rule)}) name "
                "equally many keys. Remove one or add a rule that names more."
            )
    return matching[0][2] if matching else None


def _pairs(combination: Combination) -> set[tuple[str, str]]:
    return set(zip(columns.RULE_KEYS, combination, strict=True))


def _named(rule: SlaRule) -> set[tuple[str, str]]:
    values = ((key, getattr(rule, key)) for key in columns.RULE_KEYS)
    return {(key, value) for key, value in values if value is not None}


def _words(combination: Combination) -> str:
    return ", ".join(
        f"{key} {value or '(none)'}" for key, value in zip(columns.RULE_KEYS, combination, strict=True)
    )


def _rule_words(rule: SlaRule) -> str:
    named = ", ".join(f"{key} {value}" for key, value in sorted(_named(rule)))
    return f"{rule.measure}, {named}" if named else rule.measure


def _unmatched(measure: str, combination: Combination, tickets: int) -> Failure:
    several = f"{tickets:,} tickets" if tickets != 1 else "1 ticket"
    reason = f"no {measure} rule matches {several}. Add one to `sla.rules`."
    return Failure(", ".join(columns.RULE_KEYS), None, _words(combination), reason)
