"""Drawings in a brand's colours, and as pixels for programs that want them."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import Any

from PIL import Image

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
    return _painted(recoloured(picture.svg, brand.colours()), f"{picture.width * 0.75}pt")


def logo(brand: Brand) -> io.BytesIO | None:
    """Return the logo of a brand as PNG, if it has one.

    Raises
    ------
    ImportError
        If it is an SVG and typst, which then draws, is not installed.
    """
    if brand.logo is None:
        return None
    if brand.logo.suffix.lower() == ".svg":
        return io.BytesIO(_painted(brand.logo.read_text(encoding="utf-8"), "60mm"))
    return io.BytesIO(brand.logo.read_bytes())


def _painted(svg: str, width: str) -> bytes:
    """Return a drawing as PNG on nothing, of a width as typst has it."""
    try:
        import typst  # noqa: PLC0415  (an extra)
    except ImportError:
        raise ImportError(
            "colours of a brand and logos in SVG need typst: pip install 'csimprove[pdf]'"
        ) from None

    source = (
        "#set page(width: auto, height: auto, margin: 0pt, fill: none)\n"
        f"#image(bytes(sys.inputs.svg), width: {width})"
    )
    fonts = str(resources.files("csimprove") / "fonts")
    compiled: Any = typst.compile
    made = compiled(source.encode(), font_paths=[fonts], format="png", ppi=_INCH, sys_inputs={"svg": svg})
    return bytes(made)


def parts(png: bytes, picture: Picture, most: float) -> list[bytes]:
    """Cut a picture into parts of at most ``most`` px where it may be cut, each with head and foot.

    Parameters
    ----------
    png
        The picture, of any resolution.
    picture
        Its size and cuts in px.
    most
        Height of a part.

    Returns
    -------
    list of bytes
        PNG; the picture itself if it is low enough or may not be cut.
    """
    if picture.height <= most or len(picture.cuts) < 2:
        return [png]
    with Image.open(io.BytesIO(png)) as whole:
        scale = whole.height / picture.height
        cuts = [min(round(cut * scale), whole.height) for cut in picture.cuts]
        head, foot = (0, cuts[0]), (cuts[-1], whole.height)
        room = most * scale - cuts[0] - (whole.height - cuts[-1])
        return [_pasted(whole, [head, band, foot]) for band in _bands(cuts, room)]


def _bands(cuts: Sequence[int], room: float) -> Iterator[tuple[int, int]]:
    """Join neighbours as long as there is room, in parts of about the same height."""
    count = -(-(cuts[-1] - cuts[0]) // max(int(room), 1))
    even = (cuts[-1] - cuts[0]) / count
    start = cuts[0]
    for cut, after in zip(cuts[1:], [*cuts[2:], None], strict=True):
        if after is None or after - start > room or cut - start >= even - 1:
            yield start, cut
            start = cut


def _pasted(whole: Image.Image, bands: Sequence[tuple[int, int]]) -> bytes:
    """Return bands of a picture one below the other."""
    part = Image.new(whole.mode, (whole.width, sum(end - start for start, end in bands)))
    if whole.mode == "P":
        part.putpalette(whole.getpalette() or [])
    top = 0
    for start, end in bands:
        part.paste(whole.crop((0, start, whole.width, end)), (0, top))
        top += end - start
    made = io.BytesIO()
    part.save(made, "png", optimize=True)
    return made.getvalue()
