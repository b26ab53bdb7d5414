"""The catalogue of metrics and the one pass that turns timed tickets into sums.

Everything after this package works on `Measures`: a small wide table of integer sums per local day of opening
and cut. The engine is imported only when there is something to compute. Definitions: ``docs/metrics.md``.
"""

from __future__ import annotations

from csimprove.metrics.definitions import (
    CATALOGUE,
    CUSTOMER_METRICS,
    VARIANTS,
    WINDOW_DAYS,
    Metric,
    catalogue,
    customer_metrics,
)
from csimprove.metrics.measures import HORIZONS, Measures
from csimprove.metrics.store import load_measures
