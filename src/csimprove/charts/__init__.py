"""Every figure: takes a result, returns a matplotlib figure; the only user of matplotlib and seaborn.

Figures carry no title: the page's heading says what they show, and its caption how it was counted.
"""

from csimprove.charts.baseline import baseline_cuts, baseline_indicators, baseline_trend
from csimprove.charts.causes import fishbone, pareto
from csimprove.charts.control import control_arms, control_chart, funnel, kpi_multiples
from csimprove.charts.design import pilot_daily, pilot_looks, power_curve
from csimprove.charts.drawing import svg
from csimprove.charts.evidence import pilot_event_study, pilot_robustness
from csimprove.charts.pdca import gantt, pdca_rows
from csimprove.charts.pilot import pilot_arms, pilot_dumbbell, pilot_questions
from csimprove.charts.theme import PAGE, PHONE, SLIDE, at_width, cuts, png
from csimprove.charts.voice import voice_themes
