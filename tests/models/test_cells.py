"""Cells against torch's own, which computes the same equations in other code."""

import pytest
import torch
from small_models import CELLS, small_config
from torch import nn

from softalign.models import recurrence
from softalign.models.cells import CELLS as CELL_CLASSES
from softalign.models.cells import Cell, State, recurrent_kernel

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


@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_a_whole_sequence_is_its_steps(cell, layers):
    ours, state = cell_of(cell, layers=layers), random_state(cell, layers)
    inputs = torch.randn(N, 7, E).double()
    whole = ours.unroll(inputs, state)
    for step, projected in enumerate(ours.project(inputs).unbind(1)):
        state = ours(projected, state)
        assert torch.allclose(whole[:, step], state.top)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_a_scale_multiplies_what_the_first_layers_recurrence_gives_to_each_gate(cell, activation, layers):
    """W_h h + b_h scaled row by row is the cell with another W_h and b_h for each row."""
    ours, state = cell_of(cell, C, activation=activation, layers=layers), random_state(cell, layers)
    x, c, scale = torch.randn(N, E).double(), torch.randn(N, C).double(), torch.rand(N, H).double()
    found = ours(ours.project(x), state, c, scale)
    weight, bias = ours.kernel.weight_hh_l0, ours.kernel.bias_hh_l0
    original = weight.detach().clone(), bias.detach().clone()
    for row in range(N):
        projected, one = ours.project(x[row : row + 1]), state.select(torch.tensor([row]))
        with torch.no_grad():
            weight.mul_(scale[row].tile(ours.gates).unsqueeze(1))
            if not ours.recurrent_bias_joins:
                bias.mul_(scale[row].tile(ours.gates))
        expected = ours(projected, one, c[row : row + 1])
        with torch.no_grad():
            weight.copy_(original[0])
            bias.copy_(original[1])
        for mine, other in zip(found.hidden + found.cells, expected.hidden + expected.cells, strict=True):
            assert torch.allclose(mine[row], other[0])


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_steps_that_share_their_gradients_are_the_plain_ones(cell, activation, scaled):
    ours, start = cell_of(cell, C, activation=activation, layers=2), random_state(cell, layers=2)
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


@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize(("cell", "activation"), KINDS)
def test_gradients_of_a_step_are_those_of_finite_differences(cell, activation, scaled):
    step, state = Step(cell_of(cell, C, activation=activation)), random_state(cell)
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
