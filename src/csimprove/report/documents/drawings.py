"""Drawings in a brand's colours, and as pixels for programs that want them."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from csimprove.report.brand import ROLES, Brand
from csimprove.report.documents.model import Picture

#: Pixels an inch of a drawing that is made again for a branded document.
_INCH = 192


def recoloured(svg: str, colours: Mapping[str, str]) -> str:
    """Return a drawing in which each colour of a role is that of a brand.

    Examples
    --------
    >>> recoloured('<path fill="#0B4A9B"/>', {"pilot": "#7A1F6B"})
    '<path fill="#7A1F6B"/>'
    """
    own = {ROLES[role].lower(): colour for role, colour in colours.items() if ROLES[role] != colour}
    return re.sub(r"#[0-9A-Fa-f]{6}\b", lambda found: own.get(found[0].lower(), found[0]), svg)


def size_of(svg: str) -> tuple[int, int]:
    """Return width and height of a drawing in px.

    Examples
    --------
    >>> size_of('<svg viewBox="0 0 660 330" width="880" height="440"></svg>')
    (880, 440)
    """
    width, height = re.findall(r' (?:width|height)="(\d+)"', svg.split(">", 1)[0])
    return int(width), int(height)


def pixels(picture: Picture, brand: Brand) -> bytes:
    """Return a drawing as PNG: as the notebook made it, or made again in the colours of a brand.

    Raises
    ------
    ImportError
        If the brand has colours of its own and typst, which then draws, is not installed.
    """
    if not picture.svg or not (brand.focus or brand.second):
        return picture.png
    import typst  # noqa: PLC0415  (an extra)

    svg = recoloured(picture.svg, brand.colours())
    size = f"width: {picture.width * 0.75}pt, height: {picture.height * 0.75}pt"
    source = f"#set page({size}, margin: 0pt)\n#image(bytes(sys.inputs.svg), width: 100%)"
    fonts = resources.files("csimprove") / "fonts"
    compiled: Any = typst.compile
    made = compiled(
        source.encode(), font_paths=[str(fonts)], format="png", ppi=_INCH, sys_inputs={"svg": svg}
    )
    return io.BytesIO(made).getvalue()
