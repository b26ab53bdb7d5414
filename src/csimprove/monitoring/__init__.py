"""What a team lead sees every day and a committee every quarter: alerts, indicators, charts, comparison."""

from csimprove.monitoring.alerts import checks, event_id, rules, threshold_of
from csimprove.monitoring.report import monitoring, phase_starts
from csimprove.monitoring.result import (
    Arms,
    Check,
    MonitoringResult,
    Period,
    Problem,
    Window,
    outside,
    verdict,
)
from csimprove.monitoring.windows import decided_day
