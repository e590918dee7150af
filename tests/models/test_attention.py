"""Attention: scores against their equations written out position by position, and what padding may do."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.models.attention import SCORES, Attention

B, Q, S, H, A = 2, 3, 4, 6, 5


def attention_of(score: str, memory_size: int = H) -> Attention:
    torch.manual_seed(2)
    return SCORES[score](H, memory_size, A).double()


def padding_of(lengths: list[int], longest: int) -> torch.Tensor:
    mask = torch.arange(longest) < torch.tensor(lengths).unsqueeze(1)
    return torch.zeros(len(lengths), 1, longest).double().masked_fill(~mask.unsqueeze(1), -math.inf)


def test_by_hand():
    """q = (ln 3, 0) scores m_1 = (1, 0) with ln 3 and m_2 = (0, 1) with 0: weights 3/4 and 1/4; m_3 is padding."""
    memory = torch.tensor([[[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]])
    query = torch.tensor([[[math.log(3.0), 0.0]]])
    padding = torch.tensor([[[0.0, 0.0, -math.inf]]])
    context, weights = SCORES["dot"](2, 2, None)(query, memory, memory, padding)
    assert torch.allclose(weights, torch.tensor([[[0.75, 0.25, 0.0]]]))
    assert torch.allclose(context, torch.tensor([[[0.75, 0.25]]]))


def score_written_out(attention: Attention, score: str, q: torch.Tensor, m: torch.Tensor, i: int) -> torch.Tensor:
    if score == "dot":
        return (q * m).sum()
    if score == "scaled_dot":
        return (q * m).sum() / len(q) ** 0.5
    if score == "general":
        return q @ attention.key.weight @ m
    if score == "additive":
        return attention.v @ torch.tanh(attention.query.weight @ q + attention.key.weight @ m)
    return attention.position.weight[i] @ q  # location


@pytest.mark.parametrize("score", SCORES)
def test_every_score_is_its_equation(score):
    size = H if score in ("dot", "scaled_dot") else H + 1
    attention = attention_of(score, size)
    query, memory = torch.randn(B, Q, H).double(), torch.randn(B, S, size).double()
    lengths = [4, 2]
    context, weights = attention(query, attention.project(memory), memory, padding_of(lengths, S))
    for b in range(B):
        for j in range(Q):
            energies = [score_written_out(attention, score, query[b, j], memory[b, i], i) for i in range(lengths[b])]
            alpha = torch.stack(energies).softmax(dim=0)
            assert torch.allclose(weights[b, j, : lengths[b]], alpha)
            assert torch.allclose(context[b, j], sum(alpha[i] * memory[b, i] for i in range(lengths[b])))


@pytest.mark.parametrize("score", SCORES)
@settings(max_examples=25, deadline=None)
@given(lengths=st.lists(st.integers(1, 8), min_size=1, max_size=4), extra=st.integers(0, 3), seed=st.integers(0, 99))
def test_padding_gets_a_weight_of_exactly_zero_and_changes_nothing(score, lengths, extra, seed):
    torch.manual_seed(seed)
    attention, longest = attention_of(score), max(lengths) + extra
    query, memory = torch.randn(len(lengths), 1, H).double(), 5 * torch.randn(len(lengths), longest, H).double()
    context, weights = attention(query, attention.project(memory), memory, padding_of(lengths, longest))
    assert torch.allclose(weights.sum(dim=-1), torch.ones(len(lengths), 1).double())
    for row, length in enumerate(lengths):
        assert (weights[row, :, length:] == 0.0).all()
        one, short = slice(row, row + 1), memory[row : row + 1, :length]
        alone, _ = attention(query[one], attention.project(short), short, padding_of([length], length))
        assert torch.allclose(context[one], alone)


def test_location_leaves_the_positions_that_it_has_no_row_for():
    attention, length = attention_of("location"), A + 3
    memory = torch.randn(1, length, H).double()
    _, weights = attention(torch.randn(1, 1, H).double(), memory, memory, padding_of([length], length))
    assert (weights[0, 0, A:] == 0.0).all() and (weights[0, 0, :A] > 0.0).all()


@pytest.mark.parametrize("score", SCORES)
def test_nothing_is_remembered_between_calls(score):
    attention = attention_of(score)
    query, memory = torch.randn(B, 1, H).double(), torch.randn(B, S, H).double()
    arguments = (query, attention.project(memory), memory, padding_of([4, 3], S))
    before = set(vars(attention))
    first, _ = attention(*arguments)
    attention(torch.randn_like(query), *arguments[1:])
    again, _ = attention(*arguments)
    assert torch.equal(first, again) and set(vars(attention)) == before
