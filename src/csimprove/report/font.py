"""The characters of a Chinese page as a font inside it, for machines that have none of their own."""

from __future__ import annotations

import base64
import functools
import html
import io
import re
from importlib import resources

from fontTools import subset, ttLib

#: Last name in the page's font stack: used only where no installed font has a character.
FAMILY = "csimprove page"
_LAYOUT = {"BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"}


def font_face(document: str) -> str:
    """Return the style rule that embeds every Chinese character of a page, and every one of its drawings.

    Labels of drawings stand where the widths of the shipped font put them; other Latin text is the reader's.

    Parameters
    ----------
    document
        The page, HTML.

    Returns
    -------
    str
        An ``@font-face`` rule with a WOFF of the shipped font's glyphs in use; ``""`` if there is none.

    Examples
    --------
    >>> font_face("<p>plain</p>")
    ''
    """
    used = set(re.findall(r"[\u2e80-\uffef]", html.unescape(document)))
    used.update(*(html.unescape(words) for words in re.findall(r"<text[^>]*>([^<]*)", document)))
    return _rule("".join(sorted(used))) if used else ""


@functools.lru_cache(maxsize=4)
def _rule(characters: str) -> str:
    source = (resources.files("csimprove") / "fonts" / "csimprove-figures.otf").read_bytes()
    font = ttLib.TTFont(io.BytesIO(source), recalcTimestamp=False)
    for table in _LAYOUT & set(font.keys()):  # dropped in the end: taking them apart is most of the time
        del font[table]
    cut = subset.Subsetter(subset.Options(desubroutinize=True, notdef_outline=True, layout_features=[]))
    cut.populate(text=characters)
    cut.subset(font)
    font.flavor = "woff"
    out = io.BytesIO()
    font.save(out)
    data = base64.b64encode(out.getvalue()).decode("ascii")
    return f'@font-face{{font-family:"{FAMILY}";src:url(data:font/woff;base64,{data}) format("woff")}}'
