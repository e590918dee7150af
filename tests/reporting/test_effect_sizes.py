"""Effect sizes by hand, and without bias."""

from __future__ import annotations

import math

import numpy as np
import pytest

from softalign.reporting.effect_sizes import cohens_dz, hedges_g


def test_cohens_dz_by_hand() -> None:
    assert cohens_dz(np.array([1.0, 2.0, 3.0])) == pytest.approx(2.0)
    assert cohens_dz(np.array([-1.0, 1.0])) == 0.0


def test_cohens_dz_does_not_grow_with_the_items() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1, 200)
    once, often = cohens_dz(differences), cohens_dz(np.tile(differences, 50))
    assert once == pytest.approx(often, rel=0.005)


def test_hedges_g_by_hand() -> None:
    # Means 2 and 5, both variances 1, four degrees of freedom: J = Γ(2) / (√2 Γ(3/2)), 0.7979.
    found = hedges_g(np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]))
    assert found == pytest.approx(3 * 1 / (math.sqrt(2) * math.gamma(1.5)))
    assert found == pytest.approx(3 * (1 - 3 / (4 * 4 - 1)), rel=0.01)  # Hedges' own approximation of J


def test_hedges_g_is_right_on_average_where_few_seeds_make_d_too_large() -> None:
    generator = np.random.default_rng(0)
    pairs = generator.standard_normal((6_000, 2, 3)) + np.array([[0.0], [1.0]])
    assert np.mean([hedges_g(a, b) for a, b in pairs]) == pytest.approx(1.0, abs=0.05)  # type: ignore[arg-type]


def test_no_spread_has_no_effect_size() -> None:
    assert cohens_dz(np.array([1.0])) is None
    assert cohens_dz(np.full(5, 2.0)) is None
    assert hedges_g(np.array([1.0]), np.array([2.0, 3.0])) is None
    assert hedges_g(np.array([1.0, 1.0]), np.array([2.0, 2.0])) is None
