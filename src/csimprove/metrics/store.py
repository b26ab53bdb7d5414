"""Measures kept beside the reports: computed once, loaded without the engine while nothing has changed."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd

import csimprove
from csimprove import columns
from csimprove.errors import SettingsError
from csimprove.metrics.customers import Customers, read_customers
from csimprove.metrics.definitions import Metric, catalogue, names_of
from csimprove.metrics.measures import PROBLEM_COLUMNS, PROBLEM_METRICS, Measures
from csimprove.settings import Settings, hint, read_causes
from csimprove.tickets import Reading, read_tickets, source_paths

#: Settings that do not change a figure.
_IMMATERIAL = {
    *("file", "language", "report", "engine", "phases", "spc", "causes", "alerts", "alerting"),
    *("pdca", "versions", "schedule", "surveys", "only"),
}


#: The package, and its own files that decide the figures: after a change no stored table is valid.
_PACKAGE = Path(csimprove.__file__).parent
_CODE = (
    "columns.py",
    "settings/*.py",
    "sla/*.py",
    "presets/*.toml",
    "tickets/*.*",
    "metrics/*.py",
    "inference/survival.py",
)


def load_measures(
    settings: Settings, *, as_of: date | datetime | str | None = None, folder: Path | None = None
) -> Measures:
    """Return the project's measures: the stored ones while data, settings and code are the same.

    Parameters
    ----------
    settings
        The project's settings.
    as_of
        Moment of the snapshot: a local day (its end), a moment (naive means local), or either as ISO text; by
        default the latest time stamp in the source.
    folder
        Where measures are kept, by default ``measures`` among the project's reports. If nothing can be
        written there, they are computed all the same.

    Returns
    -------
    Measures
        Sums per day and cut, with the account of the reading.

    Raises
    ------
    TicketDataError
        If the source cannot be used.
    SettingsError
        If the settings do not fit the source, or ``as_of`` lies before the first ticket.
    """
    moment = None if as_of is None else _moment(as_of, ZoneInfo(settings.calendar.zone))
    key = _key(settings, moment)
    home = folder or settings.reports / "measures"
    place = home / key[:16]
    measures = _stored(place, key) or _computed(settings, place, moment=moment, key=key)
    whole = dataclasses.replace(
        measures,
        count_durations=cache(lambda: _durations(settings, place, measures)),
        list_tickets=partial(_listed, settings, place, measures),
        count_problems=cache(lambda: _problems(settings, place, measures)),
    )
    return whole.restricted(settings.only) if settings.only else whole


def _moment(as_of: date | datetime | str, zone: ZoneInfo) -> datetime:
    if isinstance(as_of, str):
        try:
            as_of = date.fromisoformat(as_of) if len(as_of) == 10 else datetime.fromisoformat(as_of)
        except ValueError:
            raise SettingsError(
                f'`as_of` must be a day or a time such as "2025-03-31" or "2025-03-31T18:00", not {as_of!r}.'
            ) from None
    if not isinstance(as_of, datetime):
        as_of = datetime.combine(as_of, time(23, 59, 59))
    local = as_of if as_of.tzinfo is not None else as_of.replace(tzinfo=zone)
    return local.astimezone(UTC).replace(microsecond=0)


def _key(settings: Settings, moment: datetime | None) -> str:
    """Hash of all that decides the figures."""
    facts = ["latest" if moment is None else moment.isoformat()]
    facts += [_digest(file) for pattern in _CODE for file in sorted(_PACKAGE.glob(pattern))]
    facts.append(json.dumps(settings.model_dump(mode="json", exclude=_IMMATERIAL), sort_keys=True))
    if settings.causes.text:  # keywords are looked for at reading
        facts += [*settings.causes.text, read_causes(settings).model_dump_json()]
    for name in (settings.source.path, settings.source.pauses):
        paths = [] if name is None else source_paths(settings.path(name))
        facts += [str(len(paths)), *map(_digest, paths)]
    if settings.customers is not None and settings.customers.path is not None:
        facts.append(_digest(settings.path(settings.customers.path)))
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return "unreadable"  # reading it says why


def _stored(place: Path, key: str) -> Measures | None:
    try:
        facts = json.loads((place / "measures.json").read_text(encoding="utf-8"))
        if facts["key"] != key:
            return None
        reading = Reading.from_dict(json.loads((place / "reading.json").read_text(encoding="utf-8")))
        return Measures(
            frame=pd.read_parquet(place / "measures.parquet"),
            keys=tuple(facts["keys"]),
            metrics=tuple(Metric(**metric) for metric in facts["metrics"]),
            unavailable=tuple(facts["unavailable"]),
            reading=reading,
            as_of=datetime.fromisoformat(facts["as_of"]),
            zone=facts["zone"],
            key=key,
            estimated_years=tuple(facts["estimated_years"]),
            customers=facts["customers"] and Customers.from_dict(facts["customers"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or damaged: computed again


def _computed(settings: Settings, place: Path, *, moment: datetime | None, key: str) -> Measures:
    """Compute in a folder of its own and move that into place as a whole."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    except OSError:
        work = Path(tempfile.mkdtemp())
    try:
        measures = _compute(settings, work, moment=moment, key=key)
        if work.parent == place.parent:
            _take_place(work, place, key=key)
        return measures
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _take_place(work: Path, place: Path, *, key: str) -> None:
    """Move a finished folder into place; what another process put there first is as good and in use."""
    with contextlib.suppress(OSError):
        work.replace(place)
        return
    if _stored(place, key) is None:  # damaged
        shutil.rmtree(place, ignore_errors=True)
        with contextlib.suppress(OSError):
            work.replace(place)


def _compute(settings: Settings, work: Path, *, moment: datetime | None, key: str) -> Measures:
    # the engine is heavy and not needed when the measures are stored
    from csimprove.metrics.engine import measure_files  # noqa: PLC0415

    catalogue(settings, ())  # wrong names are told before the reading, which may take minutes
    cuts = _cuts(settings)
    reading = read_tickets(settings, work)
    as_of = moment or reading.latest
    if as_of < reading.first_opened:
        first = reading.first_opened
        raise SettingsError(
            f"`as_of` must not be before the first ticket was opened ({first:%Y-%m-%d %H:%M} UTC), "
            f"not {as_of:%Y-%m-%d %H:%M} UTC."
        )
    metrics = catalogue(settings, reading.columns, filled=reading.filled)
    frame, estimated = measure_files(
        work, settings=settings, reading=reading, metrics=metrics, keys=cuts, as_of=as_of
    )
    frame.to_parquet(work / "measures.parquet", index=False)
    customers = read_customers(settings, today=as_of.astimezone(ZoneInfo(settings.calendar.zone)).date())
    facts = {
        "key": key,
        "version": csimprove.__version__,
        "as_of": as_of.isoformat(),
        "zone": settings.calendar.zone,
        "keys": ["day", *cuts],
        "metrics": [dataclasses.asdict(metric) for metric in metrics],
        "unavailable": [
            name for name in names_of(settings) if name not in {metric.name for metric in metrics}
        ],
        "estimated_years": estimated,
        "customers": customers and customers.to_dict(),
    }
    (work / "measures.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    measures = _stored(work, key)
    assert measures is not None  # just written
    return measures


def _durations(settings: Settings, place: Path, measures: Measures) -> pd.DataFrame:
    """Count durations by the declared cuts; agents would make as many counts as tickets."""
    own = [cut for cut in settings.cuts if cut != "agent"]
    keys = tuple(dict.fromkeys([*own, *([settings.pilot.group] if settings.pilot else [])]))

    def counted(folder: Path) -> pd.DataFrame:
        from csimprove.metrics.engine import bin_files  # noqa: PLC0415 - the engine is heavy

        return bin_files(folder, settings=settings, reading=measures.reading, keys=keys, as_of=measures.as_of)

    return _second_pass("durations", counted, settings, place)


def _problems(settings: Settings, place: Path, measures: Measures) -> pd.DataFrame:
    """Sum what tells complaints and late answers by the columns that say what they are about."""
    metrics = tuple(metric for metric in measures.metrics if metric.name in PROBLEM_METRICS)
    keys = tuple(name for name in PROBLEM_COLUMNS if measures.reading.filled.get(name))
    if not metrics or not keys:
        return pd.DataFrame({"day": pd.to_datetime([])})

    def counted(folder: Path) -> pd.DataFrame:
        from csimprove.metrics.engine import measure_files  # noqa: PLC0415 - the engine is heavy

        reading, as_of = measures.reading, measures.as_of
        return measure_files(
            folder, settings=settings, reading=reading, metrics=metrics, keys=keys, as_of=as_of
        )[0]

    return _second_pass("problems", counted, settings, place)


def _second_pass(
    name: str, counted: Callable[[Path], pd.DataFrame], settings: Settings, place: Path
) -> pd.DataFrame:
    """Load what is kept beside the measures, else count it in the tickets."""
    file = place / f"{name}.parquet"
    with contextlib.suppress(OSError, ValueError):  # not there, or damaged: counted again
        return pd.read_parquet(file)
    with _canonical(settings, place) as folder:
        frame = counted(folder)
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(dir=place) as work:
        frame.to_parquet(Path(work) / file.name, index=False)
        (Path(work) / file.name).replace(file)
    return frame


def _listed(
    settings: Settings, place: Path, measures: Measures, names: tuple[str, ...], first: date, last: date
) -> pd.DataFrame:
    """List tickets from the canonical table that is kept beside the measures."""
    # the engine is heavy and only needed here
    from csimprove.metrics.engine import list_files  # noqa: PLC0415

    with _canonical(settings, place) as folder:
        return list_files(
            folder,
            settings=settings,
            reading=measures.reading,
            as_of=measures.as_of,
            names=names,
            first=first,
            last=last,
        )


@contextlib.contextmanager
def _canonical(settings: Settings, place: Path) -> Iterator[Path]:
    """Give the folder with the canonical tables; where nothing could be kept they are read again."""
    if (place / "tickets.parquet").exists():
        yield place
        return
    with tempfile.TemporaryDirectory() as work:
        read_tickets(settings, Path(work))
        yield Path(work)


def _cuts(settings: Settings) -> tuple[str, ...]:
    plan = settings.pilot
    own = () if plan is None else (plan.unit, plan.group, *plan.strata)
    for name in own:
        if name not in columns.CUTS:
            raise SettingsError(
                f"`pilot` must name columns to cut by, not {name!r}.{hint(name, columns.CUTS)}"
            )
    triggers = (one.column for one in settings.triggers)
    return tuple(dict.fromkeys((*settings.cuts, *own, *triggers)))
