"""What every arm is made of: the decoder's recurrence, its steps, and the loop over them.

Notation: N = B * Q rows of decoder state, Q per sentence (one in training, the beam in search; a sentence's rows stand
side by side), B sentences, S source length, T target length, E embedding size, H hidden size, M memory size.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor, nn

from softalign.config import ModelConfig
from softalign.models import options, recurrence
from softalign.models.attention import build_attention
from softalign.models.cells import CELLS, State
from softalign.models.encoder import EncoderOutput
from softalign.models.readout import Readout

FUSIONS: dict[str, type[Fusion]] = {}


class FusionStep(NamedTuple):
    """One step's outcome."""

    features: Tensor  # (N, features): what the readout sees
    state: State
    weights: Tensor | None  # (N, S)


class Unrolled(NamedTuple):
    """All steps of a given target."""

    features: Tensor  # (B, T, features)
    weights: Tensor | None  # (B, T, S)


def register(name: str) -> Callable[[type[Fusion]], type[Fusion]]:
    """Enter an arm under the name that `model.fusion` gives it, which models/options.py must know."""

    def enter(fusion: type[Fusion]) -> type[Fusion]:
        assert name in options.FUSIONS, f"add {name!r} to FUSIONS of softalign/models/options.py"
        FUSIONS[name] = fusion
        return fusion

    return enter


class Fusion(nn.Module):
    """A decoder's recurrence. A subclass gives the sizes and `step`, and its own `unroll` where it can be faster.

    The arms' equations are those of one layer. With several, 1 the bottom and L the top one, an h without a layer is
    h^L, wherever it is read (as the query, in a gate or a fusion, by the readout), and what enters the cell enters its
    bottom layer alone: h^1_t = cell^1([x_t; ...], h^1_{t-1}), h^l_t = cell^l(h^{l-1}_t, h^l_{t-1}). An arm for which
    that does not say all says the rest.
    """

    readout_class: ClassVar[type[Readout]] = Readout

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.cell = CELLS[config.cell](config, config.embedding_size, self.context_size(config))

    @staticmethod
    def context_size(config: ModelConfig) -> int:
        """The size of what enters the cell beside the embedding; 0: nothing does."""
        return 0

    @staticmethod
    def feature_size(config: ModelConfig) -> int:
        """The size of what the readout sees."""
        return config.hidden_size

    def project(self, embedded: Tensor) -> Tensor:
        """What a step needs of its embedded token, for any number of steps at once: (..., E) -> (..., G*H), the cell's
        W_x x + b, and whatever else an arm computes of it."""
        return self.cell.project(embedded)

    def prepare(self, memory: Tensor) -> Tensor | None:
        """The keys (B, S, K) of a memory (B, S, M), once per sentence; None: the arm does not attend."""
        return None

    def penalty(self, unrolled: Unrolled, real: Tensor) -> Tensor | None:
        """What training minimises beside the likelihood, summed over the target tokens `real` (B, T); None: nothing."""
        return None

    def for_beams(self, encoded: EncoderOutput) -> EncoderOutput:
        """`encoded` with what saves work where `step` has many more rows than the source has tokens. Optional."""
        return encoded

    def start(self, hidden: tuple[Tensor, ...], cells: tuple[Tensor, ...], encoded: EncoderOutput) -> State:
        """The first state, from the bridge's; an arm that feeds something back besides puts its first value here."""
        return State(hidden, cells)

    def step(self, projected: Tensor, state: State, encoded: EncoderOutput) -> FusionStep:
        """One step, from what `project` gave (N, G*H)."""
        raise NotImplementedError

    def unroll(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Unrolled:
        """All steps over embedded targets (B, T, E): the loop below, on the fast path."""
        with recurrence.unrolling() as unroll:
            whole = self._is_of_step("loop", "fuse") and len(state.hidden) == 1 and not self.cell.layer_norm
            loop = self.loop(unroll, encoded) if whole else None
            if loop is None:
                return self.unroll_plainly(embedded, state, encoded)
            gates = self.project(embedded.transpose(0, 1))
            features, weights = recurrence.run(loop, gates, state.top, state.cells[0] if state.cells else None)
            return Unrolled(features.transpose(0, 1), weights.transpose(0, 1))

    def loop(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Loop | None:
        """`step` with its derivative, where an arm gives it: the whole loop is then one node. Optional."""
        return None

    def _is_of_step(self, fast: str, *parts: str) -> bool:
        """Whether the method `fast` computes what `step` does: False where a subclass has changed the step, or one of
        its parts (those of every arm, and those named that `fast` does not call), and not `fast`."""
        changes = {fast, "step", "attend", "query", "look", *parts}
        return next(fast in vars(kind) for kind in type(self).__mro__ if changes & vars(kind).keys())

    def unroll_plainly(self, embedded: Tensor, state: State, encoded: EncoderOutput) -> Unrolled:
        """The loop itself; outside `recurrence.unrolling` plain autograd and what the fast path is tested against."""
        features, weights = [], []
        for projected in self.project(embedded.transpose(0, 1)).unbind(0):
            outcome = self.step(projected, state, encoded)
            state = outcome.state
            features.append(outcome.features)
            if outcome.weights is not None:
                weights.append(outcome.weights)
        alignment = torch.stack(weights).transpose(0, 1) if weights else None
        return Unrolled(torch.stack(features).transpose(0, 1), alignment)


class Attending(Fusion):
    """A fusion with an attention."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__(config)
        self.attention = build_attention(config)

    def prepare(self, memory: Tensor) -> Tensor | None:
        return self.attention.project(memory)

    def attend(self, query: Tensor, encoded: EncoderOutput) -> tuple[Tensor, Tensor]:
        """Context (N, M), or the sum (N, R) of `encoded.values`, and weights (N, S) of a query (N, H)."""
        assert encoded.keys is not None
        values = encoded.memory if encoded.values is None else encoded.values
        sentences, length, size = values.shape
        queries = query.view(sentences, -1, query.size(-1))  # (B, Q, H)
        context, weights = self.attention(queries, encoded.keys, values, encoded.padding)
        return context.view(-1, size), weights.view(-1, length)

    def _read(self, unroll: recurrence.Unroll, encoded: EncoderOutput) -> recurrence.Read | None:
        """The attention with its derivative; None where the score has none."""
        assert encoded.keys is not None
        score = self.attention.fast_score(encoded.keys, unroll)
        dtype = recurrence.autocast_dtype(encoded.memory)
        return None if score is None else recurrence.Read(score, encoded.memory, encoded.padding, dtype)
