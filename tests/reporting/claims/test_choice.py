"""C6, C7 and C8 from made-up runs of known outcome."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic_runs import Reported

from softalign.config import EvaluationConfig
from softalign.reporting.claims import choice
from softalign.reporting.claims.verdicts import NOT_DECIDED, REFUTED, SUPPORTED, Case
from softalign.reporting.comparisons import Scored
from softalign.reporting.estimates import Replicates

EVALUATION = EvaluationConfig()


def case(one_seed: Reported, difference: float, spread: float) -> Case:
    """bahdanau beside vanilla, with a difference of BLEU that the resamples spread evenly around."""
    scored = one_seed.scored[0]
    resampled = np.full((1, 1000), 30.0)
    noise = spread * np.linspace(-1, 1, 1000)[None, :]
    replicates = {
        ("vanilla", "bleu"): Replicates(np.array([30.0]), resampled),
        ("bahdanau", "bleu"): Replicates(np.array([30.0 + difference]), resampled + difference + noise),
    }
    return Case(Scored(scored.runs, scored.items, scored.untrained, replicates), "vanilla", "bahdanau", EVALUATION)


@pytest.mark.parametrize(
    ("difference", "spread", "verdict"),
    [
        (0.0, 0.5, SUPPORTED),
        (-0.6, 0.3, SUPPORTED),  # surely lower, by less than the margin
        (3.0, 1.0, SUPPORTED),
        (-0.9, 0.5, NOT_DECIDED),
        (0.0, 3.0, NOT_DECIDED),
        (-2.0, 0.5, REFUTED),
    ],
)
def test_the_inner_product_may_lose_a_point(one_seed: Reported, difference: float, spread: float, verdict: str) -> None:
    (row,) = choice.enough(case(one_seed, difference, spread))
    assert row.verdict == verdict
    assert row.effect == pytest.approx(difference)
    assert row.neutral == -1
    assert row.low is not None and row.high is not None and row.p_value is not None
    assert (row.p_value <= 0.05) == (not row.low <= -1 <= row.high)  # the p-value is that of the margin


@pytest.mark.parametrize(("difference", "verdict"), [(2, SUPPORTED), (-2, REFUTED), (0.1, NOT_DECIDED)])
def test_feedback_that_helps_supports_and_feedback_that_harms_refutes(
    one_seed: Reported, difference: float, verdict: str
) -> None:
    (row,) = choice.feedback_helps(case(one_seed, difference, 1.0))
    assert row.verdict == verdict


@pytest.mark.parametrize(
    ("difference", "spread", "verdict"),
    [(2, 1, SUPPORTED), (-2, 1, SUPPORTED), (0.1, 0.5, REFUTED), (0.1, 3, NOT_DECIDED), (0.3, 0.1, SUPPORTED)],
)
def test_the_activation_matters_either_way(one_seed: Reported, difference: float, spread: float, verdict: str) -> None:
    (row,) = choice.activation_matters(case(one_seed, difference, spread))
    assert row.verdict == verdict
    if verdict != NOT_DECIDED:
        assert row.p_value is not None and row.p_value < 0.05  # of what decides


def test_no_difference_is_as_sure_as_the_nearer_margin(one_seed: Reported) -> None:
    """Resamples from -0.12 to 1.02: two in a hundred lie beyond +1, none beyond -1."""
    (row,) = choice.activation_matters(case(one_seed, 0.45, 0.57))
    assert row.verdict == REFUTED
    assert row.p_value == pytest.approx(2 * (1.02 - 1) / (2 * 0.57), abs=0.004)
