"""The thread beside the main one."""

import pytest
import torch

from softalign.denormals import denormals_flushed, without_denormals
from softalign.models import second_thread


@pytest.mark.parametrize("inference", [False, True])
def test_autograd_records_nothing_in_the_second_thread(inference):
    """What it records there nobody needs, and it keeps every block of logits."""
    with torch.inference_mode(inference):
        assert second_thread.promise(torch.is_grad_enabled)() is False
        assert second_thread.promise(torch.is_inference_mode_enabled)() is inference


def test_denormals_are_what_they_are_in_the_thread_that_asks():
    for flushed in (True, False):
        with without_denormals(flushed):
            assert second_thread.promise(denormals_flushed)() is flushed


def test_it_is_free_until_it_is_reserved():
    assert second_thread.is_free()
    with second_thread.reserved():
        assert not second_thread.is_free()
    assert second_thread.is_free()
