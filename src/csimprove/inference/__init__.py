"""Intervals and tests as pure functions that know no tickets.

Only ``scipy.special`` is used: it loads in a fraction of the time of ``scipy.stats``.
"""

from csimprove.inference.rates import (
    Floats,
    binomial_below,
    holm,
    mantel_haenszel_difference,
    newcombe,
    poisson_interval,
    score_difference,
    wilson,
)
from csimprove.inference.sequential import Spending, nominal_t, normal_tail, spending_bounds
from csimprove.inference.survival import (
    BIN_STARTS,
    DOUBLINGS,
    EXACT,
    PER_DOUBLING,
    DurationSummary,
    Survival,
    kaplan_meier,
    summarise,
)
from csimprove.inference.teams import (
    Permutation,
    TeamTest,
    WildBootstrap,
    cluster_robust,
    exact_permutation,
    mean_interval,
    one_sample_t,
    pooled_t,
    smallest_pvalue,
    welch,
    wild_cluster_bootstrap,
)

__all__ = [
    "BIN_STARTS",
    "DOUBLINGS",
    "EXACT",
    "PER_DOUBLING",
    "DurationSummary",
    "Floats",
    "Permutation",
    "Spending",
    "Survival",
    "TeamTest",
    "WildBootstrap",
    "binomial_below",
    "cluster_robust",
    "exact_permutation",
    "holm",
    "kaplan_meier",
    "mantel_haenszel_difference",
    "mean_interval",
    "newcombe",
    "nominal_t",
    "normal_tail",
    "one_sample_t",
    "poisson_interval",
    "pooled_t",
    "score_difference",
    "smallest_pvalue",
    "spending_bounds",
    "summarise",
    "welch",
    "wild_cluster_bootstrap",
    "wilson",
]
