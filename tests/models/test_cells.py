"""Cells against torch's own, which computes the same equations in other code; layer-normalised ones written out."""

import pytest
import torch
from cell_equations import layer_normalised_step
from small_models import CELLS, small_config
from torch import nn

from softalign.models import recurrence
from softalign.models.cells import CELLS as CELL_CLASSES
from softalign.models.cells import Cell, State, recurrent_kernel, recurrent_weight

N, E, C, H = 3, 4, 5, 6
TORCH_CELLS = {"elman": nn.RNNCell, "gru": nn.GRUCell, "lstm": nn.LSTMCell}
KINDS = [("elman", "tanh"), ("elman", "relu"), ("gru", "tanh"), ("lstm", "tanh")]


def cell_of(cell: str, context: int = 0, **options) -> Cell:
    torch.manual_seed(1)
    built = CELL_CLASSES[cell](small_config(cell=cell, hidden_size=H, **options), E, context).double()
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.5)
    return built.eval()


def random_state(cell: str, layers: int = 1) -> State:
    def part() -> tuple[torch.Tensor, ...]:
        return tuple(torch.randn(N, H, dtype=torch.float64) for _ in range(layers))

    return State(part(), part() if cell == "lstm" else ())


@pytest.mark.parametrize("context", [0, C])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_a_step_is_torchs_cell_on_the_input_with_the_context_beside_it(cell, activation, context):
    ours = cell_of(cell, context, activation=activation)
    options = {"nonlinearity": activation} if cell == "elman" else {}
    theirs = TORCH_CELLS[cell](E + context, H, **options).double()
    kernel = ours.kernel
    with torch.no_grad():
        theirs.weight_ih.copy_(torch.cat([kernel.weight_ih_l0] + ([ours.context.weight] if context else []), dim=1))
        theirs.weight_hh.copy_(kernel.weight_hh_l0)
        theirs.bias_ih.copy_(kernel.bias_ih_l0)
        theirs.bias_hh.copy_(kernel.bias_hh_l0)
    x, c, state = torch.randn(N, E).double(), torch.randn(N, context).double(), random_state(cell)
    new = ours(ours.project(x), state, c if context else None)
    before = (state.top, state.cells[0]) if cell == "lstm" else state.top
    expected = theirs(torch.cat([x, c], dim=1), before)
    hidden, memory = expected if cell == "lstm" else (expected, None)
    assert torch.allclose(new.top, hidden)
    if memory is not None:
        assert torch.allclose(new.cells[0], memory)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("context", [0, C])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_a_layer_normalised_step_is_its_equation(cell, activation, context, layers):
    ours = cell_of(cell, context, activation=activation, layers=layers, layer_norm=True)
    state = random_state(cell, layers)
    x, c, kernel = torch.randn(N, E).double(), torch.randn(N, context).double(), ours.kernel
    new = ours(ours.project(x), state, c if context else None)
    for row in range(N):
        from_input = kernel.weight_ih_l0 @ x[row]
        if context:
            from_input = from_input + ours.context.weight @ c[row]
        for layer, transition in enumerate(ours.transitions):
            before, memory = state.hidden[layer][row], state.cells[layer][row] if cell == "lstm" else None
            from_recurrence = getattr(kernel, f"weight_hh_l{layer}") @ before
            hidden, memory = layer_normalised_step(transition, from_input, from_recurrence, before, memory)
            assert torch.allclose(new.hidden[layer][row], hidden)
            assert memory is None or torch.allclose(new.cells[layer][row], memory)
            from_input = kernel.weight_ih_l1 @ hidden if layers > 1 else None


@pytest.mark.parametrize("cell", CELLS)
def test_a_layer_normalised_cell_has_no_use_for_the_size_of_its_matrices(cell):
    """LN(s x) = LN(x) but for the ε: here with W_x and W_h (of an Elman cell's sum both) a thousand times as large."""
    ours, state, x = cell_of(cell, layer_norm=True), random_state(cell), torch.randn(N, E).double()
    before = ours(ours.project(x), state)
    with torch.no_grad():
        ours.kernel.weight_ih_l0.mul_(1000.0)
        ours.kernel.weight_hh_l0.mul_(1000.0)
    after = ours(ours.project(x), state)
    assert torch.allclose(before.top, after.top, atol=1e-4)


def test_a_plain_cell_has_the_parameters_that_it_had():
    assert all(name.startswith("kernel.") for name, _ in cell_of("lstm").named_parameters())
    biases = [name for name, _ in cell_of("gru", layer_norm=True).kernel.named_parameters() if "bias" in name]
    assert biases == []


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_a_whole_sequence_is_its_steps(cell, layers, layer_norm):
    ours, state = cell_of(cell, layers=layers, layer_norm=layer_norm), random_state(cell, layers)
    inputs = torch.randn(N, 7, E).double()
    whole = ours.unroll(inputs, state)
    for step, projected in enumerate(ours.project(inputs).unbind(1)):
        state = ours(projected, state)
        assert torch.allclose(whole[:, step], state.top)


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_a_scale_multiplies_what_the_first_layers_recurrence_gives_to_each_gate(cell, activation, layers, layer_norm):
    """W_h h + b_h scaled row by row is the cell with another W_h and b_h for each row."""
    ours = cell_of(cell, C, activation=activation, layers=layers, layer_norm=layer_norm)
    state = random_state(cell, layers)
    x, c, scale = torch.randn(N, E).double(), torch.randn(N, C).double(), torch.rand(N, H).double()
    found = ours(ours.project(x), state, c, scale)
    scaled = [weight for weight in recurrent_weight(ours.kernel, type(ours)) if weight is not None]
    originals = [weight.detach().clone() for weight in scaled]
    for row in range(N):
        projected, one = ours.project(x[row : row + 1]), state.select(torch.tensor([row]))
        with torch.no_grad():
            for weight, original in zip(scaled, originals, strict=True):
                weight.copy_(torch.einsum("g,g...->g...", scale[row].tile(ours.gates), original))
        expected = ours(projected, one, c[row : row + 1])
        with torch.no_grad():
            for weight, original in zip(scaled, originals, strict=True):
                weight.copy_(original)
        for mine, other in zip(found.hidden + found.cells, expected.hidden + expected.cells, strict=True):
            assert torch.allclose(mine[row], other[0])


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_steps_that_share_their_gradients_are_the_plain_ones(cell, activation, scaled, layer_norm):
    ours = cell_of(cell, C, activation=activation, layers=2, layer_norm=layer_norm)
    start = random_state(cell, layers=2)
    inputs, contexts = torch.randn(5, N, E).double(), torch.randn(5, N, C).double()
    scales = torch.rand(5, N, H).double().requires_grad_()

    def outcome() -> list[torch.Tensor]:
        state = start
        for projected, context, scale in zip(ours.project(inputs), contexts, scales, strict=True):
            state = ours(projected, state, context, scale if scaled else None)
        tensors = [*ours.parameters(), scales] if scaled else list(ours.parameters())
        return [state.top, *torch.autograd.grad(state.top.pow(2).sum(), tensors)]

    plain = outcome()
    with recurrence.unrolling():
        shared = outcome()
    for mine, other in zip(shared, plain, strict=True):
        assert torch.allclose(mine, other, atol=1e-10)


class Step(nn.Module):
    """A step from the input itself, as a module, so that its parameters can be handed in."""

    def __init__(self, cell: Cell) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x, state, context, scale) -> tuple[torch.Tensor, ...]:
        after = self.cell(self.cell.project(x), state, context, scale)
        return after.hidden + after.cells


@pytest.mark.parametrize("layer_norm", [False, True])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_gradients_of_a_step_are_those_of_finite_differences(cell, activation, scaled, layer_norm):
    step = Step(cell_of(cell, C, activation=activation, layer_norm=layer_norm))
    state = random_state(cell)
    inputs = [torch.randn(N, E), torch.randn(N, C), torch.rand(N, H), *state.hidden, *state.cells]
    names, parameters = zip(*step.named_parameters(), strict=True)

    def outcome(x, context, scale, hidden, *rest):
        before = State((hidden,), rest[: len(state.cells)])
        given = dict(zip(names, rest[len(state.cells) :], strict=True))
        return torch.func.functional_call(step, given, (x, before, context, scale if scaled else None))

    variables = [part.detach().double().requires_grad_() for part in (*inputs, *parameters)]
    assert torch.autograd.gradcheck(outcome, variables)


@pytest.mark.parametrize("cell", CELLS)
def test_recurrent_matrices_start_orthogonal(cell):
    kernel = recurrent_kernel(small_config(cell=cell), E, H, layers=2)
    for layer in range(2):
        for gate in getattr(kernel, f"weight_hh_l{layer}").detach().chunk(CELL_CLASSES[cell].gates):
            assert torch.allclose(gate @ gate.T, torch.eye(H), atol=1e-5)


def test_the_lstm_starts_by_remembering():
    kernel = recurrent_kernel(small_config(cell="lstm"), E, H, layers=1)
    bias = (kernel.bias_ih_l0 + kernel.bias_hh_l0).tolist()
    assert bias == [0.0] * H + [1.0] * H + [0.0] * 2 * H


def test_the_layer_normalised_lstm_starts_by_remembering_too():
    cell = CELL_CLASSES["lstm"](small_config(cell="lstm", hidden_size=H, layer_norm=True), E)
    assert cell.transitions[0].norm.bias.tolist() == [0.0] * H + [1.0] * H + [0.0] * 2 * H
    assert cell.transitions[0].norm_recurrent.bias is None


def test_a_state_selects_rows_of_all_its_parts():
    state = State(*((torch.arange(12.0).view(3, 4) + part,) for part in (0, 100, 200)))
    chosen = state.select(torch.tensor([2, 0, 2]))
    assert chosen.hidden[0][:, 0].tolist() == [8, 0, 8]
    assert chosen.cells[0][:, 0].tolist() == [108, 100, 108]
    assert chosen.fed[0][:, 0].tolist() == [208, 200, 208]


def test_replacing_the_top_leaves_the_layers_below_and_the_memory_cells():
    state = random_state("lstm", layers=2)
    new = state.with_top(torch.zeros(N, H))
    assert new.hidden[0] is state.hidden[0] and new.cells is state.cells and not new.top.any()
