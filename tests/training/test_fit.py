from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from softalign.config import Config
from softalign.data.datamodule import Seq2SeqData
from softalign.data.prepared import load_prepared
from softalign.errors import UserError
from softalign.training.checkpointing import read_checkpoint
from softalign.training.curve import flattened
from softalign.training.fit import TrainingResult, fit
from softalign.training.identity import training_of
from softalign.training.points import Point

Configured = Callable[..., Config]


class Interruption:
    """A tracker under which the training is interrupted when it has come to a step, of 8 an epoch."""

    def __init__(self, step: int) -> None:
        self.step = step

    def log(self, points: Iterable[Point]) -> None:
        if any(point.step >= self.step for point in points):
            raise KeyboardInterrupt


def weights(result: TrainingResult, name: str = "last.ckpt") -> dict[str, torch.Tensor]:
    return dict(read_checkpoint(result.folder / name)["state_dict"])


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[key], second[key]) for key in first)


@pytest.fixture(scope="module")
def trained(prepared: Path, configured: Configured, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return fit(prepared, configured(), tmp_path_factory.mktemp("trained"))


def test_the_same_seed_gives_the_same_weights(
    trained: TrainingResult, prepared: Path, configured: Configured, tmp_path: Path
) -> None:
    torch.rand(7)  # what a notebook has drawn before makes no difference
    again = fit(prepared, configured(), tmp_path)
    assert same(weights(trained), weights(again))
    assert same(weights(trained, "best.ckpt"), weights(again, "best.ckpt"))
    columns = ("epoch", "step", "train_loss", "validation_loss", "lr")
    assert [[row[c] for c in columns] for row in again.history] == [[r[c] for c in columns] for r in trained.history]


def test_another_seed_gives_other_weights(
    trained: TrainingResult, prepared: Path, configured: Configured, tmp_path: Path
) -> None:
    other = fit(prepared, configured(seed=2, max_epochs=1), tmp_path)
    assert not same(weights(trained), weights(other))


@pytest.mark.parametrize(("step", "epochs"), [(8, 0), (10, 1), (16, 2), (30, 3)])
def test_an_interrupted_training_goes_on_to_the_same_weights(
    trained: TrainingResult,
    prepared: Path,
    configured: Configured,
    tmp_path: Path,
    step: int,
    epochs: int,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if step != 16:  # within an epoch, not after it
        monkeypatch.setattr("softalign.training.live.LiveTracking.SECONDS", 0.0)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(prepared, configured(), tmp_path, Interruption(step))
    assert "the same command goes on from there" in capfd.readouterr().out
    assert (tmp_path / "last.ckpt").exists() == (epochs > 0)
    if epochs:
        assert read_checkpoint(tmp_path / "last.ckpt")["epoch"] + 1 == epochs
    resumed = fit(prepared, configured(), tmp_path)
    assert same(weights(trained), weights(resumed))
    assert same(weights(trained, "best.ckpt"), weights(resumed, "best.ckpt"))
    columns = ("epoch", "step", "train_loss", "validation_loss", "lr")
    assert [[row[c] for c in columns] for row in resumed.history] == [[r[c] for c in columns] for r in trained.history]
    assert resumed.steps == trained.steps
    seconds = [row["seconds"] for row in resumed.history]  # those before the interruption count too
    assert seconds[0] > 0 and seconds == sorted(set(seconds)) and resumed.cost.train_seconds >= seconds[-1]
    tokens = sum(len(ids) + 1 for ids in load_prepared(prepared).splits["train"]["target_ids"].to_pylist())
    assert resumed.cost.train_tokens_per_second * resumed.cost.train_seconds == pytest.approx(tokens * len(seconds))
    assert resumed.cost.best_epoch == trained.cost.best_epoch


def test_a_training_whose_folder_was_moved_goes_on_too(
    trained: TrainingResult, prepared: Path, configured: Configured, tmp_path: Path
) -> None:
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        fit(prepared, configured(), tmp_path / "before", Interruption(24))
    (tmp_path / "before").rename(tmp_path / "after")
    resumed = fit(prepared, configured(), tmp_path / "after")
    assert same(weights(trained, "best.ckpt"), weights(resumed, "best.ckpt"))
    assert not (tmp_path / "before").exists()


def test_a_finished_training_is_not_repeated(trained: TrainingResult, prepared: Path, configured: Configured) -> None:
    before = (trained.folder / "best.ckpt").stat().st_mtime_ns
    assert fit(prepared, configured(), trained.folder) == trained
    assert (trained.folder / "best.ckpt").stat().st_mtime_ns == before


def test_what_another_configuration_left_is_not_resumed(prepared: Path, configured: Configured, tmp_path: Path) -> None:
    fit(prepared, configured(max_epochs=2), tmp_path)
    other = fit(prepared, configured("vanilla", max_epochs=1), tmp_path)
    assert len(other.history) == 1
    assert read_checkpoint(tmp_path / "best.ckpt")["hyper_parameters"]["model"]["fusion"] == "vanilla"


def test_what_other_code_left_is_not_resumed(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fit(prepared, configured(max_epochs=2), tmp_path).identity.fingerprint
    first, known = (tmp_path / "best.ckpt").stat().st_mtime_ns, training_of(tmp_path, before)
    monkeypatch.setattr("softalign.training.fit.code_digest", lambda: "other code")
    after = fit(prepared, configured(max_epochs=2), tmp_path).identity.fingerprint
    assert (tmp_path / "best.ckpt").stat().st_mtime_ns > first
    assert after == before and training_of(tmp_path, after) == known | {"code": "other code"} != known


def test_history_holds_the_mean_over_the_tokens_of_the_split(
    trained: TrainingResult, prepared: Path, configured: Configured
) -> None:
    model = trained.load_model()
    data = Seq2SeqData(load_prepared(prepared), configured().optimization, 1)
    nll, tokens = 0.0, 0
    with torch.no_grad():
        for batch in data.val_dataloader():
            nll += float(model.negative_log_likelihood(batch).sum())
            tokens += batch.n_target_tokens
    best = min(trained.history, key=lambda row: row["validation_loss"])
    assert best["validation_loss"] == pytest.approx(nll / tokens, rel=1e-5)
    assert best["validation_perplexity"] == pytest.approx(math.exp(nll / tokens), rel=1e-4)


def test_cost(trained: TrainingResult, prepared: Path) -> None:
    cost = trained.cost
    splits = load_prepared(prepared).splits
    tokens = sum(len(ids) + 1 for ids in splits["train"]["target_ids"].to_pylist())  # EOS counted
    assert cost.n_parameters == sum(parameter.numel() for parameter in trained.load_model().parameters())
    assert cost.train_tokens_per_second * cost.train_seconds == pytest.approx(tokens * cost.epochs)
    assert 0 < cost.train_seconds <= cost.wall_seconds
    assert cost.cpu_seconds > 0
    assert cost.jobs == 1
    assert cost.seconds_to_best == trained.history[cost.best_epoch - 1]["seconds"] <= cost.train_seconds
    assert cost.peak_memory_mb > 100
    assert cost.steps == trained.history[-1]["step"] == 8 * cost.epochs  # 400 rows in batches of 50
    assert cost.flattened == flattened([row["validation_loss"] for row in trained.history])


def test_the_steps_of_every_epoch_are_recorded(trained: TrainingResult) -> None:
    steps = [row["step"] for row in trained.steps]
    assert steps == [8, 10, 16, 20, 24, 30, 32]  # every tenth, and the last of each epoch of eight


def test_the_learning_rate_ends_at_zero(trained: TrainingResult) -> None:
    assert trained.history[-1]["lr"] == pytest.approx(0.0, abs=1e-12)


def test_it_stops_when_patience_is_at_its_end(prepared: Path, configured: Configured, tmp_path: Path) -> None:
    result = fit(prepared, configured("vanilla", lr=0.5, schedule="constant", max_epochs=40, patience=2), tmp_path)
    losses = [row["validation_loss"] for row in result.history]
    assert result.cost.stopped_early
    assert len(losses) == result.cost.best_epoch + 2
    assert min(losses) == losses[result.cost.best_epoch - 1]
    best = read_checkpoint(tmp_path / "best.ckpt")
    assert best["epoch"] + 1 == result.cost.best_epoch
    assert read_checkpoint(tmp_path / "last.ckpt")["epoch"] + 1 == len(losses)


def test_a_training_that_had_stopped_early_stays_stopped(
    prepared: Path, configured: Configured, tmp_path: Path
) -> None:
    config = configured("vanilla", lr=0.5, schedule="constant", max_epochs=40, patience=2)
    first = fit(prepared, config, tmp_path)
    (tmp_path / "cost.json").unlink()  # killed after the last checkpoint
    again = fit(prepared, config, tmp_path)
    assert again.history == first.history
    assert again.cost.best_epoch == first.cost.best_epoch


@pytest.mark.parametrize("fusion", ["vanilla", "multiply", "bahdanau"])
def test_bf16_trains_with_weights_in_fp32(prepared: Path, configured: Configured, tmp_path: Path, fusion: str) -> None:
    result = fit(prepared, configured(fusion, precision="bf16", max_epochs=2), tmp_path)
    assert result.history[-1]["validation_loss"] < result.history[0]["validation_loss"]
    assert {tensor.dtype for tensor in weights(result).values()} == {torch.float32}


@pytest.mark.parametrize(
    ("without", "option"),
    [
        ({}, {"label_smoothing": 0.1}),
        ({}, {"weight_decay": 0.1}),
        ({}, {"clip_norm": 1e-4}),
        ({"batch_size": 500}, {"batch_unit": "tokens"}),
    ],
)
def test_an_option_of_training_reaches_it(
    prepared: Path, configured: Configured, tmp_path: Path, without: dict[str, Any], option: dict[str, Any]
) -> None:
    plain, other = (
        fit(prepared, configured(max_epochs=1, **options), tmp_path / name)
        for name, options in (("without", without), ("with", without | option))
    )
    assert not same(weights(plain), weights(other))


def test_plain_progress_is_a_line_an_epoch(
    prepared: Path, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(prepared, configured(progress="plain", max_epochs=2), tmp_path)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first.startswith("translation/bahdanau seed 1: products in fp32 (trainer.precision=fp32), torch on 1 of ")
    assert [line.split("  ")[0] for line in lines] == [
        f"translation/bahdanau seed 1: epoch {epoch}/2" for epoch in (1, 2)
    ]


@pytest.mark.parametrize(("lr", "warned"), [(1e4, True), (3e-3, False)])
def test_a_loss_that_blows_up_and_stays_finite_is_warned_of(
    prepared: Path, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str], lr: float, warned: bool
) -> None:
    loss = fit(prepared, configured(lr=lr, max_epochs=1), tmp_path).best_validation_loss
    vocabulary = len(load_prepared(prepared, only=()).target_tokenizer)
    assert (loss >= math.log(vocabulary)) == warned
    assert (f"not below that of guessing, ln {vocabulary} = " in capsys.readouterr().err) == warned


def test_a_training_of_several_at_a_time_says_so(
    prepared: Path, configured: Configured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOFTALIGN_JOBS", "3")
    assert fit(prepared, configured(max_epochs=1), tmp_path).cost.jobs == 3


@pytest.mark.parametrize("beyond", [0, 1])
def test_a_training_that_ends_within_its_warm_up_is_warned_of(
    prepared: Path, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str], beyond: int
) -> None:
    steps = fit(prepared, configured(max_epochs=1), tmp_path / "plain").cost.steps
    fit(prepared, configured(max_epochs=1, warmup_steps=steps + beyond), tmp_path / "warm")
    assert (f"within the warm-up, after {steps} of {steps + 1} updates" in capsys.readouterr().err) == bool(beyond)


def test_a_bar_can_be_asked_for(
    prepared: Path, configured: Configured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fit(prepared, configured(progress="rich", max_epochs=1), tmp_path)
    assert "epoch 1/1" in capsys.readouterr().out


def test_a_notebook_keeps_its_settings(trained: TrainingResult) -> None:
    assert not torch.are_deterministic_algorithms_enabled()
    assert torch.utils.deterministic.fill_uninitialized_memory


def test_data_of_another_configuration_are_refused(prepared: Path, configured: Configured, tmp_path: Path) -> None:
    config = configured()
    other = replace(config, data=replace(config.data, tokenizer=replace(config.data.tokenizer, min_frequency=5)))
    with pytest.raises(UserError, match="min_frequency"):
        fit(prepared, other, tmp_path)
