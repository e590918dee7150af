"""What goes on inside a trained arm: recall and gradients against lag, norms of its states, spread of its attention.

Notation: S source length, T target length, both with the end of sentence; e_i embedding of source token i; m_i its
memory; h_t the decoder's top hidden state, h_0 before the first token.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from softalign.config import Config, EvaluationConfig
from softalign.data.batching import Batch, Row
from softalign.data.probes import recall
from softalign.data.tokenizer import PAD, Tokenizer
from softalign.errors import UserError
from softalign.evaluation.alignment import entropies
from softalign.evaluation.arm import Arm
from softalign.evaluation.by_length import score_by_length
from softalign.evaluation.lengths import LengthBucket, length_buckets
from softalign.evaluation.rows import sorted_batches
from softalign.evaluation.scores import item_statistics
from softalign.evaluation.split import Split
from softalign.evaluation.teacher_forcing import Advance, attention_over
from softalign.models.encoder import Encoder
from softalign.models.seq2seq import Seq2Seq
from softalign.progress import progress
from softalign.tasks import kind_of

SAMPLE = 100  # test rows, the same for every arm and seed
BATCH_SIZE = 25  # of rows whose logits are kept for their gradients
LAG_BUCKETS = 10

Array = NDArray[np.float64]


def probe(arm: Arm, test: Split, predictions: Sequence[str], config: Config, label: str) -> dict[str, Any]:
    """The entry `probes` of scores.json; `label` stands before the progress.

    `recall_by_lag`: exact match by the lag of the marked value, on the task recall alone (`recall_by_lag`).
    `gradient_norm`: by lag; on the task recall of the marked value over all test rows, elsewhere of every source token
    over a sample of the rows (`gradients_by_lag`). `state_norm` (`state_norms`) and `attention_entropy`
    (`attention_entropy`; None for an arm without attention): over the sample.

    Raises `UserError` where a source of the task recall has no marked value.
    """
    sample = sampled(test.rows)
    is_recall = kind_of(config.task.name) == "recall"
    rows = test.rows if is_recall else sample
    with progress(f"{label}: probing", len(rows), config.trainer.progress) as advance:
        found = list(source_gradients(arm.model, rows, arm.device, advance))
    if is_recall:
        lags = marked_lags(test.source)
        by_lag = recall_by_lag(lags, predictions, test.references, config.evaluation)
        tokenizer = arm.tokenizers[0]
        gradients = [
            TokenGradients.of_item(
                item, tokens_at_lag(lags[item.row], test.source[item.row], tokenizer), lags[item.row]
            )
            for item in found
        ]
    else:
        by_lag = None
        gradients = [
            TokenGradients.of_every_token(item, recurrent_lags(len(item.norms) - 1, arm.model.encoder))
            for item in found
        ]
    return {
        "recall_by_lag": by_lag,
        "gradient_norm": gradients_by_lag(gradients),
        "state_norm": state_norms(arm.model, sample, arm.device),
        "attention_entropy": attention_entropy(arm.model, sample, arm.device),
    }


def sampled(rows: Sequence[Row]) -> list[Row]:
    """At most SAMPLE rows, at random but the same for every arm and seed: the draw depends on their number alone."""
    count = min(SAMPLE, len(rows))
    return [rows[row] for row in np.sort(np.random.default_rng(0).choice(len(rows), count, replace=False))]


# Recall against lag ---------------------------------------------------------------------------------------------------


def marked_lags(sources: Sequence[str]) -> list[int]:
    """Words after the marked value of each source. Raises `UserError` where there is none."""
    try:
        return [recall.lag_of(source) for source in sources]
    except ValueError as error:
        raise UserError(str(error), "the test split", "the task recall needs data=recall, or data like it") from None


def tokens_at_lag(lag: int, source: str, tokenizer: Tokenizer) -> NDArray[np.intp]:
    """Positions of the tokens of the word that `lag` words come after."""
    return np.flatnonzero(np.array(tokenizer.word_spans(source)) == len(source.split()) - 1 - lag)


def recall_by_lag(
    lags: Sequence[int], predictions: Sequence[str], references: Sequence[Sequence[str]], config: EvaluationConfig
) -> list[dict[str, str | int | float]]:
    """Exact match in points of 100 by the lag of the marked value, in words, with bootstrap intervals and row counts.

    The records are those of `score_by_length`, with lags for `low` and `high`.
    """
    matches = item_statistics(predictions, references, ["exact_match"])["exact_match"]
    return score_by_length("exact_match", matches, length_buckets(lags, LAG_BUCKETS), config)


# Gradient norm against lag --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceGradients:
    """The gradients of L = -log p(y | x), teacher-forced and summed over the target, of one row."""

    row: int  # index in its split
    norms: Array  # (S,) ‖∂L/∂e_i‖, nats per unit of embedding; the last is that of the end of the source
    error: float  # √(Σ_t ‖p_t - y_t‖²), for logits z ‖∂L/∂z‖ (not if words are copied); 0: certain and right


@dataclass(frozen=True)
class TokenGradients:
    """Some source tokens of one row, each with its lag."""

    lags: NDArray[np.int64]  # (n,)
    norms: Array  # (n,) as in `SourceGradients`
    error: float

    @classmethod
    def of_every_token(cls, found: SourceGradients, lags: NDArray[np.int64]) -> TokenGradients:
        """Of lags (S - 1,): the end of the source is left out."""
        return cls(lags, found.norms[: len(lags)], found.error)

    @classmethod
    def of_item(cls, found: SourceGradients, tokens: NDArray[np.intp], lag: int) -> TokenGradients:
        """Of the tokens that make up one word, as one: the norm of their gradients together."""
        norm = np.linalg.norm(found.norms[tokens])
        return cls(np.array([lag]), np.array([norm]), found.error)


def source_gradients(
    model: Seq2Seq, rows: Sequence[Row], device: torch.device, advance: Advance = lambda _: None
) -> Iterator[SourceGradients]:
    """Of each row, longest sources first; `advance` is told of the rows done. The model must be in evaluation mode; its
    parameters' `grad` stay as they are.
    """
    for batch in sorted_batches(rows, BATCH_SIZE):
        on_device = batch.to(device)
        # cuDNN has no backward pass for a network in evaluation mode.
        with torch.enable_grad(), torch.backends.cudnn.flags(enabled=False), _outputs_of(model.encoder.embedding) as e:
            log_probabilities, _ = model(on_device)
            loss = F.nll_loss(
                log_probabilities.transpose(1, 2), on_device.target_out, ignore_index=PAD, reduction="sum"
            )
            # The first output is that of the source, also where the decoder has the same embedding.
            (to_embedded,) = torch.autograd.grad(loss, [e[0]])  # (S, B, E)
        norms = to_embedded.norm(dim=-1).t().cpu().double().numpy()
        errors = _errors(log_probabilities.detach(), on_device).tolist()
        lengths = batch.source_lengths.tolist()
        for row, own, length, error in zip(batch.rows.tolist(), norms, lengths, errors, strict=True):
            yield SourceGradients(row, own[:length], error)
        advance(len(lengths))


def _errors(log_probabilities: Tensor, batch: Batch) -> Tensor:
    """√(Σ_t ‖p_t - y_t‖²) of each row (B,), y_t one at the target token and zero elsewhere."""
    errors = log_probabilities.exp()
    targets = batch.target_out.unsqueeze(2)
    # 1 - p as -(e^{log p} - 1), which does not vanish where p rounds to one.
    errors.scatter_(2, targets, -torch.expm1(log_probabilities.gather(2, targets)))
    return errors.masked_fill(~batch.target_mask.unsqueeze(2), 0.0).flatten(1).norm(dim=-1)


@contextmanager
def _outputs_of(module: nn.Module) -> Iterator[list[Tensor]]:
    """A list that fills with what `module` returns, call by call."""
    outputs: list[Tensor] = []
    handle = module.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
    try:
        yield outputs
    finally:
        handle.remove()


def recurrent_lags(tokens: int, encoder: Encoder) -> NDArray[np.int64]:
    """Lag of each of n source tokens (n,): the tokens between it and the nearer end at which the encoder's last state
    is read; the end of the source is not counted.

    Forwards these are the tokens after it, with `reverse_source` those before it; in both directions the fewer of
    the two, for the last states of both go to the decoder.
    """
    before = np.arange(tokens)
    after = before[::-1]
    if any(layer.right_to_left is not None for layer in encoder.layers):
        return np.minimum(before, after)
    return before if encoder.reverse_source else after


def gradients_by_lag(gradients: Sequence[TokenGradients]) -> list[dict[str, float | int | None]]:
    """Means over tokens in at most LAG_BUCKETS buckets of lags that hold about as many tokens each.

    `low`, `high`: lags, both included. `tokens`: how many. `norm`: mean ‖∂L/∂e_i‖ (Hochreiter et al. 2001; Pascanu et
    al. 2013), nats per unit of embedding. `relative`: mean ‖∂L/∂e_i‖ / √(Σ_t ‖p_t - y_t‖²), logits per unit of
    embedding: how much of the error signal at the output reaches the token. The norm alone also falls where the arm
    is right, for its error vanishes there; the ratio does not. Of a readout that copies words the error is none of
    logits, so that its ratio is not comparable with another's. None where no row has an error.
    """
    lags = np.concatenate([row.lags for row in gradients])
    norms = np.concatenate([row.norms for row in gradients])
    errors = np.concatenate([np.full(len(row.lags), row.error) for row in gradients])
    wrong = errors > 0
    relative = np.divide(norms, errors, out=np.zeros_like(norms), where=wrong)

    def record(bucket: LengthBucket) -> dict[str, float | int | None]:
        ratios = relative[bucket.rows][wrong[bucket.rows]]
        return {
            "low": bucket.low,
            "high": bucket.high,
            "tokens": len(bucket.rows),
            "norm": float(norms[bucket.rows].mean()),
            "relative": float(ratios.mean()) if len(ratios) else None,
        }

    return [record(bucket) for bucket in length_buckets(lags.tolist(), LAG_BUCKETS)]


# States and attention -------------------------------------------------------------------------------------------------


@torch.inference_mode()
def state_norms(model: Seq2Seq, rows: Sequence[Row], device: torch.device) -> dict[str, list[dict[str, float | int]]]:
    """Mean Euclidean norms, without unit, by place: `encoder` of m_i by its position i = 0 .. S - 1 (both directions
    together), `encoder_by_lag` of the same but the last by their `recurrent_lags`, `decoder` of h_t at t = 0 .. T, its
    lag behind the source's last state, teacher-forced; what an arm hands on in the place of h_t counts as h_t.

    Each record says of how many states, one a row but for lags in both directions. Entries of a tanh state lie within
    ±1, so its norm is √H at most; a norm that falls or grows is a state that dies or saturates (Pascanu et al. 2013).
    """
    encoder, by_lag, decoder = MeansByPlace(), MeansByPlace(), MeansByPlace()
    for batch in sorted_batches(rows, BATCH_SIZE):
        on_device = batch.to(device)
        encoded = model.encode(on_device.source, batch.source_lengths)
        norms_of_memory = encoded.memory.norm(dim=-1)
        encoder.add_by_position(norms_of_memory, encoded.mask)
        for own, length in zip(norms_of_memory.cpu().double().numpy(), batch.source_lengths.tolist(), strict=True):
            by_lag.add(own[: length - 1], recurrent_lags(length - 1, model.encoder))
        state = model.start(encoded)
        norms = [state.top.norm(dim=-1)]
        for tokens in on_device.target_in.unbind(1):
            _, state, _ = model.step(tokens, state, encoded)
            norms.append(state.top.norm(dim=-1))
        decoder.add_by_position(torch.stack(norms, dim=1), F.pad(on_device.target_mask, (1, 0), value=True))
    return {"encoder": encoder.records(), "encoder_by_lag": by_lag.records(), "decoder": decoder.records()}


class MeansByPlace:
    """Means of values that belong to places 0, 1, ...: positions or lags, of rows of different lengths."""

    def __init__(self) -> None:
        self._sums = np.zeros(0)
        self._states = np.zeros(0, dtype=np.int64)

    def add(self, values: Array, places: NDArray[np.int64]) -> None:
        """Count values (n,) at their places (n,)."""
        sums, states = np.bincount(places, weights=values), np.bincount(places)
        size = max(len(sums), len(self._sums))
        self._sums = _padded(self._sums, size) + _padded(sums, size)
        self._states = _padded(self._states, size) + _padded(states, size)

    def add_by_position(self, values: Tensor, mask: Tensor) -> None:
        """Count values (B, n) where the mask (B, n) is True, each at its place in the row."""
        self.add(values[mask].cpu().double().numpy(), mask.nonzero()[:, 1].cpu().numpy())

    def records(self) -> list[dict[str, float | int]]:
        """`place`, `states` and mean `norm` of each place that has any."""
        return [
            {"place": place, "states": int(states), "norm": float(total / states)}
            for place, (total, states) in enumerate(zip(self._sums, self._states, strict=True))
            if states
        ]


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.pad(values, (0, size - len(values)))


def attention_entropy(model: Seq2Seq, rows: Sequence[Row], device: torch.device) -> dict[str, float] | None:
    """Mean entropy in nats of the attention weights over the source, its end counted, over all target tokens but the
    end, teacher-forced; `uniform` is that of uniform attention, ln S. None for an arm without attention."""
    found = [
        (entropies(weights[:-1]), np.full(len(weights) - 1, np.log(weights.shape[1])))
        for _, weights in attention_over(model, rows, BATCH_SIZE, device)
    ]
    if not found:
        return None
    own, uniform = (np.concatenate(part) for part in zip(*found, strict=True))
    return {"entropy": float(own.mean()), "uniform": float(uniform.mean())}
