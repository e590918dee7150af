from __future__ import annotations

import pytest
import torch

from softalign.hardware.denormals import without_denormals


def halved() -> float:
    return float((torch.full((1,), 1e-39) * 0.5).item())


@pytest.mark.parametrize("before", [True, False])
def test_afterwards_it_is_as_before(before: bool) -> None:
    torch.set_flush_denormal(before)
    with without_denormals():
        assert halved() == 0
    assert (halved() == 0) is before
    with pytest.raises(ValueError), without_denormals():
        raise ValueError
    assert (halved() == 0) is before
