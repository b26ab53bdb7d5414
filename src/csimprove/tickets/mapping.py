"""Which heading feeds which canonical column: presets and the settings' own map."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from csimprove.errors import SettingsError
from csimprove.settings import nearest


def preset(name: str) -> dict[str, Any]:
    """Return what is known of a ticket system's export.

    Parameters
    ----------
    name
        Name of the preset, such as ``"zendesk"``.

    Returns
    -------
    dict
        ``columns`` (canonical column = headings, the first found counts), ``missing`` (texts that mean "no
        value"), ``values`` (canonical column = {text: value}), ``units`` and ``metrics`` (metric = variant).

    Raises
    ------
    SettingsError
        If there is no such preset; the message names the near misses.

    Examples
    --------
    >>> preset("zendesk")["metrics"]["reopen_rate"]
    'ever'
    """
    folder = resources.files("csimprove") / "presets"
    known = sorted(
        item.name.removesuffix(".toml") for item in folder.iterdir() if item.name.endswith(".toml")
    )
    if name not in known:
        close = nearest(name.lower(), known)
        advice = f"Did you mean {' or '.join(close)}?" if close else "Without a preset, map `source.columns`."
        raise SettingsError(f"`source.preset` must be one of {', '.join(known)}, not {name!r}. {advice}")
    data = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
    return {"columns": {}, "missing": [], "values": {}, "units": {}, "metrics": {}} | data
