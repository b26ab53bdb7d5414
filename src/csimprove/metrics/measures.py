"""The table of sums on which every analysis works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from csimprove.errors import SettingsError
from csimprove.inference import DurationSummary, summarise
from csimprove.metrics.customers import Customers
from csimprove.metrics.definitions import VARIANTS, Metric, needs
from csimprove.settings import hint
from csimprove.tickets import Reading

#: Measure of a duration = minutes at which its restricted mean stops counting.
HORIZONS = {"first_response": 24 * 60.0, "resolution": 7 * 24 * 60.0}

_COUNTS = ("measure", "clock", "bin", "events", "censored")


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Sums per local day of opening and cut: the small table on which every analysis works.

    Parameters
    ----------
    frame
        Wide: ``keys`` (``day`` as local date, the others as text, missing = ``""``), ``tickets``,
        ``no_reply`` and per metric ``<name>__sum``, ``<name>__decided``, ``<name>__eligible``; means also
        ``<name>__squares``. All int64; waiting time in seconds.
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
    estimated_years
        Years whose public holidays are not known: there only weekdays count.
    customers
        How many customers there are and how many were lost, if the settings say so.
    count_durations
        What ``durations`` calls; ``None``: there are none.
    """

    frame: pd.DataFrame
    keys: tuple[str, ...]
    metrics: tuple[Metric, ...]
    unavailable: tuple[str, ...]
    reading: Reading
    as_of: datetime
    zone: str
    key: str
    estimated_years: tuple[int, ...] = ()
    customers: Customers | None = None
    count_durations: Callable[[], pd.DataFrame] | None = None

    @property
    def durations(self) -> pd.DataFrame:
        """Counts of durations, by a second pass over the tickets when first asked for.

        Columns ``day``, cuts (without agents), ``measure`` (``first_response`` or ``resolution``), ``clock``
        (``business`` or ``calendar``), ``bin`` (place in `csimprove.inference.BIN_STARTS`), ``events`` and
        ``censored`` (tickets still open at ``as_of``).
        """
        return (
            pd.DataFrame(columns=["day", *_COUNTS])
            if self.count_durations is None
            else self.count_durations()
        )

    @property
    def today(self) -> date:
        """Local day of the data date."""
        return self.as_of.astimezone(ZoneInfo(self.zone)).date()

    @property
    def whole_day(self) -> date:
        """Last local day that is over at the data date."""
        return (self.as_of + timedelta(seconds=1)).astimezone(ZoneInfo(self.zone)).date() - timedelta(days=1)

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
                f"{needs(name)}: map them in [source.columns]."
            )
        known = dict.fromkeys((*VARIANTS, *(metric.name for metric in self.metrics), *self.unavailable))
        raise SettingsError(f"`metric` must be one of the catalogue, not {name!r}.{hint(name, known)}")

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
            One row a group and metric: the columns of ``by``, ``metric``, ``numerator`` (tickets, or
            minutes for a mean), ``denominator`` (decided tickets), ``undecided``, ``squares`` (sum of
            squared minutes; equal to the numerator for a rate), ``tickets`` (all that were opened) and
            ``no_reply`` (resolved without any reply).

        Raises
        ------
        SettingsError
            If a metric or a cut is not there.
        """
        chosen = self.metrics if metrics is None else tuple(self.metric(name) for name in metrics)
        wanted = {"tickets", "no_reply", *(metric.name for metric in chosen)}
        values = [name for name in self.frame.columns if name.split("__")[0] in wanted]
        frame = self.frame[[*self.keys, *values]]
        frame = _selected(frame, self.keys, by, first=first, last=last, where=where or {})
        if by:
            sums = frame.groupby(list(by), sort=True)[values].sum().reset_index()
        else:
            sums = frame[values].sum().to_frame().T
        return _tidy(sums, chosen, list(by)) if chosen else pd.DataFrame(columns=[*by, *_TIDY])

    def duration_summary(
        self,
        *by: str,
        first: date | None = None,
        last: date | None = None,
        where: dict[str, tuple[str, ...]] | None = None,
    ) -> pd.DataFrame:
        """Tell how long first responses and resolutions take, open tickets included.

        Parameters
        ----------
        *by, first, last, where
            As for :meth:`pooled`; agents are not kept apart.

        Returns
        -------
        pandas.DataFrame
            One row a group, measure and clock: the columns of ``by``, ``measure``, ``clock`` and the fields
            of `csimprove.inference.DurationSummary`, in minutes of that clock.

        Raises
        ------
        SettingsError
            If a cut is not there.

        Notes
        -----
        Tickets resolved without any reply are not in the first response. Each ticket is on the clock of its
        rule, without a rule on the calendar clock; the clocks are never mixed. The restricted mean counts
        each first response as at most 24 hours and each resolution as at most 7 days of 24 hours.
        """
        names = [*by, "measure", "clock"]
        figures = list(DurationSummary.__dataclass_fields__)
        counts = self.durations
        if counts.empty:
            return pd.DataFrame(columns=[*names, *figures])
        keys = tuple(name for name in counts.columns if name not in _COUNTS)
        counts = _selected(counts, keys, by, first=first, last=last, where=where or {})
        counts = counts.groupby([*names, "bin"], observed=True)[["events", "censored"]].sum().reset_index()
        rows = [
            dict(zip(names, group, strict=True))
            | asdict(
                summarise(
                    own["bin"], own["events"], own["censored"], horizon=HORIZONS[own["measure"].iloc[0]]
                )
            )
            for group, own in counts.groupby(names, observed=True)
        ]
        return pd.DataFrame(rows, columns=[*names, *figures])


def _selected(
    frame: pd.DataFrame,
    keys: tuple[str, ...],
    by: tuple[str, ...],
    *,
    first: date | None,
    last: date | None,
    where: dict[str, tuple[str, ...]],
) -> pd.DataFrame:
    for name in {*by, *where} - {"week", *keys}:
        raise SettingsError(
            f"`by` and `where` must name day, week or a cut, not {name!r}. "
            f"Cuts of these measures: {', '.join(keys[1:])}; add it to `cuts` in the settings."
        )
    keep = pd.Series(True, index=frame.index)
    if first is not None:
        keep &= frame["day"] >= pd.Timestamp(first)
    if last is not None:
        keep &= frame["day"] <= pd.Timestamp(last)
    for name, values in where.items():
        keep &= frame[name].isin(values)
    frame = frame[keep]
    if "week" in by:
        monday = frame["day"] - pd.to_timedelta(frame["day"].dt.day_of_week, unit="D")
        frame = frame.assign(week=monday)
    return frame


_TIDY = ("metric", "numerator", "denominator", "undecided", "squares", "tickets", "no_reply")


def _tidy(sums: pd.DataFrame, metrics: tuple[Metric, ...], by: list[str]) -> pd.DataFrame:
    """Stack the metrics in one step: a frame a metric would cost more than all the sums."""

    def stacked(part: str) -> NDArray[np.int64]:
        return np.concatenate([sums[f"{metric.name}__{part}"].to_numpy("int64") for metric in metrics])

    unit = np.repeat([metric.per_unit for metric in metrics], len(sums))
    squared = [f"{metric.name}__{'squares' if metric.kind == 'mean' else 'sum'}" for metric in metrics]
    decided = stacked("decided")
    columns = {
        **{name: pd.concat([sums[name]] * len(metrics), ignore_index=True) for name in by},
        "metric": np.repeat([metric.name for metric in metrics], len(sums)),
        "numerator": stacked("sum") / unit,
        "denominator": decided,
        "undecided": stacked("eligible") - decided,
        "squares": np.concatenate([sums[name].to_numpy("int64") for name in squared]) / unit**2,
        "tickets": np.tile(sums["tickets"].to_numpy("int64"), len(metrics)),
        "no_reply": np.tile(sums["no_reply"].to_numpy("int64"), len(metrics)),
    }
    found = pd.DataFrame(columns)
    for metric in metrics:
        if metric.definition == "channel_mean":
            _mean_of_channels(found, sums, metric)
    return found


def _mean_of_channels(found: pd.DataFrame, sums: pd.DataFrame, metric: Metric) -> None:
    """Put (mean of the first channel + mean of the second) / 2 where the pooled mean would be.

    Numerator and squares are those of as many equal contacts: their ratio is this mean, their t interval has
    the standard error of the two means. Without a contact in one of the channels there is none.
    """
    name, rows = metric.name, found.index[found["metric"] == metric.name]
    parts = []
    for sign in (0, 1):
        own = {}
        for part in ("sum", "squares", "decided"):
            first = sums[f"{name}__first_{part}"].to_numpy(float)
            own[part] = first if not sign else sums[f"{name}__{part}"].to_numpy(float) - first
        n = np.where(own["decided"] > 0, own["decided"], np.nan)
        mean = own["sum"] / n
        parts.append((mean, np.maximum(own["squares"] / n - mean**2, 0) / np.where(n > 1, n - 1, np.nan)))
    mean = (parts[0][0] + parts[1][0]) / 2 / metric.per_unit
    variance = (parts[0][1] + parts[1][1]) / 4 / metric.per_unit**2
    n = np.where(np.isnan(mean), 0, found.loc[rows, "denominator"])
    found.loc[rows, "denominator"] = n
    found.loc[rows, "numerator"] = n * np.nan_to_num(mean)
    found.loc[rows, "squares"] = n * (np.nan_to_num(mean) ** 2 + np.nan_to_num(variance) * (n - 1))
