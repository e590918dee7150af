"""Every arm against its equation, written out for one sentence and one step at a time, in double precision."""

import math

import pytest
import torch
from small_models import ATTENDING, CELLS, batch_of, small_config, small_model
from torch import Tensor

from softalign.models.readout import PointerReadout, Seen

SOURCE, STEPS = 4, 3


def kernel_step(
    kernel, x: Tensor, hidden: Tensor, cell: Tensor | None, scale: Tensor | float = 1.0
) -> tuple[Tensor, Tensor | None]:
    """torch.nn's documented equations of RNN, GRU and LSTM cells, on one vector; x is W_x x + b_x already."""
    u = scale * (kernel.weight_hh_l0 @ hidden + kernel.bias_hh_l0)
    if isinstance(kernel, torch.nn.LSTM):
        i, f, g, o = (x + u).chunk(4)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(cell), cell
    if isinstance(kernel, torch.nn.GRU):
        (x_r, x_z, x_n), (u_r, u_z, u_n) = x.chunk(3), u.chunk(3)
        z = torch.sigmoid(x_z + u_z)
        return (1 - z) * torch.tanh(x_n + torch.sigmoid(x_r + u_r) * u_n) + z * hidden, None
    return torch.tanh(x + u), None


class Arm:
    """A decoder's recurrence as its paper states it, reading the parameters of ours."""

    def __init__(self, model, memory: Tensor, hidden: Tensor, cell: Tensor | None) -> None:
        self.fusion = model.decoder.fusion
        self.kernel = self.fusion.cell.kernel
        self.memory, self.hidden, self.cell = memory, hidden, cell
        self.fed = torch.zeros_like(hidden)
        self.covered = torch.zeros(len(memory)).double()

    def inputs(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        a = self.kernel.weight_ih_l0 @ x + self.kernel.bias_ih_l0
        return a if context is None else a + self.fusion.cell.context.weight @ context

    def move(self, a: Tensor) -> None:
        self.hidden, self.cell = kernel_step(self.kernel, a, self.hidden, self.cell)

    def attend(self, score: str, query: Tensor) -> tuple[Tensor, Tensor]:
        attention = self.fusion.attention
        energies = []
        for i, m in enumerate(self.memory):
            if score == "dot":
                energies.append(query @ m)
            elif score == "general":
                energies.append(query @ attention.key.weight @ m)
            else:
                inside = attention.query.weight @ query + attention.key.weight @ m
                if hasattr(attention, "covered"):
                    inside = inside + attention.covered * self.covered[i]
                energies.append(attention.v @ torch.tanh(inside))
        weights = torch.stack(energies).exp()
        weights = weights / weights.sum()
        self.covered = self.covered + weights
        return sum(w * m for w, m in zip(weights, self.memory, strict=True)), weights

    def step(self, name: str, score: str, x: Tensor) -> tuple[Tensor, Tensor]:
        if name in ("bahdanau", "pointer", "pointer_coverage"):
            context, weights = self.attend(score, self.hidden)
            self.move(self.inputs(x, context))
            return torch.cat([self.hidden, context]), weights
        if name.startswith("gated"):
            context, weights = self.attend(score, self.hidden)
            rest = torch.cat([self.hidden, context])
            z = torch.sigmoid(
                self.fusion.gate_input.weight @ x + self.fusion.gate_input.bias + self.fusion.gate_rest.weight @ rest
            )
            one = torch.ones_like(z)
            p, q = {"gated_source": (one, z), "gated_target": (z, one), "gated_both": (1 - z, z)}[name]
            gates = len(self.kernel.bias_hh_l0) // len(z)
            a = p.repeat(gates) * self.inputs(x) + q.repeat(gates) * (self.fusion.cell.context.weight @ context)
            self.hidden, self.cell = kernel_step(self.kernel, a, self.hidden, self.cell, p.repeat(gates))
            return torch.cat([self.hidden, context]), weights
        if name == "luong_input_feeding":
            self.move(self.inputs(x, self.fed))
        else:
            self.move(self.inputs(x))
        context, weights = self.attend(score, self.hidden)
        if name == "cgru":
            second = self.fusion.second.kernel
            a = second.weight_ih_l0 @ context + second.bias_ih_l0
            self.hidden, self.cell = kernel_step(second, a, self.hidden, self.cell)
            return torch.cat([self.hidden, context]), weights
        joined = torch.cat([context, self.hidden])
        fused = {
            "multiply": lambda: context * self.hidden,
            "multiply_output": lambda: context * self.hidden,
            "multiply_residual": lambda: self.hidden * (1 + context),
            "multiply_gate": lambda: self.hidden / (1 + torch.exp(-self.fusion.gate.weight @ context)),
            "multiply_norm": lambda: normed(context * self.hidden, self.fusion.norm),
            "luong": lambda: torch.tanh(self.fusion.combine.weight @ joined),
            "luong_input_feeding": lambda: torch.tanh(self.fusion.combine.weight @ joined),
            "concat": lambda: torch.tanh(self.fusion.combine.weight @ joined),
        }[name]()
        if name in ("multiply", "multiply_residual", "multiply_gate", "multiply_norm", "concat"):
            self.hidden = fused
        self.fed = fused
        return fused, weights


def normed(x: Tensor, norm) -> Tensor:
    variance = ((x - x.mean()) ** 2).mean()
    return norm.weight * (x - x.mean()) / (variance + norm.eps) ** 0.5 + norm.bias


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("name", ATTENDING)
def test_an_arm_is_its_equation(name, cell):
    model, batch = small_model(name, cell), batch_of((SOURCE - 1, STEPS - 1))
    for norm in (part for part in model.modules() if isinstance(part, torch.nn.LayerNorm)):
        torch.nn.init.normal_(norm.weight)
    score = {torch.nn.Linear: "general"}.get(type(getattr(model.decoder.fusion.attention, "key", None)), "dot")
    score = "additive" if hasattr(model.decoder.fusion.attention, "v") else score
    encoded = model.encode(batch.source, batch.source_lengths)
    state = model.start(encoded)
    embedded = model.decoder.embed(batch.target_in)
    features, weights = model.decoder.unroll(embedded, encoded)
    arm = Arm(model, encoded.memory[0], state.top[0], state.cells[0][0] if state.cells else None)
    for step in range(STEPS):
        expected, expected_weights = arm.step(name, score, embedded[0, step])
        assert torch.allclose(features[0, step], expected)
        assert torch.allclose(weights[0, step], expected_weights)


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
