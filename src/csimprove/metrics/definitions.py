"""The catalogue: what each metric is, what it needs, and what a project sets."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

from csimprove.errors import SettingsError
from csimprove.metrics.customers import Customers
from csimprove.settings import EventLimit, MetricSettings, OwnMetric, Settings, hint
from csimprove.tickets.mapping import stored

Better = Literal["higher", "lower"]
#: ``share`` (0-1), times, ``nps`` (-100 to 100), ``index`` (0 to 100), ``per_10000``, ``number``.
Unit = Literal["share", "minutes", "seconds", "hours", "days", "nps", "index", "per_10000", "number"]

#: Days after which a repeat contact or a reopening no longer counts.
WINDOW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured and which side is the good one.

    Parameters
    ----------
    name
        Name in settings, tables and results.
    kind
        ``"rate"``: numerator and denominator are tickets; ``"mean"``: the numerator is a sum in ``unit``;
        ``"count"``: a number of tickets over another's.
    better
        The good side.
    unit
        ``"share"`` (0-1), ``"minutes"`` and other times, ``"nps"`` (-100 to 100), ``"index"`` (0 to 100),
        ``"number"``.
    target, alert
        In ``unit``; ``None`` if there is none.
    variant
        Which of the published definitions (``docs/metrics.md``), then, as JSON, what the project sets in it:
        ``window`` or ``window {"days": 14}``.
    window_days
        A ticket is decided when it is this many days old; 0: by its own clock, or at once.
    per_unit
        What the engine's whole numbers must be divided by to be in ``unit``.
    """

    name: str
    kind: Literal["rate", "mean", "count"]
    better: Better
    unit: Unit
    target: float | None
    alert: float | None
    variant: str
    window_days: int = 0
    per_unit: float = 1.0

    @property
    def definition(self) -> str:
        """Name of the definition, without what the project sets in it."""
        return unpacked(self.variant)[0]

    @property
    def options(self) -> dict[str, Any]:
        """What the definition takes, such as days or limit: the project's, else the catalogue's."""
        return OPTIONS.get(self.name, {}) | unpacked(self.variant)[1]

    @property
    def event(self) -> EventLimit | None:
        """The limit of a metric that waits for an event; ``None`` for others."""
        options = self.options
        if self.name in EVENTS:
            event, start, *_ = VARIANTS[self.name][self.definition]
        elif self.definition == "own_within_limit":
            event, start = options["event"], options["start"]
        else:
            return None
        return EventLimit(event=event, start=start, limit=options["limit"], clock=options["clock"])


def unpacked(variant: str) -> tuple[str, dict[str, Any]]:
    """Split a variant into the name of the definition and what the project sets in it.

    Examples
    --------
    >>> unpacked('window {"days": 14}'), unpacked("window")
    (('window', {'days': 14}), ('window', {}))
    """
    name, _, options = variant.partition(" ")
    return name, json.loads(options or "{}")


def packed(name: str, options: dict[str, Any]) -> str:
    """Put both together again."""
    return f"{name} {json.dumps(options, ensure_ascii=False)}" if options else name


#: The metrics, with the default definition, target and alert of each.
CATALOGUE: tuple[Metric, ...] = (
    Metric("response_on_time", "rate", "higher", "share", 0.95, 0.90, "within_limit"),
    Metric("first_contact_resolution", "rate", "higher", "share", 0.85, 0.80, "window", WINDOW_DAYS),
    Metric("waiting_time", "mean", "lower", "minutes", 3.0, None, "pooled", per_unit=60),
    Metric("complaint_rate", "rate", "lower", "share", 0.01, None, "tickets"),
    Metric("csat", "rate", "higher", "share", 0.90, None, "top_two"),
    Metric("csat_response", "rate", "higher", "share", None, None, "of_offered"),
    Metric("reopen_rate", "rate", "lower", "share", None, None, "window", WINDOW_DAYS),
    Metric("resolution_on_time", "rate", "higher", "share", 0.95, None, "within_limit"),
    Metric("service_level", "rate", "higher", "share", None, None, "of_offered"),
    Metric("abandonment_rate", "rate", "lower", "share", None, None, "of_offered"),
    Metric("record_in_time", "rate", "higher", "share", None, None, "of_service"),
    Metric("record_completeness", "mean", "higher", "share", None, None, "fields"),
    Metric("vague_results", "rate", "lower", "share", None, None, "phrases"),
    Metric("feedback_on_time", "rate", "higher", "share", None, None, "of_escalation"),
    Metric("delivery_call_back", "rate", "higher", "share", None, None, "of_delivery"),
    Metric("complaint_answered", "rate", "higher", "share", None, None, "of_opening"),
    Metric("complaint_handling", "rate", "higher", "share", 0.95, None, "within_limit"),
    Metric("complaint_resolution", "rate", "higher", "share", 0.95, None, "window", WINDOW_DAYS),
    Metric("complaint_follow_up", "rate", "higher", "share", None, None, "of_closing"),
    Metric("nps", "mean", "higher", "nps", 50.0, None, "promoters", per_unit=0.01),
    Metric("csi", "mean", "higher", "index", 93.5, 85.0, "of_csat", per_unit=0.04),
)

#: Metrics of customers, not of tickets: `csimprove.metrics.customers` counts, the baseline tells.
CUSTOMER_METRICS: tuple[Metric, ...] = (
    Metric("churn_rate", "rate", "lower", "share", 0.05, None, "year"),
    Metric("retention_rate", "rate", "higher", "share", 0.95, None, "year"),
    Metric("complaints_per_10000", "count", "lower", "per_10000", None, None, "customers"),
)

#: Metric = its variants, the preferred one first = the canonical columns that the variant needs. Of `EVENTS`
#: the first two columns are the event and the start of its clock.
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "response_on_time": {"within_limit": ()},  # see _has_clock
    "first_contact_resolution": {
        "window": ("resolved_at", "reopened_at", "customer_key"),
        "one_touch": ("resolved_at", "replies", "reopens"),
        "from_resolution": ("resolved_at", "reopened_at", "customer_key"),
    },
    "waiting_time": {
        "pooled": ("wait_seconds",),
        "queued": ("wait_seconds",),
        "channel_mean": ("wait_seconds", "channel"),
    },
    "complaint_rate": {"tickets": ("is_complaint",)},
    "csat": {"top_two": ("csat",)},
    "csat_response": {"of_offered": ("csat", "csat_offered"), "of_resolved": ("csat", "resolved_at")},
    "reopen_rate": {
        "window": ("reopened_at",),
        "ever": ("reopens",),
        "from_resolution": ("resolved_at", "reopened_at"),
    },
    "resolution_on_time": {"within_limit": ()},
    "service_level": {
        "of_offered": ("wait_seconds", "abandoned"),
        "of_answered": ("wait_seconds", "abandoned"),
        "without_short_abandons": ("wait_seconds", "abandoned"),
    },
    "abandonment_rate": {"of_offered": ("abandoned",)},
    "record_in_time": {
        "of_service": ("recorded_at", "served_at"),
        "of_response": ("recorded_at", "first_response_at"),
    },
    "record_completeness": {"fields": (), "records": ()},  # [records] required
    "vague_results": {"phrases": ("vague_result",)},
    "feedback_on_time": {"of_escalation": ("feedback_at", "escalated_at")},
    "delivery_call_back": {"of_delivery": ("called_back_at", "delivered_at")},
    "complaint_answered": {"of_opening": ("first_response_at", "opened_at", "is_complaint")},
    "complaint_handling": {"within_limit": ("is_complaint",)},
    "complaint_resolution": {"window": ("resolved_at", "is_complaint")},
    "complaint_follow_up": {
        "of_closing": ("followed_up_at", "closed_at", "is_complaint"),
        "of_resolution": ("followed_up_at", "resolved_at", "is_complaint"),
    },
    "nps": {"promoters": ("nps_score",)},
    "csi": {"of_csat": ("csat",)},
    "churn_rate": {"year": (), "flag": ()},  # [customers]
    "retention_rate": {"year": (), "flag": ()},
    "complaints_per_10000": {"customers": ("is_complaint",)},
}

#: Variants that are taken only if the settings name them, and metrics that are measured only then: the
#: satisfaction index says again what CSAT says, against a target of its own.
_ON_REQUEST = {"queued", "channel_mean", "from_resolution", "csi"}

#: Metric = what its definition takes, and the default.
OPTIONS: dict[str, dict[str, Any]] = {
    "first_contact_resolution": {"days": WINDOW_DAYS},
    "reopen_rate": {"days": WINDOW_DAYS},
    "complaint_resolution": {"days": WINDOW_DAYS},
    "waiting_time": {"channels": ["phone", "online"]},
    "service_level": {"limit": "20 s"},
    "record_in_time": {"limit": "30 min", "clock": "business"},
    "feedback_on_time": {"limit": "2 h", "clock": "business"},
    "delivery_call_back": {"limit": "3 working days", "clock": "business"},
    "complaint_answered": {"limit": "24 h", "clock": "calendar"},
    "complaint_follow_up": {"limit": "48 h", "clock": "calendar"},
    "record_completeness": {"columns": []},
    "csat": {"scale": [1, 5]},
    "csi": {"scale": [1, 5]},
    "nps": {"scale": [0, 10]},
}

#: Metrics of the type ``event_within_limit``: an event comes within a limit of a start, on a clock.
EVENTS = tuple(name for name, options in OPTIONS.items() if "clock" in options)

#: On-time metrics = the event that stops the clock of their rule.
_RULED = {
    "response_on_time": "first_response",
    "resolution_on_time": "resolution",
    "complaint_handling": "resolution",
}


def catalogue(
    settings: Settings, columns: tuple[str, ...], *, filled: dict[str, float] | None = None
) -> tuple[Metric, ...]:
    """Return the metrics that a source allows, with the project's targets, alerts and variants.

    A metric takes the variant named in the settings, else the first whose columns are there.

    Parameters
    ----------
    settings
        The project's settings.
    columns
        Canonical columns that the source has.
    filled
        Canonical column = share of tickets with a value: a column without any is not there.

    Returns
    -------
    tuple of Metric
        In the order of the catalogue, then the project's own; a metric without its columns is left out.

    Raises
    ------
    SettingsError
        If the settings name an unknown metric or variant, or set what a metric does not take.
    """
    if problems := list(_problems(settings)):
        raise SettingsError("\n".join(problems))
    there = {name for name in columns if filled is None or filled.get(name, 0) > 0}
    wanted = names_of(settings)
    found = (_configured(metric, settings, there) for metric in CATALOGUE if metric.name in wanted)
    own = (_own(one) for one in settings.own_metrics if there.issuperset(own_columns(one)))
    return (*(metric for metric in found if metric is not None), *own)


def customer_metrics(settings: Settings, counts: Customers) -> dict[str, Metric]:
    """Return the metrics of customers with the project's targets and alerts, by name."""
    named = {name: getattr(counts, name) for name in ("source", "first", "last") if getattr(counts, name)}
    dated = counts.first is not None
    lost = packed("year" if dated else "flag", named)
    declared = settings.customers is not None and settings.customers.count is not None
    count = packed("customers", {"customers": counts.count, "source": "" if declared else counts.source})
    found = {}
    for metric in CUSTOMER_METRICS:
        own = settings.metrics.get(metric.name, MetricSettings())
        found[metric.name] = replace(
            metric,
            variant=count if metric.kind == "count" else lost,
            # a share without a period cannot be held against a yearly target
            target=own.target if own.target is not None or not dated else metric.target,
            alert=own.alert,
        )
    return found


def names_of(settings: Settings) -> tuple[str, ...]:
    """Return the names of every metric that a project could have and has asked for."""
    of_customers = {metric.name for metric in CUSTOMER_METRICS}
    asked = (
        name
        for name in VARIANTS
        if name not in of_customers and (name not in _ON_REQUEST or name in settings.metrics)
    )
    return (*asked, *(one.name for one in settings.own_metrics))


#: Key under [metrics.NAME] = the option that it sets.
_KEYS = {"window_days": "days", "limit": "limit", "clock": "clock", "channels": "channels"}


def _problems(settings: Settings) -> Iterable[str]:
    for own in settings.own_metrics:
        if own.name in VARIANTS:
            yield f"`own_metrics` must not use a name of the catalogue: {own.name}. Choose another name."
    for name, chosen in settings.metrics.items():
        if name not in VARIANTS:
            yield f"`metrics` must name metrics of the catalogue, not {name!r}.{hint(name, VARIANTS)}"
            continue
        if chosen.variant is not None and chosen.variant not in VARIANTS[name]:
            yield f"`metrics.{name}.variant` must be {' or '.join(VARIANTS[name])}, not {chosen.variant!r}."
        for key, option in _KEYS.items():
            if getattr(chosen, key) is not None and option not in OPTIONS.get(name, {}):
                takers = ", ".join(other for other, taken in OPTIONS.items() if option in taken)
                yield f"`metrics.{name}.{key}` has no meaning: only {takers} take it. Remove it."
        if chosen.unit is not None and name != "waiting_time":
            yield f"`metrics.{name}.unit` has no meaning: only waiting_time takes it. Remove it."


def _configured(metric: Metric, settings: Settings, there: set[str]) -> Metric | None:
    own = settings.metrics.get(metric.name, MetricSettings())
    variants = VARIANTS[metric.name]
    wanted = [own.variant] if own.variant else [name for name in variants if name not in _ON_REQUEST]
    variant = next((name for name in wanted if there.issuperset(variants[name])), None)
    if variant is None or not _has_clock(metric.name, settings, there):
        return None
    defaults = OPTIONS.get(metric.name, {})
    options: dict[str, Any] = {option: getattr(own, key) for key, option in _KEYS.items()}
    if "columns" in defaults:
        options["columns"] = _required(settings, there)
        if not options["columns"]:
            return None
    if "scale" in defaults:
        options["scale"] = settings.source.scales.get("nps_score" if metric.name == "nps" else "csat")
    told = {name: list(value) if isinstance(value, tuple) else value for name, value in options.items()}
    changed = {
        name: value for name, value in told.items() if value is not None and value != defaults.get(name)
    }
    seconds = own.unit == "seconds"
    target = metric.target * 60 if seconds and metric.target is not None else metric.target
    found = replace(
        metric,
        kind="rate" if variant == "records" else metric.kind,
        variant=packed(variant, changed),
        target=target if own.target is None else own.target,
        alert=metric.alert if own.alert is None else own.alert,
        window_days=0 if variant == "ever" else {**defaults, **changed}.get("days", 0),
        unit="seconds" if seconds else metric.unit,
    )
    return replace(found, per_unit=_per_unit(found))


def _required(settings: Settings, there: set[str]) -> tuple[str, ...]:
    required = settings.records.required
    absent = [name for name in required if stored(name) not in there]
    if absent and there:
        raise SettingsError(
            f"`records.required` must name columns that are mapped and hold a value, not "
            f"{', '.join(absent)}. Map them under [source.columns] or take them out."
        )
    return () if absent else required


def _per_unit(metric: Metric) -> float:
    if metric.name == "csi":
        low, high = metric.options["scale"]
        return float(high - low) / 100
    if metric.name == "record_completeness":
        return float(len(metric.options["columns"])) if metric.definition == "fields" else 1.0
    return 1.0 if metric.unit == "seconds" else metric.per_unit


#: Unit of a time = seconds that make one.
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


def own_columns(own: OwnMetric) -> tuple[str, ...]:
    """Return the canonical columns that an own metric needs."""
    named = [own.column] if own.column else [own.event, own.start]
    return tuple(stored(name) for name in (*named, *own.where) if name)


def _own(own: OwnMetric) -> Metric:
    taken = {
        "share": ("column", "values"),
        "mean": ("column",),
        "within_limit": ("event", "start", "limit", "clock"),
    }
    options = {name: getattr(own, name) for name in (*taken[own.kind], "where")}
    unit: Unit = "share"
    per_unit = 1.0
    if own.kind == "mean":
        column = own.column or ""
        base = 60 if column.endswith("_minutes") else 1 if column.endswith("_seconds") else 0
        unit = own.unit or "minutes" if base else "number"
        per_unit = _SECONDS[unit] / base if base else 1.0
    return Metric(
        own.name,
        "mean" if own.kind == "mean" else "rate",
        own.better,
        unit,
        own.target,
        own.alert,
        packed(f"own_{own.kind}", {"label": own.label.model_dump(), **options}),
        per_unit=per_unit,
    )


def _has_clock(name: str, settings: Settings, there: set[str]) -> bool:
    """Whether an on-time metric has both a limit and the event that stops its clock."""
    event = _RULED.get(name)
    if event is None:
        return True
    if event == "resolution" and settings.sla.resolution == "due_at":
        return {"due_at", "resolved_at"} <= there
    stamp = {"first_response": "first_response_at", "resolution": "resolved_at"}[event]
    clocks = {rule.clock for rule in settings.sla.rules if rule.measure == event}
    stated = {f"{event}_{clock}_minutes" for clock in clocks}
    return bool(clocks) and (stamp in there or stated <= there)


def needs(name: str) -> str:
    """Return the columns that a metric needs, in words of the settings."""
    if name in _RULED:
        return "a limit in [sla] and the time of the event"
    if name == "record_completeness":
        return "`required` in [records] and those columns"
    if name not in VARIANTS:
        return "the columns that [[own_metrics]] names"
    return " or ".join(dict.fromkeys(" + ".join(needed) for needed in VARIANTS[name].values()))
