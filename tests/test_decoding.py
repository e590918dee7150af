"""Search against enumeration, a plain greedy loop, and itself in other batches."""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import ARMS, ARMS_AND_CELLS, FEWER_MODELS, batch_of, small_model
from torch import Tensor

from softalign.config import DecodingConfig
from softalign.data.batching import Batch, collate
from softalign.data.tokenizer import BOS, EOS, PAD
from softalign.decoding import best_candidates, greedy, search
from softalign.errors import UserError
from softalign.models.seq2seq import Seq2Seq

LENGTHS = [(7, 1), (5, 1), (5, 1), (2, 1), (1, 1), (0, 1)]


def lively(model: Seq2Seq, strength: float = 6.0) -> Seq2Seq:
    """With sharper distributions than random weights give, so that hypotheses differ by more than rounding."""
    with torch.no_grad():
        model.decoder.readout.output.weight.mul_(strength)
    return model


def likelihoods(model: Seq2Seq, source: list[int], targets: list[list[int]]) -> list[float]:
    with torch.no_grad():
        return (-model.negative_log_likelihood(collate([(0, source, target) for target in targets]))).tolist()


def sources_of(batch: Batch) -> list[list[int]]:
    return [row[: length - 1].tolist() for row, length in zip(batch.source, batch.source_lengths, strict=True)]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("fusion", ARMS)
def test_a_beam_that_holds_everything_finds_what_enumeration_finds(fusion, penalty):
    model, batch = lively(small_model(fusion, vocabulary=6), 3.0), batch_of((3, 1), (2, 1), (1, 1), vocabulary=6)
    config = DecodingConfig(beam_size=3**4, length_penalty=penalty, max_length_ratio=1.0, max_length_offset=1)
    for source, found in zip(sources_of(batch), search(model, batch.source, batch.source_lengths, config), strict=True):
        targets = [list(target) for n in range(len(source) + 2) for target in itertools.product(range(3, 6), repeat=n)]
        scores = {
            tuple(target): log_p / (len(target) + 1) ** penalty
            for target, log_p in zip(targets, likelihoods(model, source, targets), strict=True)
        }
        best = max(scores, key=scores.__getitem__)
        assert tuple(found.tokens) == best
        assert math.isclose(found.score, scores[best], rel_tol=1e-6)


@pytest.mark.parametrize(("fusion", "cell"), ARMS_AND_CELLS)
def test_a_beam_of_one_is_greedy(fusion, cell):
    model, batch = lively(small_model(fusion, cell)), batch_of(*LENGTHS)
    config = DecodingConfig(beam_size=1, max_length_ratio=1.5, max_length_offset=2)
    for row, found in enumerate(search(model, batch.source, batch.source_lengths, config)):
        length = int(batch.source_lengths[row])
        source = batch.source[row : row + 1, :length]
        encoded = model.encode(source, torch.tensor([length]))
        state, token, tokens = model.start(encoded), BOS, []
        while len(tokens) < int(1.5 * (length - 1) + 2):
            log_probabilities, state, _ = model.step(torch.tensor([token]), state, encoded)
            log_probabilities[:, [PAD, BOS]] = -torch.inf
            token = int(log_probabilities.argmax())
            if token == EOS:
                break
            tokens.append(token)
        assert found.tokens == tokens
    assert greedy(model, batch.source, batch.source_lengths, DecodingConfig(beam_size=7)) == search(
        model, batch.source, batch.source_lengths, DecodingConfig(beam_size=1)
    )


@torch.no_grad()
def slow_search(model: Seq2Seq, source: Tensor, config: DecodingConfig, limit: int, early: bool) -> list[int]:
    """A plain loop over hypotheses as lists; `early`: done when k hypotheses are finished, however they rank."""

    def rank(log_p: float, length: int) -> float:
        return log_p / length**config.length_penalty

    encoded = model.encode(source[None], torch.tensor([len(source)]))
    live, finished = [(0.0, [], model.start(encoded))], []
    for length in range(limit + 1):
        extended = []
        for log_p, tokens, state in live:
            step, after, _ = model.step(torch.tensor([[BOS, *tokens][-1]]), state, encoded)
            following = [EOS] if length == limit else [EOS, *range(EOS + 1, step.size(1))]
            extended += [(log_p + float(step[0, token]), tokens, token, after) for token in following]
        extended.sort(key=lambda one: -one[0])
        ended = [one for one in extended[: config.beam_size] if one[2] == EOS]
        finished += [(rank(log_p, length + 1), tokens) for log_p, tokens, _, _ in ended]
        going_on = [one for one in extended if one[2] != EOS][: config.beam_size]
        live = [(log_p, [*tokens, token], after) for log_p, tokens, token, after in going_on]
        if len(finished) >= config.beam_size and (
            early or not live or rank(live[0][0], length + 1) <= max(score for score, _ in finished)
        ):
            break
    return max(finished, key=lambda one: one[0])[1]


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize(("fusion", "cell"), [("vanilla", "elman"), ("bahdanau", "elman"), ("bahdanau", "lstm")])
def test_bad_early_ends_do_not_stop_the_search(fusion: str, cell: str, penalty: float) -> None:
    """A slow loop finds the same, and would find less on some source if it stopped at k finished hypotheses."""
    model, batch = lively(small_model(fusion, cell)), batch_of(*[(5, 1)] * 12)
    config = DecodingConfig(beam_size=3, length_penalty=penalty, max_length_ratio=1.0, max_length_offset=5)
    with torch.no_grad():
        model.decoder.readout.output.bias[EOS] += 4.5  # an end is likely, and seldom the most likely
    found = [hypothesis.tokens for hypothesis in search(model, batch.source, batch.source_lengths, config)]
    slow, early = (
        [slow_search(model, source, config, 10, early) for source in batch.source] for early in (False, True)
    )
    assert found == slow
    assert found != early or (cell, penalty) != ("elman", 1.0)


@pytest.mark.parametrize(("fusion", "cell", "options"), FEWER_MODELS)
@settings(max_examples=5, deadline=None)
@given(lengths=st.lists(st.integers(0, 8), min_size=1, max_size=6), beam=st.integers(1, 4), penalty=st.floats(0.0, 1.5))
def test_a_batch_of_one_is_a_batch_of_many(fusion, cell, options, lengths, beam, penalty):
    model, batch = lively(small_model(fusion, cell, **options)), batch_of(*[(length, 1) for length in lengths])
    config = DecodingConfig(beam_size=beam, length_penalty=penalty, max_length_ratio=1.0, max_length_offset=3)
    together = search(model, batch.source, batch.source_lengths, config, with_weights=True)
    for row, (source, found) in enumerate(zip(sources_of(batch), together, strict=True)):
        one = collate([(0, source, [])])
        alone = search(model, one.source, one.source_lengths, config, with_weights=True)[0]
        assert found.tokens == alone.tokens
        assert math.isclose(found.score, alone.score, rel_tol=1e-6)
        if alone.weights is not None:
            length = int(batch.source_lengths[row])
            assert torch.allclose(found.weights[:, :length], alone.weights)
            assert not found.weights[:, length:].any()


@pytest.mark.parametrize("fusion", ARMS)
@pytest.mark.parametrize("beam", [1, 4])
def test_log_probability_is_that_of_the_whole_target(fusion, beam):
    model, batch = small_model(fusion), batch_of(*LENGTHS)
    config = DecodingConfig(beam_size=beam, length_penalty=0.7, max_length_ratio=1.0, max_length_offset=2)
    for source, found in zip(sources_of(batch), search(model, batch.source, batch.source_lengths, config), strict=True):
        assert math.isclose(found.log_probability, likelihoods(model, source, [found.tokens])[0], rel_tol=1e-6)
        assert math.isclose(found.score, found.log_probability / (len(found.tokens) + 1) ** 0.7, rel_tol=1e-6)
        assert len(found.tokens) <= len(source) + 2
        assert not {PAD, BOS, EOS} & set(found.tokens)


@pytest.mark.parametrize("fusion", ["multiply", "bahdanau"])
def test_weights_are_those_of_the_teacher_forced_winner(fusion):
    model, batch = small_model(fusion, "gru"), batch_of((5, 1), (2, 1))
    for row, found in enumerate(search(model, batch.source, batch.source_lengths, DecodingConfig(beam_size=3), True)):
        one = collate([(0, sources_of(batch)[row], found.tokens)])
        assert torch.allclose(found.weights[:, : one.source.size(1)], model(one)[1][0])
        assert found.weights.shape == (len(found.tokens) + 1, batch.source.size(1))


def test_weights_come_only_when_asked_for_and_where_there_are_some():
    batch = batch_of((3, 1))
    arguments = (batch.source, batch.source_lengths, DecodingConfig(beam_size=2))
    assert search(small_model("bahdanau"), *arguments)[0].weights is None
    assert search(small_model("vanilla"), *arguments, with_weights=True)[0].weights is None


@pytest.mark.parametrize("fusion", ARMS)
def test_a_wider_beam_seldom_finds_worse(fusion):
    """Without a length penalty more hypotheses may miss a better one only by bad luck; summed over rows they do not."""
    model, batch = lively(small_model(fusion)), batch_of(*LENGTHS)
    totals = [
        sum(found.log_probability for found in search(model, batch.source, batch.source_lengths, config))
        for config in (DecodingConfig(beam_size=k, length_penalty=0.0, max_length_offset=3) for k in (1, 5, 50))
    ]
    assert all(wider >= narrower - 1e-9 for narrower, wider in zip(totals, totals[1:], strict=False))


def test_order_of_equals_is_beam_then_token():
    """All logits equal: of equal scores the smallest token ids win, in every batch."""
    model, batch = small_model("vanilla"), batch_of((3, 1), (2, 1))
    with torch.no_grad():
        for parameter in model.decoder.readout.output.parameters():
            parameter.zero_()
    config = DecodingConfig(beam_size=2, length_penalty=1.0, max_length_ratio=1.0, max_length_offset=0)
    first, second = (search(model, batch.source, batch.source_lengths, config) for _ in range(2))
    assert first == second
    assert [found.tokens for found in first] == [[], []]  # EOS has the smallest id of those that may follow


@pytest.mark.parametrize("width", [5, 64, 700, 1000, 1024])
@pytest.mark.parametrize("values", [3, 50, 10**6])
@pytest.mark.parametrize("beam", [1, 3])
def test_the_best_candidates_are_the_first_of_all_sorted(width, values, beam):
    """Few distinct values: many equals, which a whole stable sort leaves in their order. A third are impossible."""
    generator = torch.Generator().manual_seed(width + values)
    candidates = torch.randint(values, (40, beam, width), generator=generator).float()
    candidates[torch.rand(candidates.shape, generator=generator) < 1 / 3] = -math.inf
    everything = candidates.flatten(1).sort(dim=1, descending=True, stable=True)
    found, beams, tokens = best_candidates(candidates, 2 * beam)
    assert torch.equal(found, everything.values[:, : 2 * beam])
    possible = found.isfinite()
    assert torch.equal((beams * width + tokens)[possible], everything.indices[:, : 2 * beam][possible])


def test_a_model_that_has_diverged_gives_empty_targets_and_no_crash():
    model, batch = small_model("bahdanau"), batch_of((3, 1), (2, 1))
    with torch.no_grad():
        model.decoder.readout.output.bias.fill_(math.nan)
    found = search(model, batch.source, batch.source_lengths, DecodingConfig(beam_size=3))
    assert [hypothesis.tokens for hypothesis in found] == [[], []]
    assert all(hypothesis.log_probability == -math.inf for hypothesis in found)


def test_searching_leaves_the_model_in_training_mode_if_it_was():
    model, batch = small_model("bahdanau", dropout=0.5).train(), batch_of((3, 1))
    config = DecodingConfig(beam_size=2)
    assert search(model, batch.source, batch.source_lengths, config) == search(
        model, batch.source, batch.source_lengths, config
    )
    assert model.training


def test_a_beam_of_zero_is_refused():
    batch = batch_of((3, 1))
    with pytest.raises(UserError, match="decoding.beam_size is 0"):
        search(small_model("vanilla"), batch.source, batch.source_lengths, DecodingConfig(beam_size=0))
