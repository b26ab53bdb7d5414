"""The locked plan: written once before the first look, compared ever after."""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from csimprove.errors import SettingsError
from csimprove.pilot.roster import refuse
from csimprove.plain import Plain
from csimprove.settings import PilotPlan, Settings

#: Its name, in the folder of the settings file.
LOCK_FILE = "pilot.lock.toml"

#: Fields that are findings, not plan: they come after the lock.
_FINDINGS = {"staff_feedback", "staff_question"}


@dataclass(frozen=True, slots=True)
class PlanChange:
    """One field of the plan that is not as it was locked.

    Parameters
    ----------
    field
        Its key, such as ``decision_date`` or ``minimum_gain.csat``.
    locked, now
        Its value as JSON-able data; ``None`` where there is none.
    """

    field: str
    locked: Any
    now: Any


@dataclass(frozen=True, slots=True)
class PlanLock(Plain):
    """A locked plan and what changed after.

    Parameters
    ----------
    hash
        SHA-256 of the locked plan (:func:`plan_hash`).
    locked_on
        Day of the lock.
    changes
        Fields that differ now, in the plan's order; empty: nothing changed.
    """

    hash: str
    locked_on: date
    changes: tuple[PlanChange, ...]


def plan_hash(plan: PilotPlan) -> str:
    """Return the SHA-256 of a plan, of all but its findings (staff feedback)."""
    return _digest(_content(plan))


def lock_plan(settings: Settings, *, on: date) -> Path:
    """Write the plan with its hash beside the settings.

    Parameters
    ----------
    settings
        The project's settings.
    on
        Day of the lock.

    Returns
    -------
    pathlib.Path
        ``pilot.lock.toml`` in the folder of the settings.

    Raises
    ------
    SettingsError
        If there is no plan, the plan contradicts itself, or another plan is locked already.
    """
    plan = _plan(settings)
    refuse("`pilot` must be corrected", plan.problems)
    path = settings.folder / LOCK_FILE
    found = plan_lock(settings)
    if found is not None and found.changes:
        raise SettingsError(
            f"{LOCK_FILE} must not be replaced: another plan was locked on {found.locked_on}. "
            "Go back to it, or move the file away and say why in the notes."
        )
    if found is None:
        content = "".join(f"{key} = {_toml(value)}\n" for key, value in _content(plan).items())
        head = f"# The pilot's plan as it was locked. Do not edit.\nlocked_on = {on}\n"
        path.write_text(f'{head}hash = "{plan_hash(plan)}"\n\n[plan]\n{content}', encoding="utf-8")
    return path


def plan_lock(settings: Settings) -> PlanLock | None:
    """Return the lock beside the settings and what changed after it; ``None`` if there is none.

    Raises
    ------
    SettingsError
        If there is no plan, or the lock file was edited.
    """
    now = _content(_plan(settings))
    try:
        text = (settings.folder / LOCK_FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    try:
        data = tomllib.loads(text)
        locked, on, digest = data["plan"], data["locked_on"], data["hash"]
    except (tomllib.TOMLDecodeError, KeyError):
        locked, on, digest = {}, None, ""
    if not isinstance(on, date) or _digest(locked) != digest:
        raise SettingsError(
            f"{LOCK_FILE} must be as `csimprove plan lock` wrote it: its hash does not fit. "
            "Restore it from version control."
        )
    before, after = _flat(locked), _flat(now)
    changed = [key for key in dict.fromkeys((*before, *after)) if before.get(key) != after.get(key)]
    changes = tuple(PlanChange(key, before.get(key), after.get(key)) for key in changed)
    return PlanLock(digest, on, changes)


def _plan(settings: Settings) -> PilotPlan:
    if settings.pilot is None:
        raise SettingsError(f"{settings.file} must have a [pilot] plan to lock. Add one.")
    return settings.pilot


def _content(plan: PilotPlan) -> dict[str, Any]:
    """Return the plan as JSON-able data without what TOML cannot say."""
    return plan.model_dump(mode="json", exclude=_FINDINGS, exclude_none=True)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _flat(content: dict[str, Any]) -> dict[str, Any]:
    """Fields of a plan, those of tables by their own keys."""
    flat: dict[str, Any] = {}
    for key, value in content.items():
        nested = isinstance(value, dict)
        flat |= {f"{key}.{name}": item for name, item in value.items()} if nested else {key: value}
    return flat


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_toml(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)
