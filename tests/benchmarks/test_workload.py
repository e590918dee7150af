"""Both sides of the benchmark compute the same thing."""

from __future__ import annotations

import multiprocessing

import pytest
import torch
from project import ROOT

from benchmarks import gpu
from benchmarks.gpu import ARMS
from benchmarks.training import Side, plain_loss, products_per_token, softalign_loss
from benchmarks.turns import Turns
from benchmarks.workload import Workload, random_workload
from softalign.data.batching import collate
from softalign.paths import Layout

SMALL = ["model.embedding_size=8", "model.hidden_size=8"]
LAYOUT = Layout(ROOT)


@pytest.mark.parametrize("cell", ["elman", "gru", "lstm"])
@pytest.mark.parametrize("arm", ARMS)
def test_the_plain_side_has_the_same_loss_and_gradients(arm: str, cell: str) -> None:
    overrides = [f"model={arm}", f"model.cell={cell}", *SMALL]
    work = random_workload(LAYOUT, overrides, batch=3, source=5, target=4, vocabulary=20, count=1)
    batch = collate([(0, [4, 5, 6], [7, 8]), (1, [9], [10, 11, 12, 13]), (2, [14, 15], [])])  # padding on both sides
    found = []
    for loss in (softalign_loss, plain_loss):
        model = work.model()
        value = loss(model, 0.0)(batch)
        value.backward()
        found.append([value.detach(), *(parameter.grad for parameter in model.parameters())])
    assert len(found[0]) > 5
    for ours, plain in zip(*found, strict=True):
        torch.testing.assert_close(ours, plain, rtol=1e-4, atol=1e-5)


def test_products_are_counted_forward_and_backward() -> None:
    """A row more of the output layer is a product more for each token, and two for the gradients: 3 * 2 * E."""

    def of(vocabulary: int) -> float:
        work = random_workload(LAYOUT, SMALL, batch=3, source=5, target=4, vocabulary=vocabulary, count=2)
        return products_per_token(work)

    assert of(40) - of(30) == pytest.approx(10 * 3 * 2 * 8)


def test_random_sentences_have_the_lengths_that_were_asked_for() -> None:
    work: Workload = random_workload(LAYOUT, SMALL, batch=3, source=5, target=4, vocabulary=20, count=2)
    assert len(work.batches) == 2
    for batch in work.batches:
        assert batch.source.shape == (3, 5) and batch.target_out.shape == (3, 4)
        assert batch.n_target_tokens == 12 and int(batch.source.max()) < 20
    assert not torch.equal(work.batches[0].source, work.batches[1].source)


def test_each_side_takes_its_turn_in_each_round_in_a_process_of_its_own() -> None:
    with Turns([Side("ours", softalign_loss, precision="bf16"), Side("plain", plain_loss)]) as turns:
        processes = multiprocessing.active_children()
        for count in (2, 1):  # the processes train on one workload after the other
            work = random_workload(LAYOUT, SMALL, batch=3, source=5, target=4, vocabulary=20, count=count)
            seen = turns.tokens_per_second(work, rounds=3, warm_up=2)
            assert list(seen) == ["ours", "plain"]
            assert all(len(values) == 3 and min(values) > 0 for values in seen.values())
    assert len(processes) == 2 and not any(process.is_alive() for process in processes)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_without_a_gpu_its_benchmark_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        gpu.main([])
    assert stopped.value.code == 1
    assert capsys.readouterr().err == "error: torch sees no GPU here: `make bench` measures the processor\n"
