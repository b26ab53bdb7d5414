"""A figure as SVG with its text as text: the same drawing for screen, dark screen and paper."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.text import Text

from csimprove.charts import theme

_SVG = "{http://www.w3.org/2000/svg}"
_LINK = "{http://www.w3.org/1999/xlink}href"
_NO_DATE: dict[str, Any] = dict.fromkeys(("Date", "Creator", "Format", "Type"))
#: Attributes whose numbers are lengths, which two decimals hold; a transform is not touched.
_LONG = 600  # characters of a line of many points
_LENGTHS = ("d", "x", "y", "width", "height", "points")


def svg(figure: Figure) -> str:
    """Return a figure as SVG: the same text for the same figure.

    Parameters
    ----------
    figure
        A figure of this package.

    Returns
    -------
    str
        One ``svg`` element with its size in px. Words are text in the shipped font, strong ones and those
        over data with a rim (drawn first); colours are the hex values of their roles, so that a page can put
        its own in their place; ids begin with ``m``.
    """
    raw = io.StringIO()
    texts = [text for text in figure.findobj(Text) if isinstance(text, Text) and text.get_path_effects()]
    kept = [(text, text.get_path_effects(), text.get_gid()) for text in texts]
    for text, effects, _ in kept:  # with its rims a text would become an outline
        text.set_gid(";".join(["rims", *_rims(effects)]))
        text.set_path_effects([])
    try:
        with theme.applied(), mpl.rc_context({"svg.fonttype": "none"}):
            figure.savefig(raw, format="svg", metadata=_NO_DATE, transparent=True)
    finally:
        for text, effects, gid in kept:
            text.set_path_effects(effects)
            text.set_gid(gid)
    root = ElementTree.fromstring(raw.getvalue())
    names: dict[str, str] = {}
    for number, one in enumerate(one for one in root.iter() if one.tag == _SVG + "path" and one.get("id")):
        names[one.attrib["id"]] = f"m{number}"
    for number, one in enumerate(root.iter(_SVG + "clipPath")):
        names[one.attrib["id"]] = f"mc{number}"
    for number, one in enumerate(root.iter(_SVG + "pattern")):  # hatches
        names[one.attrib["id"]] = f"mh{number}"
    body = "".join(part for child in root if child.tag == _SVG + "g" for part in _parts(child, names))
    used = [*root.iter(_SVG + "clipPath"), *root.iter(_SVG + "pattern")]
    clips = "".join(_written(one, names) for one in used)
    wide, tall = (round(side * theme.PIXELS) for side in figure.get_size_inches())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{root.attrib["viewBox"]}" '
        f'width="{wide}" height="{tall}" font-family="\'{theme.FAMILY}\'" stroke-linejoin="round">'
        f"{clips}{body}</svg>"
    )


def _rims(effects: list[Any]) -> Iterator[str]:
    for effect in effects:
        yield f"{effect._gc['linewidth']};{mpl.colors.to_hex(effect._gc['foreground'])}"


def _parts(group: Any, names: dict[str, str]) -> Iterator[str]:
    """Write what is in a group; the group itself says nothing unless it clips."""
    rims = (group.get("id") or "").split(";")
    for child in group:
        if child.tag == _SVG + "defs":
            used = [one for one in child if one.tag == _SVG + "path"]
            yield from (f"<defs>{_written(one, names)}</defs>" for one in used)
        elif child.tag == _SVG + "g":
            clip = _clipped(child, names)
            inner = "".join(_parts(child, names))
            yield f"<g{clip}>{inner}</g>" if clip else inner
        elif child.tag == _SVG + "text" and rims[0] == "rims":
            for width, colour in zip(rims[1::2], rims[2::2], strict=True):
                under = "" if colour in child.get("style", "") else "paint-order:stroke;"
                rim = f"{under}stroke:{colour};stroke-width:{width}"
                yield _written(child, names, rim)
        elif child.tag != _SVG + "metadata":
            yield _written(child, names)


def _clipped(one: Any, names: dict[str, str]) -> str:
    found = re.fullmatch(r"url\(#(.+)\)", one.get("clip-path", ""))
    return f' clip-path="url(#{names[found[1]]})"' if found else ""


def _written(one: Any, names: dict[str, str], more: str = "") -> str:
    """Write an element in as few characters as its look needs."""
    tag = one.tag.removeprefix(_SVG)
    said = []
    for key, value in one.attrib.items():
        if key == "id":
            said.append(f'id="{names[value]}"')
        elif key == _LINK:
            said.append(f'href="#{names[value[1:]]}"')
        elif key == "clip-path":
            said.append(_clipped(one, names).strip())
        elif key == "style":
            own = re.sub(r"(?<=url\(#)\w+", lambda found: names[found[0]], value)
            said.append(f'style="{_style(own, more)}"')
        elif key == "fill":  # of a hatch; a page puts its roles in styles
            said.append(f'style="fill:{value}"')
        elif key == "transform" and value.startswith(("rotate(-0 ", "rotate(0 ")):
            continue
        else:
            said.append(f'{key}="{_short(value) if key in _LENGTHS else value}"')
    inner = "".join(_written(child, names) for child in one) + html.escape(one.text or "", quote=False)
    head = " ".join([tag, *said])
    return f"<{head}>{inner}</{tag}>" if inner.strip() else f"<{head}/>"


def _style(style: str, more: str) -> str:
    kept = [part.strip() for part in style.split(";") if part.strip() and "font-family" not in part]
    shown = [re.sub(r":\s+", ":", part) for part in kept]
    return ";".join([*shown, *([more] if more else [])])


def _short(value: str) -> str:
    """Round lengths to two decimals, those of a line of many points to one; say no coordinate twice."""
    places = 2 if len(value) < _LONG else 1
    rounded = re.sub(
        r"-?\d+\.\d+", lambda found: f"{float(found[0]):.{places}f}".rstrip("0").rstrip("."), value
    )
    tight = re.sub(r"\s*([MLCQZz])\s*", r"\1", " ".join(rounded.split())).replace("-0 ", "0 ")
    before = ["", ""]

    def step(found: re.Match[str]) -> str:
        command, x, y = found.groups()
        same, before[:] = (x == before[0], y == before[1]), (x, y)
        if command == "M" or not any(same):
            return found[0]
        return "" if all(same) else f"V{y}" if same[0] else f"H{x}"

    return re.sub(r"([ML])(\S+?) ([-.\d]+)", step, tight) if set(tight).isdisjoint("CQ") else tight
