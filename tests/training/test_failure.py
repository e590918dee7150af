"""A training that diverges: what it says, what it leaves. The toy training has 8 steps an epoch."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from softalign.config import Config
from softalign.errors import UserError
from softalign.training.checkpointing import load_model, read_checkpoint
from softalign.training.failure import FAILURE, DivergedError, Failure, failure_kept, origin_of
from softalign.training.fit import fit
from softalign.training.identity import identify
from softalign.training.module import Seq2SeqModule

Configured = Callable[..., Config]
SEEN = Failure("training loss", 12, 2, math.nan, math.inf, "work/last.ckpt")


def before(monkeypatch: pytest.MonkeyPatch, hook: str, at: int, act: Callable[[Seq2SeqModule], None]) -> None:
    """Do something to the module before the hook of the step after `at` steps."""
    original = getattr(Seq2SeqModule, hook)

    def step(module: Seq2SeqModule, *arguments: object) -> object:
        if module.trainer.global_step == at:
            act(module)
        return original(module, *arguments)

    monkeypatch.setattr(Seq2SeqModule, hook, step)


def poison(module: Seq2SeqModule) -> None:
    """Put one NaN among the weights that every step uses."""
    with torch.no_grad():
        next(module.model.decoder.fusion.cell.parameters()).view(-1)[0] = math.nan


def diverged(prepared: Path, config: Config, folder: Path) -> Failure:
    with pytest.raises(DivergedError) as caught:
        fit(prepared, config, folder)
    assert not (folder / "cost.json").exists()
    message = str(caught.value)
    failure = caught.value.failure
    assert message.startswith(f"translation/{config.model.name} seed 1 has diverged: ") and "\n" not in message
    for part in (f"step {failure.step}", f"{failure.gradient_norm:g}", failure.last_checkpoint or "none", "lower"):
        assert part in message
    return failure


@pytest.mark.parametrize(("fusion", "activation"), [("vanilla", "relu"), ("multiply", "tanh")])
def test_a_rate_far_too_high(
    prepared: Path, configured: Configured, tmp_path: Path, fusion: str, activation: str
) -> None:
    config = configured(fusion, lr=1e38, max_epochs=2)
    model = replace(config.model, cell="elman", activation=activation)
    failure = diverged(prepared, replace(config, model=model), tmp_path)
    assert (failure.step, failure.epoch) == (2, 1)  # the first step's loss is that of the first weights
    assert not math.isfinite(failure.loss) or not math.isfinite(failure.gradient_norm)
    assert failure.last_checkpoint is None


@pytest.mark.parametrize("step", [12, 16])  # amid the second epoch, and its last
def test_a_nan_among_the_weights(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    before(monkeypatch, "training_step", step - 1, poison)
    failure = diverged(prepared, configured(), tmp_path)
    assert (failure.quantity, failure.step, failure.epoch) == ("training loss", step, 2)
    assert math.isnan(failure.loss) and math.isnan(failure.gradient_norm)
    assert failure.last_checkpoint == str(tmp_path / "last.ckpt")
    assert read_checkpoint(Path(failure.last_checkpoint))["global_step"] == 8
    assert all(value.isfinite().all() for value in load_model(Path(failure.last_checkpoint)).parameters())


def test_an_infinite_gradient_of_a_finite_loss(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(module: Seq2SeqModule) -> None:
        next(module.parameters()).register_hook(lambda gradient: torch.full_like(gradient, math.inf))

    before(monkeypatch, "training_step", 2, spoil)
    failure = diverged(prepared, configured(), tmp_path)
    assert (failure.quantity, failure.step, failure.epoch) == ("gradient norm", 3, 1)
    assert math.isfinite(failure.loss) and failure.gradient_norm == math.inf


def test_a_validation_loss_that_is_not_finite(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(monkeypatch, "validation_step", 16, poison)
    failure = diverged(prepared, configured(), tmp_path)
    assert (failure.quantity, failure.step, failure.epoch) == ("validation loss", 16, 2)
    assert math.isnan(failure.loss) and math.isfinite(failure.gradient_norm)
    assert failure.last_checkpoint == str(tmp_path / "last.ckpt")
    assert read_checkpoint(tmp_path / "last.ckpt")["global_step"] == 8  # the bad epoch is not saved


def test_the_gradient_norm_is_that_before_clipping(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    norms: list[tuple[float, float]] = []
    original = Seq2SeqModule.configure_gradient_clipping

    def clip(module: Seq2SeqModule, *arguments: object, **options: object) -> None:
        squares = sum(float(p.grad.double().square().sum()) for p in module.parameters() if p.grad is not None)
        original(module, *arguments, **options)  # type: ignore[arg-type]
        norms.append((math.sqrt(squares), float(module.gradient_norm)))
        clipped = sum(float(p.grad.double().square().sum()) for p in module.parameters() if p.grad is not None)
        assert math.sqrt(clipped) == pytest.approx(1e-3, rel=1e-2)

    monkeypatch.setattr(Seq2SeqModule, "configure_gradient_clipping", clip)
    fit(prepared, configured(max_epochs=1, clip_norm=1e-3), tmp_path)
    assert len(norms) == 8
    for expected, measured in norms:
        assert measured == pytest.approx(expected, rel=1e-4) and measured > 1e-3


def test_failure_json_comes_back_and_is_strict_json(tmp_path: Path) -> None:
    SEEN.write(tmp_path / FAILURE)
    again = Failure.read(tmp_path / FAILURE)
    assert math.isnan(again.loss) and replace(again, loss=0.0) == replace(SEEN, loss=0.0)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    json.loads((tmp_path / FAILURE).read_text(), parse_constant=refuse)


def test_what_an_attempt_leaves_in_the_place_of_its_results(
    prepared: Path, configured: Configured, tmp_path: Path
) -> None:
    identity, config = identify(configured(), prepared), configured()
    output = tmp_path / "train"
    output.mkdir()
    (output / "cost.json").write_text("of an earlier training")
    with pytest.raises(DivergedError), failure_kept(output, identity, config):
        raise DivergedError("arm", SEEN)
    assert [path.name for path in output.iterdir()] == [FAILURE]
    assert origin_of(output / FAILURE) == (identity, config)
    with pytest.raises(UserError), failure_kept(output, identity, config):
        assert not (output / FAILURE).exists()
        raise UserError("something else")
    assert list(output.iterdir()) == []
