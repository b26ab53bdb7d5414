"""The catalogue: what each metric is, what it needs, and what a project sets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from csimprove.errors import SettingsError
from csimprove.settings import Settings, hint

Better = Literal["higher", "lower"]

#: Days from opening after which a repeat contact or a reopening no longer counts.
WINDOW_DAYS = 7


@dataclass(frozen=True, slots=True)
class Metric:
    """What is measured and which side is the good one.

    Parameters
    ----------
    name
        Name in settings, tables and results.
    kind
        ``"rate"``: numerator and denominator are tickets; ``"mean"``: the numerator is a sum in ``unit``.
    better
        The good side.
    unit
        ``"share"`` (0-1) or ``"minutes"``.
    target, alert
        In ``unit``; ``None`` if there is none.
    variant
        Which of the published definitions (``docs/metrics.md``).
    window_days
        A ticket is decided when it is this many days old; 0: by its own clock, or at once.
    """

    name: str
    kind: Literal["rate", "mean"]
    better: Better
    unit: Literal["share", "minutes"]
    target: float | None
    alert: float | None
    variant: str
    window_days: int = 0


#: The metrics, with the default definition, target and alert of each.
CATALOGUE: tuple[Metric, ...] = (
    Metric("response_on_time", "rate", "higher", "share", 0.95, 0.90, "within_limit"),
    Metric("first_contact_resolution", "rate", "higher", "share", 0.85, 0.80, "window", WINDOW_DAYS),
    Metric("waiting_time", "mean", "lower", "minutes", 3.0, None, "pooled"),
    Metric("complaint_rate", "rate", "lower", "share", 0.01, None, "tickets"),
    Metric("csat", "rate", "higher", "share", 0.90, None, "top_two"),
    Metric("csat_response", "rate", "higher", "share", None, None, "of_offered"),
    Metric("reopen_rate", "rate", "lower", "share", None, None, "window", WINDOW_DAYS),
    Metric("resolution_on_time", "rate", "higher", "share", 0.95, None, "within_limit"),
)

#: Metric = its variants, the preferred one first = the canonical columns that the variant needs.
VARIANTS: dict[str, dict[str, tuple[str, ...]]] = {
    "response_on_time": {"within_limit": ()},  # see _has_clock
    "first_contact_resolution": {
        "window": ("resolved_at", "reopened_at", "customer_key"),
        "one_touch": ("resolved_at", "replies", "reopens"),
    },
    "waiting_time": {"pooled": ("wait_seconds",)},
    "complaint_rate": {"tickets": ("is_complaint",)},
    "csat": {"top_two": ("csat",)},
    "csat_response": {"of_offered": ("csat", "csat_offered"), "of_resolved": ("csat", "resolved_at")},
    "reopen_rate": {"window": ("reopened_at",), "ever": ("reopens",)},
    "resolution_on_time": {"within_limit": ()},
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
        In the order of the catalogue; a metric without its columns is left out.

    Raises
    ------
    SettingsError
        If the settings name an unknown metric or variant.
    """
    for name, chosen in settings.metrics.items():
        if name not in VARIANTS:
            raise SettingsError(
                f"`metrics` must name metrics of the catalogue, not {name!r}.{hint(name, VARIANTS)}"
            )
        if chosen.variant is not None and chosen.variant not in VARIANTS[name]:
            raise SettingsError(
                f"`metrics.{name}.variant` must be {' or '.join(VARIANTS[name])}, not {chosen.variant!r}."
            )
    there = {name for name in columns if filled is None or filled.get(name, 0) > 0}
    found = (_configured(metric, settings, there) for metric in CATALOGUE)
    return tuple(metric for metric in found if metric is not None)


def _configured(metric: Metric, settings: Settings, there: set[str]) -> Metric | None:
    own = settings.metrics.get(metric.name)
    variants = VARIANTS[metric.name]
    wanted = [own.variant] if own is not None and own.variant is not None else list(variants)
    variant = next((name for name in wanted if there.issuperset(variants[name])), None)
    if variant is None or not _has_clock(metric.name, settings, there):
        return None
    return replace(
        metric,
        variant=variant,
        target=metric.target if own is None or own.target is None else own.target,
        alert=metric.alert if own is None or own.alert is None else own.alert,
        window_days=0 if variant == "ever" else metric.window_days,
    )


def _has_clock(name: str, settings: Settings, there: set[str]) -> bool:
    """Whether an on-time metric has both a limit and the event that stops its clock."""
    event = {"response_on_time": "first_response", "resolution_on_time": "resolution"}.get(name)
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
    if name in ("response_on_time", "resolution_on_time"):
        return "a limit in [sla] and the time of the event"
    return " or ".join(" + ".join(needed) for needed in VARIANTS[name].values())
