"""The encoder's attention to its own memory, written out for one sentence, and what padding may do."""

import pytest
import torch
from small_models import batch_of, small_model
from torch import nn

from softalign.models.self_attention import SelfAttention

B, S, M = 3, 5, 6
LENGTHS = [5, 3, 1]
MASK = torch.arange(S) < torch.tensor(LENGTHS).unsqueeze(1)


def self_attention(heads: int, dropout: float = 0.0) -> SelfAttention:
    torch.manual_seed(4)
    built = SelfAttention(M, heads, dropout).double()
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.5)
    return built.eval()


@pytest.mark.parametrize("learning", [True, False])  # torch computes them in different code
@pytest.mark.parametrize("heads", [1, 3])
def test_it_is_its_equation(heads, learning):
    ours, memory, size = self_attention(heads), torch.randn(B, S, M).double(), M // heads
    with torch.set_grad_enabled(learning):
        found = ours(memory, MASK)
    attention, norm = ours.attention, ours.norm
    for row, length in enumerate(LENGTHS):
        m = memory[row, :length]
        queries, keys, values = (m @ attention.in_proj_weight.T + attention.in_proj_bias).split(M, dim=1)
        heads_sums = []
        for h in range(heads):
            part = slice(h * size, (h + 1) * size)
            weights = (queries[:, part] @ keys[:, part].T / size**0.5).softmax(dim=1)
            heads_sums.append(weights @ values[:, part])
        total = m + torch.cat(heads_sums, dim=1) @ attention.out_proj.weight.T + attention.out_proj.bias
        centred = total - total.mean(dim=1, keepdim=True)
        standard = centred / (centred.pow(2).mean(dim=1, keepdim=True) + 1e-5).sqrt()
        assert torch.allclose(found[row, :length], standard * norm.weight + norm.bias)
        assert not found[row, length:].any()


def test_what_stands_on_padding_changes_nothing():
    ours, memory = self_attention(2), torch.randn(B, S, M).double()
    other = memory.masked_fill(~MASK.unsqueeze(2), 100.0)
    assert torch.equal(ours(memory, MASK), ours(other, MASK))


def test_gradients_are_those_of_finite_differences():
    ours, memory = self_attention(2), torch.randn(B, S, M).double().requires_grad_()
    parameters = dict(ours.named_parameters())

    def outcome(memory, *given):
        return torch.func.functional_call(ours, dict(zip(parameters, given, strict=True)), (memory, MASK))

    assert torch.autograd.gradcheck(outcome, (memory, *parameters.values()))


def test_dropout_is_for_training_only():
    ours, memory = self_attention(2, dropout=0.5), torch.randn(B, S, M).double()
    assert torch.equal(ours(memory, MASK), ours(memory, MASK))
    ours.train()
    assert not torch.equal(ours(memory, MASK), ours(memory, MASK))


@pytest.mark.parametrize("cell", ["elman", "lstm"])
def test_the_encoder_attends_to_its_memory_and_leaves_its_final_states(cell):
    model = small_model("bahdanau", cell, self_attention=True, heads=2, layers=2)
    plain = small_model("bahdanau", cell, layers=2)
    plain.load_state_dict({name: value for name, value in model.state_dict().items() if "self_attention" not in name})
    batch = batch_of((5, 1), (3, 1), (0, 1))
    attending = model.encode(batch.source, batch.source_lengths)
    recurrent = plain.encode(batch.source, batch.source_lengths)
    assert torch.equal(attending.final, recurrent.final)
    assert torch.allclose(attending.memory, model.encoder.self_attention(recurrent.memory, recurrent.mask))
