"""What each metric asks of a ticket: whether it applies, whether it is decided, and its value."""

from __future__ import annotations

from datetime import timedelta

import narwhals as nw

from csimprove import columns
from csimprove.metrics.definitions import VARIANTS, Metric
from csimprove.settings import Sla, parse_limit
from csimprove.tickets.mapping import stored

#: Net promoter score: lowest rating of a promoter, highest of a detractor (Reichheld 2003).
PROMOTER, DETRACTOR = 9, 6

#: Whether the metric applies (none: to every ticket), whether it is decided (none: at once), and its value: a
#: condition, of a mean a number. A condition that cannot be told is not fulfilled.
Parts = tuple[nw.Expr | None, nw.Expr | None, nw.Expr]


def both(first: nw.Expr | None, second: nw.Expr | None) -> nw.Expr:
    """Join two conditions, of which one may be missing: it then holds for every ticket."""
    if first is not None and second is not None:
        return first & second
    found = second if first is None else first
    assert found is not None  # no metric holds for every ticket at once
    return found


def where(condition: nw.Expr) -> nw.Expr:
    """1 where true, else null: counting is cheaper than summing."""
    return nw.when(condition).then(nw.lit(1))


def _flag(condition: nw.Expr) -> nw.Expr:
    """1 where true, else 0."""
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).cast(nw.Int64)


def has(column: str) -> nw.Expr:
    """Whether a column has a value."""
    return ~nw.col(column).is_null()


def _within(column: str, metric: Metric, *, start: str = "opened_at") -> nw.Expr:
    return (nw.col(column) <= nw.col(start) + timedelta(days=metric.window_days)).fill_null(False)


def _old_enough(metric: Metric, age: str = "age_s") -> nw.Expr:
    return nw.col(age) >= metric.window_days * 86_400


def _is_complaint() -> nw.Expr:
    return nw.col("is_complaint").fill_null(False)


def _response_on_time(metric: Metric, sla: Sla) -> Parts:
    applies = has("response_limit_s")
    if not sla.count_no_reply:
        applies = applies & (nw.col("no_reply") == 0)
    return applies, nw.col("response_decided") == 1, nw.col("response_met") == 1


def _resolution_on_time(metric: Metric, sla: Sla) -> Parts:
    applies = has("due_at" if sla.resolution == "due_at" else "resolution_limit_s")
    return applies, nw.col("resolution_decided") == 1, nw.col("resolution_met") == 1


def _complaint_handling(metric: Metric, sla: Sla) -> Parts:
    applies, decided, met = _resolution_on_time(metric, sla)
    return both(_is_complaint(), applies), decided, met


def _complaint_resolution(metric: Metric, sla: Sla) -> Parts:
    return _is_complaint(), _old_enough(metric), _within("resolved_at", metric)


def _resolved_once(metric: Metric, sla: Sla) -> Parts:
    again = _within("reopened_at", metric) | _within("recontact_at", metric)
    return None, _old_enough(metric), _within("resolved_at", metric) & ~again


def _not_back(metric: Metric, sla: Sla) -> Parts:
    again = [_within(name, metric, start="resolved_at") for name in ("reopened_at", "recontact_at")]
    return has("resolved_at"), _old_enough(metric, "resolved_for_s"), ~(again[0] | again[1])


def _one_touch(metric: Metric, sla: Sla) -> Parts:
    one_touch = (nw.col("replies") == 1) & (nw.col("reopens") == 0)
    return has("replies") & has("reopens"), _old_enough(metric), _within("resolved_at", metric) & one_touch


def _waiting_time(metric: Metric, sla: Sla) -> Parts:
    applies = has("wait_seconds")
    if metric.definition == "queued":
        applies = nw.col("wait_seconds") > 0
    elif metric.definition == "channel_mean":
        applies = applies & nw.col("channel").is_in(metric.options["channels"])
    return applies, None, nw.col("wait_seconds")


def _service_level(metric: Metric, sla: Sla) -> Parts:
    gone = nw.col("abandoned").fill_null(True)
    soon = (nw.col("wait_seconds") <= int(parse_limit(metric.options["limit"]).total_seconds())).fill_null(
        False
    )
    # an answered call without a wait cannot be judged
    offered = has("abandoned") & (gone | has("wait_seconds"))
    if metric.definition == "of_answered":
        offered = offered & ~gone
    elif metric.definition == "without_short_abandons":
        offered = offered & ~(gone & soon)
    return offered, None, soon & ~gone


def _abandonment_rate(metric: Metric, sla: Sla) -> Parts:
    return has("abandoned"), None, nw.col("abandoned")


def _complaint_rate(metric: Metric, sla: Sla) -> Parts:
    return has("is_complaint"), None, nw.col("is_complaint")


def _csat(metric: Metric, sla: Sla) -> Parts:
    return has("csat"), None, nw.col("csat") >= metric.options["scale"][1] - 1


def _csi(metric: Metric, sla: Sla) -> Parts:
    return has("csat"), None, nw.col("csat").cast(nw.Int64) - metric.options["scale"][0]


def _nps(metric: Metric, sla: Sla) -> Parts:
    score = nw.col("nps_score")
    return has("nps_score"), None, _flag(score >= PROMOTER) - _flag(score <= DETRACTOR)


def _rated_of_offered(metric: Metric, sla: Sla) -> Parts:
    return nw.col("csat_offered") | has("csat"), None, has("csat")


def _rated_of_resolved(metric: Metric, sla: Sla) -> Parts:
    return has("resolved_at"), None, has("csat")


def _reopened(metric: Metric, sla: Sla) -> Parts:
    return None, _old_enough(metric), _within("reopened_at", metric)


def _reopened_after(metric: Metric, sla: Sla) -> Parts:
    back = _within("reopened_at", metric, start="resolved_at")
    return has("resolved_at"), _old_enough(metric, "resolved_for_s"), back


def _ever_reopened(metric: Metric, sla: Sla) -> Parts:
    return has("reopens"), None, nw.col("reopens") > 0


def _record_completeness(metric: Metric, sla: Sla) -> Parts:
    filled = sum((_flag(has(stored(name))) for name in metric.options["columns"]), nw.lit(0).cast(nw.Int64))
    whole = filled == len(metric.options["columns"])
    return has("ticket_id"), None, whole if metric.kind == "rate" else filled


def _vague_results(metric: Metric, sla: Sla) -> Parts:
    return has("vague_result"), None, nw.col("vague_result")


def _event(metric: Metric, sla: Sla) -> Parts:
    applies = nw.col(f"{metric.name}_started")
    if "is_complaint" in VARIANTS.get(metric.name, {}).get(metric.definition, ()):
        applies = applies & _is_complaint()
    applies = both(_asked_for(metric), applies)
    return applies, nw.col(f"{metric.name}_decided"), nw.col(f"{metric.name}_met")


def _asked_for(metric: Metric) -> nw.Expr | None:
    """Whether a ticket is one of those that ``where`` of an own metric names."""
    found = None
    for name, values in metric.options.get("where", {}).items():
        found = both(found, _among(name, values))
    return found


def _among(name: str, values: list[str]) -> nw.Expr:
    yes = {"true": True, "false": False}
    if columns.TICKETS[name] == "BOOLEAN":
        return nw.col(name).is_in([yes[value] for value in values if value in yes]).fill_null(False)
    return nw.col(name).is_in(values).fill_null(False)


def _own_share(metric: Metric, sla: Sla) -> Parts:
    column = metric.options["column"]
    return both(_asked_for(metric), has(column)), None, _among(column, metric.options["values"])


def _own_mean(metric: Metric, sla: Sla) -> Parts:
    column = metric.options["column"]
    return both(_asked_for(metric), has(column)), None, nw.col(column).cast(nw.Int64)


#: Metric and variant = what makes (applies, decided, value) of a ticket.
_PARTS = {
    ("response_on_time", "within_limit"): _response_on_time,
    ("resolution_on_time", "within_limit"): _resolution_on_time,
    ("first_contact_resolution", "window"): _resolved_once,
    ("first_contact_resolution", "one_touch"): _one_touch,
    ("first_contact_resolution", "from_resolution"): _not_back,
    **{("waiting_time", variant): _waiting_time for variant in VARIANTS["waiting_time"]},
    ("complaint_rate", "tickets"): _complaint_rate,
    ("csat", "top_two"): _csat,
    ("csat_response", "of_offered"): _rated_of_offered,
    ("csat_response", "of_resolved"): _rated_of_resolved,
    ("reopen_rate", "window"): _reopened,
    ("reopen_rate", "ever"): _ever_reopened,
    ("reopen_rate", "from_resolution"): _reopened_after,
    **{("service_level", variant): _service_level for variant in VARIANTS["service_level"]},
    ("abandonment_rate", "of_offered"): _abandonment_rate,
    **{("record_completeness", variant): _record_completeness for variant in VARIANTS["record_completeness"]},
    ("vague_results", "phrases"): _vague_results,
    ("complaint_handling", "within_limit"): _complaint_handling,
    ("complaint_resolution", "window"): _complaint_resolution,
    ("nps", "promoters"): _nps,
    ("csi", "of_csat"): _csi,
}
_OWN = {"own_share": _own_share, "own_mean": _own_mean}


def parts_of(metric: Metric, sla: Sla) -> Parts:
    """Return what a metric asks of a ticket."""
    find = _PARTS.get((metric.name, metric.definition)) or (
        _event if metric.event else _OWN[metric.definition]
    )
    return find(metric, sla)
