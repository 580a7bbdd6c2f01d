# SPDX-License-Identifier: Apache-2.0
"""How many injections a sample needs, and what the share it finds may be."""

from math import ceil, exp, lgamma, log, log1p
from statistics import NormalDist

_ITERATIONS = 300
_STEPS = 60  # Of a bisection: a share to 1e-18.
_TINY = 1e-300


def sample_size(population: int, margin: float, confidence: float) -> int:
    """Return how many of `population` faults are to be drawn.

    For a share known to +-`margin` with `confidence`, were it 0.5 (Leveugle et al., "Statistical
    Fault Injection: Quantified Error and Confidence", DATE 2009, formula 1).
    """
    quantile = NormalDist().inv_cdf((1 + confidence) / 2)
    return ceil(population / (1 + margin**2 * (population - 1) / (quantile**2 / 4)))


def clopper_pearson(found: int, drawn: int, confidence: float) -> tuple[float, float]:
    """Return between what the share lies of which `found` of `drawn` were seen.

    The exact interval of Clopper and Pearson (Biometrika 26, 1934), by quantiles of the beta
    distribution.
    """
    if not 0 <= found <= drawn or drawn == 0:
        raise ValueError(f"{found} of {drawn} is no share")
    tail = (1 - confidence) / 2
    low = 0.0 if found == 0 else _beta_quantile(tail, found, drawn - found + 1)
    high = 1.0 if found == drawn else _beta_quantile(1 - tail, found + 1, drawn - found)
    return low, high


def _beta_quantile(share: float, a: float, b: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if _incomplete_beta(middle, a, b) < share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function (DLMF 8.17.22), the fraction by Lentz."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(1 - x, b, a)
    front = exp(a * log(x) + b * log1p(-x) + lgamma(a + b) - lgamma(a) - lgamma(b)) / a
    return front / _continued_fraction(x, a, b)


def _continued_fraction(x: float, a: float, b: float) -> float:
    value, c, d = 1.0, 1.0, 0.0
    for step in range(1, _ITERATIONS):
        m = step // 2
        if step % 2:
            term = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        else:
            term = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / ((1 + term * d) or _TINY)
        c = (1 + term / c) or _TINY
        value *= c * d
        if abs(c * d - 1) < 1e-14:
            break
    return value
