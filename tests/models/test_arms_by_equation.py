"""Every arm against its equation, written out for one sentence and one step at a time, in double precision: with one
layer and with several, with plain cells and with layer-normalised ones."""

import math

import pytest
import torch
from cell_equations import layer_normalised_step, normalised
from small_models import ARMS, CELLS, SCORES, batch_of, small_config, small_model
from torch import Tensor

from softalign.models.fusion.base import Unrolled
from softalign.models.readout import PointerReadout, Seen

SOURCE, STEPS = 4, 3


def plain_step(kernel, a: Tensor, u: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """torch.nn's documented equations of RNN, GRU and LSTM cells, on one vector; a and u are what comes from the input
    and from the recurrence, biases included."""
    if isinstance(kernel, torch.nn.LSTM):
        i, f, g, o = (a + u).chunk(4)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell), cell
    if isinstance(kernel, torch.nn.GRU):
        (a_r, a_z, a_n), (u_r, u_z, u_n) = a.chunk(3), u.chunk(3)
        z = torch.sigmoid(a_z + u_z)
        return (1 - z) * torch.tanh(a_n + torch.sigmoid(a_r + u_r) * u_n) + z * hidden, None
    return torch.tanh(a + u), None


class Arm:
    """A decoder's recurrence as its paper states it, reading the parameters of ours. Layers are counted from the bottom
    one, 0; the arms' papers have one, and where the others come in is written in our classes."""

    def __init__(
        self, model, layer_norm: bool, memory: Tensor, hidden: list[Tensor], memory_cells: list[Tensor | None]
    ) -> None:
        self.fusion = model.decoder.fusion
        self.layer_norm, self.memory = layer_norm, memory
        self.hidden, self.memory_cells = hidden, memory_cells
        self.fed = torch.zeros_like(hidden[-1])
        self.covered = torch.zeros(len(memory)).double()

    @property
    def top(self) -> Tensor:
        return self.hidden[-1]

    def affine(self, cell, part: str, layer: int, x: Tensor) -> Tensor:
        """W x + b, W and b of the input (ih) or of the recurrence (hh); a layer-normalised cell has no b."""
        product = getattr(cell.kernel, f"weight_{part}_l{layer}") @ x
        return product if self.layer_norm else product + getattr(cell.kernel, f"bias_{part}_l{layer}")

    def transition(
        self, cell, layer: int, a: Tensor, hidden: Tensor, memory_cell: Tensor | None, p: Tensor | float = 1.0
    ) -> tuple[Tensor, Tensor | None]:
        """One layer's new state; p scales what comes from its recurrence."""
        u = p * self.affine(cell, "hh", layer, hidden)
        if self.layer_norm:
            return layer_normalised_step(cell.transitions[layer], a, u, hidden, memory_cell)
        return plain_step(cell.kernel, a, u, hidden, memory_cell)

    def move(self, a: Tensor, p: Tensor | float = 1.0) -> None:
        """Every layer moves: the bottom one from a and its scaled past, each other one from the new state below it."""
        cell = self.fusion.cell
        for layer in range(len(self.hidden)):
            if layer > 0:
                a, p = self.affine(cell, "ih", layer, self.hidden[layer - 1]), 1.0
            before = self.hidden[layer], self.memory_cells[layer]
            self.hidden[layer], self.memory_cells[layer] = self.transition(cell, layer, a, *before, p)

    def attend(self, score: str, query: Tensor) -> tuple[Tensor, Tensor]:
        attention = self.fusion.attention
        energies = []
        for i, m in enumerate(self.memory):
            if score == "dot":
                energies.append(query @ m)
            else:
                inside = attention.query.weight @ query + attention.key.weight @ m
                if hasattr(attention, "covered"):
                    inside = inside + attention.covered * self.covered[i]
                energies.append(attention.v @ torch.tanh(inside))
        weights = torch.stack(energies).exp()
        weights = weights / weights.sum()
        self.covered = self.covered + weights
        return sum(w * m for w, m in zip(weights, self.memory, strict=True)), weights

    def step(self, name: str, score: str | None, x: Tensor) -> tuple[Tensor, Tensor | None]:
        fusion = self.fusion
        a = self.affine(fusion.cell, "ih", 0, x)
        if name in ("bahdanau", "pointer", "pointer_coverage"):
            context, weights = self.attend(score, self.top)
            self.move(a + fusion.cell.context.weight @ context)
            return torch.cat([self.top, context]), weights
        if name.startswith("gated"):
            context, weights = self.attend(score, self.top)
            rest = fusion.gate_rest.weight @ torch.cat([self.top, context])
            z = torch.sigmoid(fusion.gate_input.weight @ x + fusion.gate_input.bias + rest)
            one = torch.ones_like(z)
            p, q = {"gated_source": (one, z), "gated_target": (z, one), "gated_both": (1 - z, z)}[name]
            p, q = p.repeat(len(a) // len(z)), q.repeat(len(a) // len(z))
            self.move(p * a + q * (fusion.cell.context.weight @ context), p)
            return torch.cat([self.top, context]), weights
        if name == "luong_input_feeding":
            a = a + fusion.cell.context.weight @ self.fed
        self.move(a)
        if name == "vanilla":
            return self.top, None
        context, weights = self.attend(score, self.top)
        if name == "cgru":
            entering = self.affine(fusion.second, "ih", 0, context)
            before = self.top, self.memory_cells[-1]
            self.hidden[-1], self.memory_cells[-1] = self.transition(fusion.second, 0, entering, *before)
            return torch.cat([self.top, context]), weights
        joined = torch.cat([context, self.top])
        fused = {
            "multiply": lambda: context * self.top,
            "multiply_output": lambda: context * self.top,
            "multiply_residual": lambda: self.top * (1 + context),
            "multiply_gate": lambda: self.top / (1 + torch.exp(-fusion.gate.weight @ context)),
            "multiply_norm": lambda: normalised(context * self.top, fusion.norm),
            "luong": lambda: torch.tanh(fusion.combine.weight @ joined),
            "luong_input_feeding": lambda: torch.tanh(fusion.combine.weight @ joined),
            "concat": lambda: torch.tanh(fusion.combine.weight @ joined),
        }[name]()
        if name in ("multiply", "multiply_residual", "multiply_gate", "multiply_norm", "concat"):
            self.hidden[-1] = fused
        self.fed = fused
        return fused, weights


@pytest.mark.parametrize("layer_norm", [False, True], ids=["plain", "layer_norm"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ARMS)
@torch.no_grad()
def test_an_arm_is_its_equation(name, cell, layers, layer_norm):
    """All steps at once, and step by step with the states of all layers."""
    model, batch = small_model(name, cell, layers=layers, layer_norm=layer_norm), batch_of((SOURCE - 1, STEPS - 1))
    for norm in (part for part in model.modules() if isinstance(part, torch.nn.LayerNorm)):
        torch.nn.init.normal_(norm.weight)
    encoded = model.encode(batch.source, batch.source_lengths)
    embedded = model.decoder.embed(batch.target_in)
    unrolled = model.decoder.unroll(embedded, encoded)
    state = model.start(encoded)
    memory_cells = [part[0] for part in state.cells] or [None] * layers
    arm = Arm(model, layer_norm, encoded.memory[0], [part[0] for part in state.hidden], memory_cells)
    for step in range(STEPS):
        features, weights = arm.step(name, SCORES.get(name, "dot"), embedded[0, step])
        outcome = model.decoder.step(embedded[:, step], state, encoded)
        state = outcome.state
        assert torch.allclose(unrolled.features[0, step], features)
        assert torch.allclose(outcome.features[0], features)
        for mine, expected in zip(state.hidden, arm.hidden, strict=True):
            assert torch.allclose(mine[0], expected)
        for mine, expected in zip(state.cells, arm.memory_cells if cell == "lstm" else [], strict=True):
            assert torch.allclose(mine[0], expected)
        if weights is None:
            assert unrolled.weights is None and outcome.weights is None
        else:
            assert torch.allclose(unrolled.weights[0, step], weights)
            assert torch.allclose(outcome.weights[0], weights)


def test_the_pointers_mixture_by_hand():
    """p(y) = g P(y) + (1 - g) Σ_{i: x_i = y} α_i, on three source tokens of which two are the same."""
    readout = PointerReadout(small_config("pointer"), 2, 5).double().eval()
    torch.nn.init.zeros_(readout.generate.weight)
    torch.nn.init.constant_(readout.generate.bias, math.log(3))  # g = 3/4
    torch.nn.init.zeros_(readout.output.weight)  # the vocabulary's part is uniform: 1/5 each
    weights = torch.tensor([[0.5, 0.2, 0.3]]).double()
    seen = Seen(torch.randn(1, 2).double(), torch.randn(1, 4).double(), weights, torch.tensor([[4, 3, 4]]))
    expected = torch.tensor([[0.15, 0.15, 0.15, 0.15 + 0.25 * 0.2, 0.15 + 0.25 * 0.8]]).double()
    assert torch.allclose(readout.log_probabilities(seen).exp(), expected)
    for target in range(5):
        ids = torch.tensor([target])
        assert torch.allclose(readout.negative_log_likelihood(seen, ids), -expected[:, target].log())


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_pointers_loss_is_that_of_its_distribution(smoothing):
    model, batch = small_model("pointer"), batch_of((3, 2), (5, 4))
    log_probabilities, _ = model(batch)
    real = batch.target_mask
    nll = -log_probabilities.gather(2, batch.target_out.unsqueeze(2)).squeeze(2)[real].sum()
    summed = model.loss(batch, smoothing)
    assert torch.allclose(summed.nll, nll)
    if not smoothing:
        assert torch.allclose(summed.objective, nll)
    assert torch.allclose(log_probabilities.exp().sum(dim=-1), torch.ones(()).double())


def test_the_pointers_smoothing_is_of_the_vocabularys_part():
    """ε times the cross-entropy from the uniform distribution to softmax(U ... + u), which copies nothing."""
    readout = PointerReadout(small_config("pointer"), 2, 5).double().eval()
    weights = torch.randn(3, 3).double().softmax(dim=-1)
    ids = torch.tensor([[4, 3, 4], [3, 3, 4], [4, 4, 3]])
    seen, targets = Seen(torch.randn(3, 2).double(), torch.randn(3, 4).double(), weights, ids), torch.tensor([4, 2, 3])
    likelihood = readout.negative_log_likelihood(seen, targets).sum()
    uniform = -readout(seen).log_softmax(dim=-1).mean(dim=-1).sum()
    found = readout.loss(seen, None, targets, 0.2)
    assert torch.allclose(found.objective, 0.8 * likelihood + 0.2 * uniform)
    assert torch.allclose(found.nll, likelihood)


def test_coverage_adds_small_weights_up_in_bfloat16_too():
    """To 0.5 bf16 adds no weight below 0.001: hundreds of them would leave the coverage where it was."""
    model, batch = small_model("pointer_coverage").float(), batch_of((3, 2), (5, 4))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        encoded = model.encode(batch.source, batch.source_lengths)
        state = model.decoder.start(encoded)
        for _ in range(2):
            embedded = model.decoder.embed(torch.tensor([1, 1]))
            outcome = model.decoder.fusion.step(model.decoder.fusion.project(embedded), state, encoded)
            assert outcome.state.fed[0].dtype is torch.float32
            state = outcome.state
    small = 2.0**-11  # of which 512 are a quarter
    weights = torch.tensor([0.5, *[small] * 512, 1.0], dtype=torch.bfloat16).view(1, -1, 1)
    found = model.decoder.fusion.penalty(Unrolled(weights, weights), torch.ones(1, weights.size(1), dtype=torch.bool))
    assert math.isclose(float(found), 512 * small + 0.75)


def test_coverage_is_what_was_attended_to_before():
    """With the loss of See et al. 2017, equation 12: the overlap of each step's weights with all earlier ones."""
    model, batch = small_model("pointer_coverage"), batch_of((3, 2), (5, 4))
    encoded = model.encode(batch.source, batch.source_lengths)
    unrolled = model.decoder.unroll(model.decoder.embed(batch.target_in), encoded)
    expected = 0.0
    for row, mask in enumerate(batch.target_mask):
        covered = torch.zeros(encoded.memory.size(1)).double()
        for weights, real in zip(unrolled.weights[row], mask, strict=True):
            if real:
                expected += sum(min(a, c) for a, c in zip(weights.tolist(), covered.tolist(), strict=True))
            covered = covered + weights
    summed = model.loss(batch)
    assert expected > 0 and math.isclose(float(summed.objective.detach() - summed.nll), expected)
