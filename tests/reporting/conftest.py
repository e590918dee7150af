"""Made-up runs, compared once for all tests of the reports."""

from __future__ import annotations

import pytest
from synthetic_runs import Reported, report_of


@pytest.fixture(scope="session")
def one_seed(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return report_of(tmp_path_factory.mktemp("one seed"), rows=60)


@pytest.fixture(scope="session")
def two_seeds(tmp_path_factory: pytest.TempPathFactory) -> Reported:
    return report_of(tmp_path_factory.mktemp("two seeds"), seeds=(1, 2), tasks=("translation",), rows=60)
