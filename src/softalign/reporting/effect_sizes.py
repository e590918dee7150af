"""How large a difference is beside the spread of what it was found on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def cohens_dz(differences: Array) -> float | None:
    """Mean over standard deviation of the paired differences of test items (N,): Cohen's (1988) d_z.

    0.2 is called small, 0.5 medium, 0.8 large. It does not grow with the number of items. None where no item differs
    from another, or with fewer than two.
    """
    if len(differences) < 2 or np.ptp(differences) == 0:
        return None
    return float(differences.mean() / differences.std(ddof=1))


def hedges_g(baseline: Array, candidate: Array) -> float | None:
    """The difference of two arms' means over seeds in standard deviations of a seed: Hedges' (1981) g.

    J(ν) (mean candidate - mean baseline) / s, with ν = S_1 + S_2 - 2, s the pooled standard deviation and
    J(ν) = Γ(ν/2) / (√(ν/2) Γ((ν-1)/2)) against the bias of few seeds (Journal of Educational Statistics 6:107-128).
    None where an arm has fewer than two seeds, or no seed differs from another.
    """
    freedom = len(baseline) + len(candidate) - 2
    if min(len(baseline), len(candidate)) < 2:
        return None
    pooled = sum((len(arm) - 1) * float(arm.var(ddof=1)) for arm in (baseline, candidate)) / freedom
    if pooled == 0:
        return None
    log_correction = math.lgamma(freedom / 2) - math.lgamma((freedom - 1) / 2) - math.log(freedom / 2) / 2
    return math.exp(log_correction) * float(candidate.mean() - baseline.mean()) / math.sqrt(pooled)
