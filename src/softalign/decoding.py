"""Beam search for the most likely target, batched over sentences; a beam of one is greedy search.

Notation: B sentences still searched, k beam size, N = B * k, S source length, V target vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from softalign.config import DecodingConfig
from softalign.data.tokenizer import BOS, EOS, PAD
from softalign.models.encoder import EncoderOutput
from softalign.models.options import check_decoding
from softalign.models.seq2seq import Seq2Seq

BLOCK = 64  # columns whose largest value is looked at first: about the square root of candidates a wanted one


@dataclass(frozen=True)
class Hypothesis:
    """The best target that the search found for one source."""

    tokens: list[int]  # without BOS and EOS
    log_probability: float  # log p(tokens EOS | source), nats
    score: float  # what the search ranked it by: log_probability / (len(tokens) + 1) ** length_penalty
    weights: Tensor | None  # (len(tokens) + 1, S) attention, a row per token and one for EOS; None unless asked for


class _Best:
    """The best finished hypothesis of each sentence so far, in the order of the input."""

    def __init__(self, sentences: int, longest: int, device: torch.device) -> None:
        self.tokens = torch.full((sentences, longest), PAD, device=device)
        self.length = torch.zeros(sentences, dtype=torch.int64, device=device)  # tokens, without EOS
        self.log_probability = torch.full((sentences,), -torch.inf, dtype=torch.float64, device=device)
        self.score = torch.full((sentences,), -torch.inf, dtype=torch.float64, device=device)
        self.count = torch.zeros(
            sentences, dtype=torch.int64, device=device
        )  # finished hypotheses, the best and others

    def offer(self, which: Tensor, tokens: Tensor, log_probabilities: Tensor, ended: Tensor, penalty: float) -> None:
        """Hypotheses (B, k) of the sentences `which` (B,), of which `ended` (B, k) have come to EOS after `tokens`.

        The first of equals stays. tokens: (B, k, length).
        """
        length, log_probabilities = tokens.size(-1), log_probabilities.double()
        scores = (log_probabilities / (length + 1) ** penalty).masked_fill(~ended, -torch.inf)
        score, rank = scores.max(dim=1)
        self.count[which] += ended.sum(dim=1)
        better = (score > self.score[which]).nonzero().squeeze(1)
        rank, which = rank[better], which[better]
        self.tokens[which, :length] = tokens[better, rank]
        self.length[which] = length
        self.log_probability[which] = log_probabilities[better, rank]
        self.score[which] = score[better]


@torch.no_grad()
def search(
    model: Seq2Seq, source: Tensor, source_lengths: Tensor, config: DecodingConfig, with_weights: bool = False
) -> list[Hypothesis]:
    """The best hypothesis of each source, in the order given, ranked by log p / length ** length_penalty, EOS counted.

    A hypothesis has at most ratio * source tokens + offset tokens, EOS counted in neither; one that reaches the limit
    is ended by force, so that `log_probability` is always that of a whole sentence. Each step extends the k best
    unfinished hypotheses; those among the k best extensions that end are finished. A sentence is done when k of its
    hypotheses are finished and the best of them ranks no lower than the best unfinished one does so far (k alone would
    be quick to fill with bad early ends, where a model is sure of everything but a few words), or when no unfinished
    one can still overtake the best: log p only falls, and no length divides it by more than the limit does. Equal
    scores are ordered by beam position, then by token id.

    Args: source (B, S) ids with EOS, padded; source_lengths (B,).
    Raises: `UserError` for a configuration that `check_decoding` refuses.
    """
    check_decoding(config)
    training = model.training
    model.eval()
    try:
        encoded = model.encode(source, source_lengths)
        limits = (config.max_length_ratio * (source_lengths - 1).double() + config.max_length_offset).long()
        best = _Best(len(source), int(limits.max()), source.device)
        _run(model, encoded, limits.to(source.device), config, best)
        weights = None
        if with_weights:  # one pass over the winners costs less than keeping the weights of every beam
            first = torch.full((len(source), 1), BOS, device=source.device)
            weights = model.attend(encoded, torch.cat((first, best.tokens[:, : int(best.length.max())]), dim=1))
    finally:
        model.train(training)
    lengths = best.length.tolist()
    return [
        Hypothesis(tokens[:length], log_probability, score, None if weights is None else weights[row, : length + 1])
        for row, (tokens, length, log_probability, score) in enumerate(
            zip(best.tokens.tolist(), lengths, best.log_probability.tolist(), best.score.tolist(), strict=True)
        )
    ]


def greedy(
    model: Seq2Seq, source: Tensor, source_lengths: Tensor, config: DecodingConfig, with_weights: bool = False
) -> list[Hypothesis]:
    """The most likely token at each step, until it is EOS: `search` with a beam of one."""
    return search(model, source, source_lengths, replace(config, beam_size=1), with_weights)


def _run(model: Seq2Seq, encoded: EncoderOutput, limits: Tensor, config: DecodingConfig, best: _Best) -> None:
    """Search all sentences, dropping each from the batch when it is done; the outcome is left in `best`."""
    k, device = config.beam_size, limits.device
    which = torch.arange(len(limits), device=device)  # the sentences still searched, (B,)
    state = model.start(encoded)
    if k > 1:
        encoded = model.decoder.fusion.for_beams(encoded)
    # (B, n, ...): n hypotheses a sentence, at first one, the empty one; BOS, then a column per step
    tokens = torch.full((len(limits), 1, int(limits.max()) + 1), BOS, device=device)
    log_probabilities = torch.zeros(len(limits), 1, device=device)
    for length in range(tokens.size(-1)):
        step, state, _ = model.step(tokens[:, :, length].reshape(-1), state, encoded)
        candidates = step.view(*log_probabilities.shape, -1).add_(log_probabilities.unsqueeze(2))
        candidates[:, :, [PAD, BOS]] = -torch.inf
        full = (limits == length).nonzero()  # at the limit a hypothesis can only end
        candidates[full, :, :EOS] = -torch.inf
        candidates[full, :, EOS + 1 :] = -torch.inf
        values, parents, extensions = best_candidates(candidates, 2 * k)  # of 2k, at most k end
        ends = extensions == EOS
        so_far = tokens[:, :, 1 : length + 1]
        history = so_far.gather(1, parents[:, :k, None].expand(-1, -1, length))
        best.offer(which, history, values[:, :k], ends[:, :k] & values[:, :k].isfinite(), config.length_penalty)
        going_on = ends.byte().sort(dim=1, stable=True).indices[:, :k]
        # A vocabulary smaller than 2k has too few candidates in the first step: those that end fill the places up.
        log_probabilities = values.masked_fill_(ends, -torch.inf).gather(1, going_on)
        likeliest = log_probabilities[:, 0].double()  # as the scores, with which equals must compare as equal
        bound = likeliest / (limits + 1).double() ** config.length_penalty
        enough = (best.count[which] >= k) & (likeliest / (length + 1) ** config.length_penalty <= best.score[which])
        done = enough | (bound <= best.score[which]) | (limits == length)
        left = (~done).nonzero().squeeze(1)
        if len(left) == 0:
            return
        parents, extensions = parents.gather(1, going_on)[left], extensions.gather(1, going_on)[left]
        log_probabilities = log_probabilities[left]
        state = state.select((left.unsqueeze(1) * tokens.size(1) + parents).view(-1))
        tokens = tokens[left].gather(1, parents.unsqueeze(2).expand(-1, -1, tokens.size(-1)))
        tokens[:, :, length + 1] = extensions
        if len(left) < len(which):
            which, limits, encoded = which[left], limits[left], encoded.select(left)


def best_candidates(candidates: Tensor, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """The `count` best of candidates (B, k, V), best first: values, beam positions and tokens, each (B, count).

    Equal ones are ordered by beam position, then by token id.
    """
    flat = candidates.flatten(1)
    values, indices = _largest(flat, min(count + 1, flat.size(1)))
    if values.size(1) > count:  # one more than wanted shows whether the last place is shared: topk picks any of equals
        shared = ((values[:, -1] == values[:, -2]) & values[:, -1].isfinite()).nonzero().squeeze(1)
        values, indices = values[:, :count], indices[:, :count]
        if len(shared) > 0:
            indices[shared] = flat[shared].sort(dim=1, descending=True, stable=True).indices[:, :count]
            values = flat.gather(1, indices)
    indices, by_index = indices.sort(dim=1)
    values, by_value = values.gather(1, by_index).sort(dim=1, descending=True, stable=True)
    indices = indices.gather(1, by_value)
    return values, indices // candidates.size(2), indices % candidates.size(2)


def _largest(rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """`count` largest values of each of rows (B, n), best first, and their columns, each (B, count).

    They all lie in the `count` blocks of columns whose largest values are largest: what a block left out holds is no
    larger than any of those. Finding them takes one quick pass, where topk over everything takes a slow one.
    """
    blocks = rows.size(1) // BLOCK
    if blocks <= count:
        return rows.topk(count, dim=1)
    whole = blocks * BLOCK
    best = rows[:, :whole].unflatten(1, (blocks, BLOCK)).amax(dim=2).topk(count, dim=1, sorted=False).indices
    columns = (best.unsqueeze(2) * BLOCK + torch.arange(BLOCK, device=rows.device)).flatten(1)
    rest = torch.arange(whole, rows.size(1), device=rows.device).expand(len(rows), -1)
    columns = torch.cat((columns, rest), dim=1)
    values, found = rows.gather(1, columns).topk(count, dim=1)
    return values, columns.gather(1, found)
