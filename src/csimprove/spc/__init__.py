"""Control charts: has the process changed, or is it the ordinary up and down."""

from csimprove.spc.chart import ChartOptions, chart
from csimprove.spc.measured import control_chart, funnel_chart, paired_charts
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
from csimprove.spc.rules import Runs, false_signal_chance, find_signals, runs_around
