"""The catalogue of metrics and the one pass that turns timed tickets into sums.

Everything after this module works on :class:`Measures`: a small wide table of integer sums per
local day of opening and cut. Definitions are in ``docs/metrics.md``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Literal

import pandas as pd

from csimprove.errors import SettingsError
from csimprove.settings import Settings, nearest

if TYPE_CHECKING:
    from csimprove.tickets import Reading

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


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Sums per local day of opening and cut: the small table on which every analysis works.

    Parameters
    ----------
    frame
        Wide: ``keys`` (``day`` as local date, the others as text, missing = ``""``), ``tickets``, ``no_reply`` and per
        metric ``<name>__sum``, ``<name>__decided``, ``<name>__eligible``; means also ``<name>__squares``. All int64;
        waiting time in seconds.
    keys
        ``"day"`` and the cuts.
    metrics
        The metrics that the source allows, with the project's targets and variants.
    unavailable
        Names of the others.
    reading
        What was read and what became of it.
    as_of
        Moment of the snapshot, aware, UTC.
    zone
        Zone of the local days.
    key
        Hash of data, settings and version.
    """

    frame: pd.DataFrame
    keys: tuple[str, ...]
    metrics: tuple[Metric, ...]
    unavailable: tuple[str, ...]
    reading: Reading
    as_of: datetime
    zone: str
    key: str

    def metric(self, name: str) -> Metric:
        """Return an available metric.

        Raises
        ------
        SettingsError
            If the metric does not exist or the source lacks its columns.
        """
        for metric in self.metrics:
            if metric.name == name:
                return metric
        if name in self.unavailable:
            raise SettingsError(
                f"`metric` must be one that the source allows, not {name!r}. It needs "
                f"{_needs(name)}: map them in [source.columns]."
            )
        raise SettingsError(f"`metric` must be one of the catalogue, not {name!r}.{_hint(name, VARIANTS)}")

    def pooled(
        self,
        *by: str,
        metrics: tuple[str, ...] | None = None,
        first: date | None = None,
        last: date | None = None,
        where: dict[str, tuple[str, ...]] | None = None,
    ) -> pd.DataFrame:
        """Sum numerators and denominators: the only way in which rates are combined.

        Parameters
        ----------
        *by
            ``"day"``, ``"week"`` (its Monday) or cuts; none: one row a metric.
        metrics
            Names; by default every available metric.
        first, last
            Local days of opening, both included.
        where
            Cut = the values kept.

        Returns
        -------
        pandas.DataFrame
            One row a group and metric: the columns of ``by``, ``metric``, ``numerator`` (tickets, or minutes for a
            mean), ``denominator`` (decided tickets), ``undecided``, ``squares`` (sum of squared minutes; equal to the
            numerator for a rate), ``tickets`` (all that were opened) and ``no_reply`` (resolved without any reply).

        Raises
        ------
        SettingsError
            If a metric or a cut is not there.
        """
        frame = self._selected(by, first=first, last=last, where=where or {})
        chosen = self.metrics if metrics is None else tuple(self.metric(name) for name in metrics)
        values = [name for name in self.frame.columns if name not in self.keys]
        if by:
            sums = frame.groupby(list(by), sort=True)[values].sum().reset_index()
        else:
            sums = frame[values].sum().to_frame().T
        parts = [_tidy(sums, metric, list(by)) for metric in chosen]
        if not parts:
            return pd.DataFrame(columns=[*by, *_TIDY])
        return pd.concat(parts, ignore_index=True)

    def _selected(
        self, by: tuple[str, ...], *, first: date | None, last: date | None, where: dict[str, tuple[str, ...]]
    ) -> pd.DataFrame:
        for name in {*by, *where} - {"week", *self.keys}:
            raise SettingsError(
                f"`by` and `where` must name day, week or a cut, not {name!r}. "
                f"Cuts of these measures: {', '.join(self.keys[1:])}; add it to `cuts` in the settings."
            )
        frame = self.frame
        keep = pd.Series(True, index=frame.index)
        if first is not None:
            keep &= frame["day"] >= pd.Timestamp(first)
        if last is not None:
            keep &= frame["day"] <= pd.Timestamp(last)
        for name, values in where.items():
            keep &= frame[name].isin(values)
        frame = frame[keep]
        if "week" in by:
            monday = frame["day"] - pd.to_timedelta(frame["day"].dt.weekday, unit="D")
            frame = frame.assign(week=monday)
        return frame


_TIDY = ("metric", "numerator", "denominator", "undecided", "squares", "tickets", "no_reply")

#: Waiting time is summed in seconds and given in minutes.
_PER_UNIT = {"share": 1.0, "minutes": 60.0}


def _tidy(sums: pd.DataFrame, metric: Metric, by: list[str]) -> pd.DataFrame:
    unit = _PER_UNIT[metric.unit]
    total, decided, eligible = (
        sums[f"{metric.name}__{part}"].astype("int64") for part in ("sum", "decided", "eligible")
    )
    squares = sums[f"{metric.name}__squares"] if metric.kind == "mean" else total
    return sums[by].assign(
        metric=metric.name,
        numerator=total / unit,
        denominator=decided,
        undecided=eligible - decided,
        squares=squares / unit**2,
        tickets=sums["tickets"].astype("int64"),
        no_reply=sums["no_reply"].astype("int64"),
    )


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
                f"`metrics` must name metrics of the catalogue, not {name!r}.{_hint(name, VARIANTS)}"
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


def _needs(name: str) -> str:
    if name in ("response_on_time", "resolution_on_time"):
        return "a limit in [sla] and the time of the event"
    return " or ".join(" + ".join(needed) for needed in VARIANTS[name].values())


def _hint(name: str, known: dict[str, dict[str, tuple[str, ...]]]) -> str:
    close = nearest(name, known)
    return f" Did you mean {' or '.join(close)}?" if close else f" Known: {', '.join(known)}."
