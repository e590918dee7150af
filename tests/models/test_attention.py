"""Attention: scores against their equations written out position by position, and what padding may do."""

import math
from contextlib import nullcontext

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import small_config
from torch import nn

from softalign.models import recurrence
from softalign.models.attention import SCORES, Attention, MultiHead, build_attention

B, Q, S, H, A, HEADS = 2, 3, 4, 6, 5, 2


def attention_of(score: str, memory_size: int = H) -> Attention:
    torch.manual_seed(2)
    heads = HEADS if score == "multi_head" else 1
    config = small_config(score=score, hidden_size=H, encoder_size=memory_size, attention_size=A, heads=heads)
    return build_attention(config).double()


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
    if score == "uniform":
        return torch.zeros((), dtype=q.dtype)
    return attention.position.weight[i] @ q  # location


@pytest.mark.parametrize("score", [score for score in SCORES if score != "multi_head"])
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


@pytest.mark.parametrize("memory_size", [4, H, 8])
@pytest.mark.parametrize("heads", [1, 2])
def test_every_head_is_a_scaled_dot_product_of_its_own(heads, memory_size):
    torch.manual_seed(3)
    attention = MultiHead(H, memory_size, None, heads).double()
    query, memory = torch.randn(B, Q, H).double(), torch.randn(B, S, memory_size).double()
    lengths, size = [4, 2], memory_size // heads
    context, weights = attention(query, attention.project(memory), memory, padding_of(lengths, S))
    assert context.shape == (B, Q, memory_size)
    for b in range(B):
        for j in range(Q):
            sums, alphas = [], []
            for h in range(heads):
                part = slice(h * size, (h + 1) * size)
                q = attention.query.weight[part] @ query[b, j]
                keys = [attention.key.weight[part] @ memory[b, i] for i in range(lengths[b])]
                alpha = torch.stack([(q * k).sum() / size**0.5 for k in keys]).softmax(dim=0)
                values = [attention.value.weight[part] @ memory[b, i] for i in range(lengths[b])]
                sums.append(sum(a * v for a, v in zip(alpha, values, strict=True)))
                alphas.append(alpha)
            assert torch.allclose(context[b, j], attention.output.weight @ torch.cat(sums))
            assert torch.allclose(weights[b, j, : lengths[b]], sum(alphas) / heads)


def test_several_heads_are_torchs_multi_head_attention():
    ours = attention_of("multi_head")
    theirs = nn.MultiheadAttention(H, HEADS, bias=False, batch_first=True).double()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.out_proj.weight.copy_(ours.output.weight)
    query, memory, padding = torch.randn(B, Q, H).double(), torch.randn(B, S, H).double(), padding_of([4, 2], S)
    expected = theirs(query, memory, memory, key_padding_mask=padding.squeeze(1) < 0)
    for mine, other in zip(ours(query, ours.project(memory), memory, padding), expected, strict=True):
        assert torch.allclose(mine, other)


class Reading(nn.Module):
    """An attention with its keys made anew, as a module, so that its parameters can be handed in."""

    def __init__(self, attention: Attention) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, query, memory, padding) -> tuple[torch.Tensor, torch.Tensor]:
        return self.attention(query, self.attention.project(memory), memory, padding)


@pytest.mark.parametrize(("queries", "context"), [(1, recurrence.unrolling), (1, nullcontext), (Q, nullcontext)])
@pytest.mark.parametrize("score", SCORES)
def test_gradients_are_those_of_finite_differences(score, queries, context):
    reading, padding = Reading(attention_of(score)), padding_of([4, 2], S)
    parameters = dict(reading.named_parameters())

    def outcome(query, memory, *given):
        with context():
            given = dict(zip(parameters, given, strict=True))
            return torch.func.functional_call(reading, given, (query, memory, padding))

    inputs = torch.randn(B, queries, H), torch.randn(B, S, H), *parameters.values()
    assert torch.autograd.gradcheck(outcome, [part.detach().double().requires_grad_() for part in inputs])


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
