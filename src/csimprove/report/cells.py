"""What a notebook cell calls: show a chart with its words, hand a result over to the run."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from csimprove.report.blocks import Block, escaped

if TYPE_CHECKING:  # only charts draws
    from matplotlib.figure import Figure

#: Media type under which a result leaves its notebook.
RESULT = "application/vnd.csimprove.result+json"
#: Pixels an inch that browsers count, while the file has 192: figures stay sharp on fine screens and paper.
_SCREEN_DPI = 96
#: Digits of floats that are handed over: more than enough for 1e-9, fewer than machines disagree on.
_DIGITS = 10


class HasDict(Protocol):
    """A result."""

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON-able values."""
        ...


def show_chart(figure: Figure | None, *, title: str, lede: str, caption: str, alt: str) -> None:
    """Display a figure under its finding, with caption and alt text.

    Parameters
    ----------
    figure
        From :mod:`csimprove.charts`; ``None`` if there is nothing to draw, which the heading then says.
    title, lede, caption, alt
        The words around it: pass ``**wording.pilot_arms(result, metric)``.

    Returns
    -------
    None
        The heading, the picture and the caption are displayed. The picture is a PNG as wide as a slide, with
        its alt text; beside it lie drawings (SVG) for pages, slides and phones.
    """
    if figure is None:
        _display(Block(f"<h2>{escaped(title)}</h2>", title))
        return
    below = f'<p class="lede">{escaped(lede)}</p>' if lede else ""
    _display(Block(f"<h2>{escaped(title)}</h2>{below}", f"{title}\n{lede}".rstrip()))
    png, about = drawings(figure, alt)
    _display({"image/png": png, "text/plain": f"[{alt}]"}, metadata={"image/png": about})
    _display(Block(f'<figcaption class="cap">{escaped(caption)}</figcaption>', caption))


def drawings(figure: Figure, alt: str) -> tuple[bytes, dict[str, Any]]:
    """Return a figure as PNG, and what lies beside it: size in px, description, drawings, where to cut it."""
    from csimprove import charts  # noqa: PLC0415  (pages need no matplotlib)

    slide = charts.at_width(figure, charts.SLIDE)
    others = {"slide": slide, "phone": charts.at_width(figure, charts.PHONE)}
    # what has a single drawing has it on every page
    made = {"page": figure, **{name: one for name, one in others.items() if one is not figure}}
    width, height = (round(side * _SCREEN_DPI) for side in slide.get_size_inches())
    about = {
        "alt": alt,
        "width": width,
        "height": height,
        "drawings": {name: charts.svg(one) for name, one in made.items()},
        "cuts": charts.cuts(slide),
    }
    return charts.png(slide), about


def hand_over(result: HasDict, name: str) -> None:
    """Give a result to the run, which collects it into results.json.

    Parameters
    ----------
    result
        A result with ``to_dict``.
    name
        Its name in results.json, such as ``"pilot"``.

    Returns
    -------
    None
        Displayed under the media type `RESULT` as ``{"name": name, "result": ...}``, floats rounded to 10
        significant digits; a notebook shows one line.
    """
    data = rounded(result.to_dict())
    parts = ", ".join(
        f"{key}: {len(value)}" for key, value in data.items() if isinstance(value, list) and value
    )
    _display({RESULT: {"name": name, "result": data}, "text/plain": f"results.json <- {name} ({parts})"})


def _display(shown: object, metadata: dict[str, Any] | None = None) -> None:
    from IPython.display import display  # noqa: PLC0415  (the pages are made without a kernel)

    display(shown, raw=isinstance(shown, dict), metadata=metadata)  # type: ignore[no-untyped-call]


def rounded(value: Any) -> Any:
    """Return JSON-able values with floats rounded to 10 significant digits; what is not a number is ``None``.

    Examples
    --------
    >>> rounded({"effect": 0.123456789012345, "n": 7, "p": float("nan"), "weeks": (1.0, "x")})
    {'effect': 0.123456789, 'n': 7, 'p': None, 'weeks': [1.0, 'x']}
    """
    if isinstance(value, dict):
        return {str(key): rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
