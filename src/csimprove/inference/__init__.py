"""Intervals and tests as pure functions that know no tickets.

Only ``scipy.special`` is used: it loads in a fraction of the time of ``scipy.stats``.
"""

from csimprove.inference.agreement import Agreement, agreement
from csimprove.inference.rates import (
    Floats,
    binomial_below,
    holm,
    mantel_haenszel_difference,
    newcombe,
    paired_difference,
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
