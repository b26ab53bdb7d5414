"""Where reports go and whose they are: folder, name, logo, two colours that can be read."""

from __future__ import annotations

import re

from pydantic import field_validator

from csimprove.settings.base import Frozen

#: Contrast to white paper (WCAG 2.2): of text (1.4.3), of marks (1.4.11).
_TEXT, _MARK = 4.5, 3.0
_LOGOS = (".png", ".svg")


class Report(Frozen):
    """Where reports go, and whose they are."""

    folder: str = "reports"
    #: of the firm that hands the report over
    name: str | None = None
    #: its mark, PNG or SVG
    logo: str | None = None
    #: colour of what a figure is about, in place of blue: text and marks
    focus: str | None = None
    #: colour of what that is compared with, in place of grey: marks only
    second: str | None = None

    @field_validator("logo")
    @classmethod
    def _drawn(cls, value: str | None) -> str | None:
        if value and not value.lower().endswith(_LOGOS):
            raise ValueError(f"must be a .png or .svg file, not {value!r}")
        return value

    @field_validator("focus")
    @classmethod
    def _text(cls, value: str | None) -> str | None:
        return value and _readable(value, _TEXT, "text")

    @field_validator("second")
    @classmethod
    def _mark(cls, value: str | None) -> str | None:
        return value and _readable(value, _MARK, "a mark")


def _readable(colour: str, least: float, use: str) -> str:
    if not re.fullmatch(r"#[0-9A-Fa-f]{6}", colour):
        raise ValueError(f'must be a colour like "#0B4A9B", not {colour!r}')
    found = contrast(colour, "#FFFFFF")
    if found < least:
        raise ValueError(
            f"{colour} has a contrast of {found:.1f}:1 on white and cannot be read; {use} needs {least:g}:1. "
            "Take a darker one"
        )
    return colour.upper()


def contrast(colour: str, other: str) -> float:
    """Return the contrast of two colours (WCAG 2.2, relative luminance).

    Parameters
    ----------
    colour, other
        Hex colours.

    Returns
    -------
    float
        From 1 to 21.

    Examples
    --------
    >>> round(contrast("#000000", "#FFFFFF"), 1), round(contrast("#777777", "#FFFFFF"), 2)
    (21.0, 4.48)
    """
    high, low = sorted((_luminance(colour), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
