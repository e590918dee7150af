"""The loop as CUDA graphs: all of it but CUDA's own part, which needs a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from small_models import batch_of, small_model
from torch import Tensor, nn

from softalign.errors import UserError
from softalign.models import capture
from softalign.models.capture import STRIDE, CapturedUnroll
from softalign.models.seq2seq import Seq2Seq

SHORT = [(5, 4), (3, 6), (1, 0)]
LONG = [(5 + STRIDE, 4), (3, 6), (1, 0)]


class Recorder:
    """Stands for CUDA's capture: hands back a function of the samples' shapes alone, and counts."""

    def __init__(self) -> None:
        self.captures = self.replays = 0

    def __call__(self, loop: nn.Module, samples: tuple[Tensor, ...]) -> Callable[..., Any]:
        self.captures += 1

        def replay(*tensors: Tensor) -> Any:
            self.replays += 1
            for tensor, sample in zip(tensors, samples, strict=True):
                assert (tensor.shape, tensor.dtype, tensor.requires_grad) == (
                    sample.shape,
                    sample.dtype,
                    sample.requires_grad,
                )
            return loop(*tensors)

        return replay


def gradients(model: Seq2Seq, lengths: list[tuple[int, int]]) -> list[Tensor]:
    """The loss of a batch and what it gives the parameters that it reaches."""
    summed = model.loss(batch_of(*lengths))
    found = torch.autograd.grad(summed.objective, list(model.parameters()), allow_unused=True)
    return [summed.objective.detach(), *(gradient for gradient in found if gradient is not None)]


NORMED = {"layer_norm": True, "score": "multi_head", "heads": 2}


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize(
    ("fusion", "options"),
    [("multiply", {}), ("multiply", NORMED), ("bahdanau", {}), ("bahdanau", NORMED), ("pointer_coverage", {})],
)
def test_a_padded_loop_gives_the_same_loss_and_gradients(
    fusion: str, cell: str, layers: int, options: dict[str, Any]
) -> None:
    model, recorder = small_model(fusion, cell, layers=layers, **options), Recorder()
    expected = gradients(model, SHORT)
    model.decoder.captured = CapturedUnroll(model.decoder.fusion, recorder)
    for captures, replays in ((0, 0), (1, 1), (1, 2)):  # the second time a shape is seen it is captured
        found = gradients(model, SHORT)
        assert (recorder.captures, recorder.replays) == (captures, replays)
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            torch.testing.assert_close(one, other)
    logits, weights = model(batch_of(*SHORT))
    model.decoder.captured = None
    torch.testing.assert_close((logits, weights), model(batch_of(*SHORT)))


def test_shapes_of_one_multiple_share_a_graph_and_others_do_not() -> None:
    model, recorder = small_model(), Recorder()
    model.decoder.captured = CapturedUnroll(model.decoder.fusion, recorder)
    for lengths in (SHORT, [(4, 3), (3, 5), (1, 0)], LONG, SHORT):
        gradients(model, lengths)
    assert (recorder.captures, recorder.replays) == (1, 2)
    gradients(model, LONG)
    assert recorder.captures == 2


def test_no_more_than_so_many_shapes_are_captured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture, "MOST", 1)
    model, recorder = small_model(), Recorder()
    model.decoder.captured = CapturedUnroll(model.decoder.fusion, recorder)
    for lengths in (SHORT, SHORT, LONG, LONG, LONG):
        gradients(model, lengths)
    assert recorder.captures == 1


def test_without_gradients_nothing_is_captured() -> None:
    model, recorder = small_model(), Recorder()
    model.decoder.captured = CapturedUnroll(model.decoder.fusion, recorder)
    with torch.no_grad():
        for _ in range(3):
            model(batch_of(*SHORT))
    assert recorder.captures == 0


def test_where_cuda_refuses_the_user_is_told_what_to_do() -> None:
    def refuse(loop: nn.Module, samples: Any) -> Callable[..., Any]:
        raise RuntimeError("operation not permitted when stream is capturing\nand so on")

    model = small_model()
    model.decoder.captured = CapturedUnroll(model.decoder.fusion, refuse)
    gradients(model, SHORT)
    with pytest.raises(UserError, match=r"is capturing: set trainer\.cuda_graphs=false$"):
        gradients(model, SHORT)


def test_an_arm_without_a_loop_is_not_for_it() -> None:
    assert CapturedUnroll.suits(small_model("bahdanau").decoder.fusion)
    assert not CapturedUnroll.suits(small_model("vanilla").decoder.fusion)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize(
    "fusion", ["multiply", "bahdanau", "concat", "cgru", "luong_input_feeding", "pointer_coverage"]
)
def test_a_cuda_graph_gives_the_same_gradients(fusion: str) -> None:
    model = small_model(fusion, "gru").float().cuda().train()  # as cuDNN wants it for gradients

    def found(lengths: list[tuple[int, int]]) -> list[Tensor]:
        summed = model.loss(batch_of(*lengths).to("cuda"))
        grads = torch.autograd.grad(summed.objective, list(model.parameters()), allow_unused=True)
        return [gradient for gradient in grads if gradient is not None]

    expected = [(lengths, found(lengths)) for lengths in (SHORT, LONG)]
    model.decoder.captured = CapturedUnroll(model.decoder.fusion)
    for _ in range(4):
        for lengths, gradients_of_lengths in expected:
            torch.testing.assert_close(found(lengths), gradients_of_lengths)
