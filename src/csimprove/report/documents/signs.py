"""What programs without drawings show: a sign for each icon, and fonts that every Office has."""

from __future__ import annotations

#: Latin and East Asian font: both come with Office on Windows and macOS.
FONTS = ("Calibri", "Microsoft YaHei")
#: Sign of an icon in running text and the role of its colour; a word always stands beside it.
SIGNS = {
    "good": ("✓", "good"),
    "bad": ("◆", "bad"),
    "stop": ("■", "bad"),
    "alert": ("▲", "alert"),
    "clock": ("◔", "alert"),
    "open": ("?", "neutral"),
}
