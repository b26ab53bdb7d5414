"""Control charts: has the process changed, or is it the ordinary up and down."""

from csimprove.spc.result import (
    Assurance,
    ControlChart,
    Kind,
    Phase,
    PhaseStart,
    RuleSet,
    Signal,
    Variation,
    Withheld,
)

__all__ = [
    "Assurance",
    "ControlChart",
    "Kind",
    "Phase",
    "PhaseStart",
    "RuleSet",
    "Signal",
    "Variation",
    "Withheld",
]
