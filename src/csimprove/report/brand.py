"""A client's brand: name, logo, two colours in their roles, each checked for contrast."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from csimprove.settings import Settings, contrast

#: Role of a colour = hex, on paper; dark screens have their own (style.css).
ROLES = {
    "pilot": "#0B4A9B",
    "control": "#7C8896",
    "target": "#16202A",
    "good": "#007A63",
    "bad": "#B3260F",
    "alert": "#BD7700",
    "neutral": "#54616D",
    "muted": "#BAC4CD",
    "ink": "#16202A",
    "ink2": "#465460",
    "muted-text": "#5C6975",
    "paper": "#FFFFFF",
    "line": "#CBD3DA",
    "grid": "#E6EAEE",
    "pilot-tint": "#E8EFF8",
    "good-tint": "#E4F3EF",
    "bad-tint": "#FBEAE6",
    "alert-tint": "#FCF1DE",
    "neutral-tint": "#EDF0F3",
}
_DARK = "#11171E"
#: Contrast to the paper that a colour of text needs (WCAG 2.2, 1.4.3), to a dark screen with room to spare.
_ON_DARK = 6.0
_TINT, _DARK_TINT = 0.91, 0.78


@dataclass(frozen=True, slots=True)
class Brand:
    """Whose report it is.

    Parameters
    ----------
    name
        Of the firm that hands it over; may be empty.
    logo
        PNG or SVG; ``None`` if there is none.
    focus, second
        Colours in place of those of the roles ``pilot`` (what a figure is about) and ``control`` (what it is
        compared with); ``None``: the usual ones.
    """

    name: str = ""
    logo: Path | None = None
    focus: str | None = None
    second: str | None = None

    def colours(self) -> dict[str, str]:
        """Return the hex of every role on paper."""
        own = dict(ROLES)
        if self.focus:
            own |= {"pilot": self.focus, "pilot-tint": mixed(self.focus, "#FFFFFF", _TINT)}
        if self.second:
            own["control"] = self.second
        return own

    def style(self) -> str:
        """Return the style rules by which a page takes the brand's colours; ``""`` without any."""
        if not (self.focus or self.second):
            return ""
        own = self.colours()
        changed = [role for role in ("pilot", "pilot-tint", "control") if own[role] != ROLES[role]]
        light = {role: own[role] for role in changed}
        dark = {role: lightened(own[role]) for role in changed if role != "pilot-tint"}
        if "pilot" in light:
            dark["pilot-tint"] = mixed(own["pilot"], _DARK, _DARK_TINT)
        rules = [";".join(f"--{role}:{hex_}" for role, hex_ in one.items()) for one in (light, dark)]
        return f":root{{{rules[0]}}}@media screen and (prefers-color-scheme:dark){{:root{{{rules[1]}}}}}"


def brand_of(settings: Settings) -> Brand:
    """Return the brand that the settings name."""
    own = settings.report
    logo = settings.path(own.logo) if own.logo else None
    return Brand(own.name or "", logo, own.focus, own.second)


def mixed(colour: str, other: str, share: float) -> str:
    """Return a colour with a share of another in it.

    Examples
    --------
    >>> mixed("#000000", "#FFFFFF", 0.5)
    '#808080'
    """
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02X}" for a, b in pairs)


def lightened(colour: str) -> str:
    """Return a colour with as much white in it as a dark screen needs."""
    share = 0.0
    while contrast(mixed(colour, "#FFFFFF", share), _DARK) < _ON_DARK:
        share += 0.05
    return mixed(colour, "#FFFFFF", share)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
