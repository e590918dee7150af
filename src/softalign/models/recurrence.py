"""The fast path of a decoder's recurrence: what autograd would do at every step, done once after the last one.

A step of a recurrence is small, and a loop of them in plain autograd spends most of its time on weight gradients (one
thin product and one addition to the whole matrix per step) and on bookkeeping. Within `unrolling()` instead

- an attention is one node of the graph per step, a layer of a cell is one node per step, each with its derivative
  written out beside its equation;
- their backward passes compute what the step before needs and only note down what the shared tensors need: weights,
  keys and memory get their gradients from one product over all steps, when every step has been gone through;
- tanh x is computed as 2 σ(2x) - 1, since torch's tanh takes several times as long as its σ on a CPU.

What has no equation here runs in plain autograd in the same loop, so that a new arm needs none. `linear` is for an
arm's own matrices. Where an arm gives its step's derivative too (`Loop`), the whole loop is one node. Outside
`unrolling()` cells and attentions compute step by step in plain autograd: the reference.

Notation: B batch, S source length, T steps, H hidden size, M memory size, K key size, A attention size, G gates of a
cell; `to_x` is the gradient of x. The state may have leading dimensions (directions of an encoder), as weights then do.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from functools import cached_property
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from softalign.models.packed import Packed, packed

MINUS_ONE = torch.tensor(-1.0)
LARGEST_EXPONENT = 86.0  # e^86 and e^-86 are normal numbers in float32 and bfloat16


# Gradients that are made once ---------------------------------------------------------------------------------------


class _Collect(torch.autograd.Function):
    """The entry of shared tensors into a loop. The nodes of all steps depend on its output, an empty anchor, so that
    its backward pass runs after theirs."""

    @staticmethod
    def forward(ctx: Any, collect: weakref.WeakMethod, *tensors: Tensor) -> Tensor:
        ctx.set_materialize_grads(False)
        ctx.collect = collect
        return tensors[0].new_empty(0)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, _: Tensor | None) -> tuple[Tensor | None, ...]:
        return None, *ctx.collect()()


class Shared:
    """Tensors that every step reads, with what the steps noted down about their gradients."""

    def __init__(self, *tensors: Tensor) -> None:
        self._notes: list[tuple[Any, ...]] = []
        self._pass = -1
        # The nodes of the steps own this object; the collecting node, which it owns, must not own it in turn.
        self.anchor: Tensor = _Collect.apply(weakref.WeakMethod(self.collect), *tensors)

    def note(self, *parts: Any) -> None:
        """Keep a step's part of the gradients, tensors or what computes them, until all steps are through."""
        self._notes_of_this_pass().append(parts)

    def add(self, *tensors: Tensor) -> None:
        """The same for parts as large as the whole: they are summed at once, in the tensors of the first call."""
        notes = self._notes_of_this_pass()
        if not notes:
            notes.append(tensors)
            return
        for total, part in zip(notes[0], tensors, strict=True):
            total.add_(part)

    def _notes_of_this_pass(self) -> list[tuple[Any, ...]]:
        current = torch._C._current_graph_task_id()
        if current != self._pass:  # an earlier backward pass may have stopped short of this tensor
            self._pass, self._notes = current, []
        return self._notes

    def collect(self) -> tuple[Tensor | None, ...]:
        """The gradients of the tensors; the notes are used up."""
        notes, self._notes = self._notes, []
        return self.gradients(list(zip(*notes, strict=True))) if notes else (None,) * self.count

    count = 1  # of tensors

    def gradients(self, notes: list[tuple[Any, ...]]) -> tuple[Tensor | None, ...]:
        """The gradients of the tensors from the notes of all steps, one tuple for each noted quantity."""
        raise NotImplementedError


class Weight(Shared):
    """W (O, I) and, if given, a bias b (O,): y_t = W x_t + b. ∂W = Σ_t to_y_t^T x_t, ∂b = Σ_t to_y_t."""

    def __init__(self, weight: Tensor, bias: Tensor | None = None, dtype: torch.dtype | None = None) -> None:
        self.count = 1 if bias is None else 2
        self.value = weight.detach().to(dtype or weight.dtype)
        self.bias = None if bias is None else bias.detach().to(self.value.dtype).unsqueeze(-2)
        # scale * W, each packed once for all steps, which is made up for after two or three of them.
        self._packed: dict[float, Packed | None] = {}
        super().__init__(weight) if bias is None else super().__init__(weight, bias)

    def add_to(self, other: Tensor, inputs: Tensor, other_scale: float = 1.0, scale: float = 1.0) -> Tensor:
        """other_scale * other + scale * W x for x (..., N, I)."""
        matrix = self._scaled(scale)
        if matrix is None:
            multiply = torch.addmm if inputs.dim() == 2 else torch.baddbmm
            return multiply(other, inputs, self.transposed, beta=other_scale, alpha=scale)
        if other_scale == 0.0:
            return matrix(inputs)
        return matrix.add_to(other if other_scale == 1.0 else other * other_scale, inputs)

    def apply(self, inputs: Tensor) -> Tensor:
        """W x + b for x (..., N, I)."""
        matrix = self._scaled(1.0)
        if matrix is not None:
            return matrix(inputs, None if self.bias is None else self.bias.squeeze(-2))
        if self.bias is None:
            return torch.matmul(inputs, self.transposed)
        return self.add_to(self.bias, inputs)

    def backward(self, inputs: Tensor, to_outputs: Tensor) -> Tensor:
        """to_x; the rest is noted down."""
        self.note(inputs, to_outputs)
        return torch.matmul(to_outputs, self.value) if self._backwards is None else self._backwards(to_outputs)

    def _scaled(self, scale: float) -> Packed | None:
        """scale * W, packed, where that is quicker."""
        if scale not in self._packed:
            self._packed[scale] = packed(self.value, scale)
        return self._packed[scale]

    @cached_property
    def transposed(self) -> Tensor:
        """(..., I, O), in memory so."""
        return self.value.transpose(-1, -2).contiguous()

    @cached_property
    def _backwards(self) -> Packed | None:
        return packed(self.value.t()) if self.value.dim() == 2 else None

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        inputs, to_outputs = (torch.cat(part, dim=-2) for part in notes)
        to_weight = torch.matmul(to_outputs.transpose(-1, -2), inputs)
        return (to_weight,) if self.bias is None else (to_weight, to_outputs.sum(dim=-2))


class _Linear(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Weight, inputs: Tensor, anchor: Tensor) -> Tensor:
        inputs = inputs.to(weight.value.dtype)
        ctx.weight = weight
        ctx.save_for_backward(inputs)
        return weight.apply(inputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        (inputs,) = ctx.saved_tensors
        return None, ctx.weight.backward(inputs, to_outputs), None


# Cells: one layer, one step -----------------------------------------------------------------------------------------


def tanh_of_half_(doubled: Tensor) -> Tensor:
    """tanh(x) = 2 σ(2x) - 1 in the place of 2x."""
    return torch.add(MINUS_ONE, doubled.sigmoid_(), alpha=2.0, out=doubled)


class Layer:
    """One layer of a cell from a = W_x x + W_c c + b (..., N, G*H) and the old state, and the derivative of that."""

    carries_cell = False
    n_kept = 1  # tensors that `forward` keeps for `backward`

    def __init__(
        self, recurrent: Weight, context: Weight | None = None, inputs: Weight | None = None, relu: bool = False
    ) -> None:
        self.inputs = inputs  # W_x, where x is not known before the loop: the layer below's
        self.recurrent = recurrent
        self.context = context
        self.relu = relu
        self.anchors = [weight.anchor for weight in (recurrent, context) if weight is not None]

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        """h_t, c_t (or None), and tensors to keep."""
        raise NotImplementedError

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """The gradients of a, h_{t-1} and c_{t-1} from those of h_t and c_t."""
        raise NotImplementedError


class ElmanLayer(Layer):
    """h_t = f(a + W_h h_{t-1}), f tanh or ReLU."""

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        if self.relu:
            after = self.recurrent.add_to(gates, hidden).relu_()
        else:
            after = tanh_of_half_(self.recurrent.add_to(gates, hidden, 2.0, 2.0))
        return after, None, [after]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        (after,) = kept
        if self.relu:
            to_gates = torch.ops.aten.threshold_backward(to_hidden, after, 0)
        else:
            to_gates = torch.ops.aten.tanh_backward(to_hidden, after)
        return to_gates, self.recurrent.backward(hidden, to_gates), None


class GRULayer(Layer):
    """r, z = σ(a_rz + u_rz), n = tanh(a_n + r ⊙ u_n), h_t = n + z ⊙ (h_{t-1} - n), where u = W_h h_{t-1} + b_h."""

    n_kept = 3

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        size = hidden.size(-1)
        recurrent = self.recurrent.apply(hidden)
        gates_n, recurrent_n = gates[..., 2 * size :], recurrent[..., 2 * size :]
        opened = torch.add(gates[..., : 2 * size], recurrent[..., : 2 * size]).sigmoid_()
        reset, update = opened[..., :size], opened[..., size:]
        candidate = tanh_of_half_(torch.addcmul(gates_n, reset, recurrent_n).mul_(2.0))
        return torch.lerp(candidate, hidden, update), None, [opened, candidate, recurrent_n]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        opened, candidate, recurrent_n = kept
        size = hidden.size(-1)
        reset, update = opened[..., :size], opened[..., size:]
        to_gates = opened.new_empty(*opened.shape[:-1], 3 * size)
        to_opened, to_n = to_gates[..., : 2 * size], to_gates[..., 2 * size :]
        kept_part = to_hidden * update
        torch.sub(to_hidden, kept_part, out=to_n)
        torch.ops.aten.tanh_backward.grad_input(to_n, candidate, grad_input=to_n)
        torch.mul(to_n, recurrent_n, out=to_opened[..., :size])
        torch.mul(to_hidden, hidden - candidate, out=to_opened[..., size:])
        torch.ops.aten.sigmoid_backward.grad_input(to_opened, opened, grad_input=to_opened)
        to_recurrent = to_gates.clone()
        to_recurrent[..., 2 * size :] *= reset
        return to_gates, self.recurrent.backward(hidden, to_recurrent).add_(kept_part), None


class LSTMLayer(Layer):
    """i, f, o = σ(·), g = tanh(·) of a + W_h h_{t-1}; c_t = f ⊙ c_{t-1} + i ⊙ g, h_t = o ⊙ tanh(c_t)."""

    carries_cell = True
    n_kept = 2

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor | None, list[Tensor]]:
        assert cell is not None
        gates = self.recurrent.add_to(gates, hidden)
        enter, keep, new, leave = gates.chunk(4, dim=-1)
        new.mul_(2.0)
        gates.sigmoid_()
        new.mul_(2.0).sub_(1.0)
        after = torch.mul(enter, new).addcmul_(keep, cell)
        squashed = tanh_of_half_(after * 2.0)
        return leave * squashed, after, [gates, squashed]

    def backward(
        self, to_hidden: Tensor, to_cell: Tensor | None, hidden: Tensor, cell: Tensor | None, kept: list[Tensor]
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        gates, squashed = kept
        assert cell is not None
        enter, keep, new, leave = gates.chunk(4, dim=-1)
        to_gates = torch.empty_like(gates)
        to_enter, to_keep, to_new, to_leave = to_gates.chunk(4, dim=-1)
        through = torch.ops.aten.tanh_backward(to_hidden * leave, squashed)
        to_after = through if to_cell is None else through.add_(to_cell)
        torch.mul(to_after, new, out=to_enter)
        torch.mul(to_after, cell, out=to_keep)
        torch.mul(to_hidden, squashed, out=to_leave)
        new_gradient = torch.ops.aten.tanh_backward(to_after * enter, new)
        torch.ops.aten.sigmoid_backward.grad_input(to_gates, gates, grad_input=to_gates)
        to_new.copy_(new_gradient)
        return to_gates, self.recurrent.backward(hidden, to_gates), to_after * keep


class _Advance(torch.autograd.Function):
    """(h_t, c_t) of one layer; the gradients of W_x x_t + b, the context, and the old state."""

    @staticmethod
    def forward(
        ctx: Any,
        layer: Layer,
        gates: Tensor,
        context: Tensor | None,
        hidden: Tensor,
        cell: Tensor | None,
        *anchors: Tensor,
    ) -> tuple[Tensor, Tensor | None]:
        ctx.set_materialize_grads(False)
        dtype = layer.recurrent.value.dtype
        gates, hidden = gates.to(dtype), hidden.to(dtype)
        if layer.context is not None and context is not None:
            context = context.to(dtype)
            gates = layer.context.add_to(gates, context)
        cell = None if cell is None else cell.to(dtype)
        after, cell_after, kept = layer.forward(gates, hidden, cell)
        ctx.layer = layer
        ctx.save_for_backward(context, hidden, cell, *kept)
        return after, cell_after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_hidden: Tensor | None, to_cell: Tensor | None) -> tuple[Tensor | None, ...]:
        layer: Layer = ctx.layer
        context, hidden, cell, *kept = ctx.saved_tensors
        if to_hidden is None:
            to_hidden = torch.zeros_like(hidden)
        to_gates, to_hidden, to_cell = layer.backward(to_hidden, to_cell, hidden, cell, kept)
        to_context = None
        if layer.context is not None and context is not None:
            to_context = layer.context.backward(context, to_gates)
        return None, to_gates, to_context, to_hidden, to_cell, *[None] * len(layer.anchors)


class _Sequence(torch.autograd.Function):
    """The hidden states (T, ..., N, H) of one layer over known gates (T, ..., N, G*H): back through time by hand."""

    @staticmethod
    def forward(
        ctx: Any,
        layer_class: type[Layer],
        relu: bool,
        dtype: torch.dtype | None,
        gates: Tensor,
        hidden: Tensor,
        cell: Tensor | None,
        weight: Tensor,
        bias: Tensor | None,
    ) -> Tensor:
        layer = layer_class(Weight(weight, bias, dtype), relu=relu)
        dtype = layer.recurrent.value.dtype
        hidden, cell = hidden.to(dtype), None if cell is None else cell.to(dtype)
        start, keeps, cells, states = hidden, [], [cell], []
        learning = any(ctx.needs_input_grad)
        for gates_t in gates.to(dtype).unbind(0):
            hidden, cell, kept = layer.forward(gates_t, hidden, cell)
            states.append(hidden)
            if learning:
                keeps.append(kept)
                cells.append(cell)
        outputs = torch.stack(states)
        ctx.layer = layer
        ctx.save_for_backward(start, outputs, *cells[:-1], *(tensor for kept in keeps for tensor in kept))
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_outputs: Tensor) -> tuple[Tensor | None, ...]:
        start, outputs, *rest = ctx.saved_tensors
        steps, layer = outputs.size(0), ctx.layer
        cells, kept = rest[:steps], rest[steps:]
        befores = (start, *outputs.unbind(0)[:-1])
        to_gates: list[Tensor] = []
        to_hidden, to_cell = None, None
        for step in range(steps - 1, -1, -1):
            to_hidden = to_outputs[step] if to_hidden is None else to_hidden.add_(to_outputs[step])
            kept_here = kept[step * layer.n_kept : (step + 1) * layer.n_kept]
            to_gate, to_hidden, to_cell = layer.backward(to_hidden, to_cell, befores[step], cells[step], kept_here)
            to_gates.append(to_gate)
        to_weight, *to_bias = layer.recurrent.collect()
        to_gates.reverse()
        return None, None, None, torch.stack(to_gates), to_hidden, to_cell, to_weight, to_bias[0] if to_bias else None


def sequence(
    layer_class: type[Layer],
    gates: Tensor,
    hidden: Tensor,
    cell: Tensor | None,
    weight: Tensor,
    bias: Tensor | None,
    relu: bool = False,
) -> Tensor:
    """Hidden states (T, ..., N, H) of one layer from W_x x_t + b (T, ..., N, G*H), the first state (..., N, H), W_h
    (..., G*H, H) and a bias that stays with it (..., G*H)."""
    dtype = autocast_dtype(gates)
    with without_autocast(gates):
        return _Sequence.apply(layer_class, relu, dtype, gates, hidden, cell, weight, bias)


class _Turn(torch.autograd.Function):
    """Rows (n, I) in another order, by a permutation that is its own inverse."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, permutation: Tensor) -> Tensor:
        ctx.save_for_backward(permutation)
        return rows.index_select(0, permutation)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_rows: Tensor) -> tuple[Tensor | None, ...]:
        (permutation,) = ctx.saved_tensors
        return to_rows.index_select(0, permutation), None


def turn(rows: Tensor, permutation: Tensor) -> Tensor:
    """Rows (n, I) in another order, by a permutation (n,) that is its own inverse."""
    return _Turn.apply(rows, permutation)


# Attention: one query per sentence ----------------------------------------------------------------------------------


class Score:
    """The energies (B, S) of a query, without padding, and the query's gradient. This one takes energies as they are:
    with padding: an attention without an equation here computes them in plain autograd."""

    anchors: tuple[Tensor, ...] = ()

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Energies (B, S) of queries (B, H), up to a constant per sentence, plus padding (B, S); tensors to keep."""
        return query, []

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        """to_q (B, H)."""
        return to_energies


class InnerProduct(Score, Shared):
    """e_ti = s <q_t, k_i>. ∂k_i = s Σ_t to_e_ti q_t."""

    def __init__(self, keys: Tensor, scale: float, dtype: torch.dtype | None) -> None:
        self.scale = scale
        self.keys = keys.detach().to(dtype or keys.dtype).contiguous()
        self.transposed = self.keys.transpose(1, 2).contiguous()  # (1, K) x (K, S) is quicker than (S, K) x (K, 1)
        Shared.__init__(self, keys)
        self.anchors = (self.anchor,)

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        query = query.to(self.keys.dtype).unsqueeze(1)
        return torch.baddbmm(padding.unsqueeze(1), query, self.transposed, alpha=self.scale).squeeze(1), []

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        to_energies = to_energies * self.scale if self.scale != 1.0 else to_energies
        self.note(to_energies, query.to(self.keys.dtype))
        return torch.bmm(to_energies.unsqueeze(1), self.keys).squeeze(1)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        return (_outer_products(*notes),)


class AdditiveScore(Score, Shared):
    """e_ti = v^T tanh(q'_t + k_i) = Σ_a v_a - 2 v^T ρ_ti, where ρ_ti = 1 / (1 + exp(2 q'_t) exp(2 k_i)), q' = W_q q.

    exp(2 k_i) is computed once for all steps, and the constant Σ_a v_a falls out of the softmax. Exact as long as no
    entry of k or q' exceeds 43 in size; a larger one of k counts as 43, so that exp(2 k) stays finite and does not
    vanish, and one of q' makes tanh 1 or -1.
    With u_ti = to_e_ti ρ_ti ⊙ (1 - ρ_ti): ∂q'_t = 4 v ⊙ Σ_i u_ti, ∂k_i = 4 v ⊙ Σ_t u_ti, ∂v = -2 Σ_ti to_e_ti ρ_ti.
    """

    def __init__(self, query: Weight, keys: Tensor, v: Tensor, dtype: torch.dtype | None) -> None:
        self.count = 2
        self.query = query
        self.v = v.detach().to(dtype or v.dtype)
        doubled = keys.detach().to(self.v.dtype) * 2.0
        self.grown = doubled.clamp_(-LARGEST_EXPONENT, LARGEST_EXPONENT).exp_()  # exp(2 k) (B, S, A)
        self.one = self.v.new_ones(())
        Shared.__init__(self, keys, v)
        self.anchors = (self.anchor, query.anchor)

    def forward(self, query: Tensor, padding: Tensor) -> tuple[Tensor, list[Tensor]]:
        grown = self.query.add_to(self.one, query.to(self.v.dtype), other_scale=0.0, scale=2.0).exp_()
        rho = torch.addcmul(self.one, self.grown, grown.unsqueeze(1)).reciprocal_()
        energies = torch.addmv(padding.reshape(-1), rho.view(-1, rho.size(-1)), self.v, alpha=-2.0)
        return energies.view_as(padding), [rho]

    def backward(self, to_energies: Tensor, query: Tensor, kept: list[Tensor]) -> Tensor:
        (rho,) = kept
        slopes = torch.ops.aten.sigmoid_backward(to_energies.unsqueeze(-1), rho)
        to_v = torch.mm(to_energies.reshape(1, -1), rho.view(-1, rho.size(-1)))
        to_projected = slopes.sum(dim=1).mul_(self.v).mul_(4.0)
        self.add(slopes, to_v)
        return self.query.backward(query.to(self.v.dtype), to_projected)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        ((slopes,), (to_v,)) = notes
        return slopes.mul_(self.v * 4.0), to_v.view(-1) * -2.0


def _outer_products(coefficients: tuple[Tensor, ...], vectors: tuple[Tensor, ...]) -> Tensor:
    """Σ_t coefficient_ti vector_t: T of (B, S) and T of (B, M) -> (B, S, M)."""
    return torch.bmm(torch.stack(coefficients, dim=2), torch.stack(vectors, dim=1))


class Read(Shared):
    """α_t = softmax(e_t), c_t = Σ_i α_ti m_i. ∂m_i = Σ_t α_ti to_c_t."""

    def __init__(self, score: Score, memory: Tensor, padding: Tensor, dtype: torch.dtype | None) -> None:
        self.score = score
        self.memory = memory.detach().to(dtype or memory.dtype).contiguous()
        self.padding = padding.detach().squeeze(1).to(self.memory.dtype)
        self.transposed = self.memory.transpose(1, 2).contiguous()  # for to_α = <to_c, m_i>, see InnerProduct
        super().__init__(memory)
        self.anchors = (self.anchor, *score.anchors)

    def forward(self, query: Tensor) -> tuple[Tensor, Tensor, list[Tensor]]:
        """c (B, M), α (B, S), and tensors to keep, from a query (B, H)."""
        energies, kept = self.score.forward(query, self.padding)
        weights = torch.softmax(energies, dim=-1)
        return torch.bmm(weights.unsqueeze(1), self.memory).squeeze(1), weights, kept

    def backward(
        self, to_context: Tensor | None, to_weights: Tensor | None, query: Tensor, weights: Tensor, kept: list[Tensor]
    ) -> Tensor | None:
        """to_q (B, H)."""
        if to_context is not None:
            self.note(weights, to_context)
            through_context = torch.bmm(to_context.unsqueeze(1), self.transposed).squeeze(1)
            to_weights = through_context if to_weights is None else through_context + to_weights
        if to_weights is None:
            return None
        to_energies = torch._softmax_backward_data(to_weights, weights, -1, weights.dtype)
        return self.score.backward(to_energies, query, kept)

    def gradients(self, notes: list[tuple[Tensor, ...]]) -> tuple[Tensor | None, ...]:
        return (_outer_products(*notes),)


class _Attend(torch.autograd.Function):
    """(c_t, α_t) from a query (B, H)."""

    @staticmethod
    def forward(ctx: Any, read: Read, query: Tensor, *anchors: Tensor) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        context, weights, kept = read.forward(query)
        ctx.read = read
        ctx.save_for_backward(query, weights, *kept)
        return context, weights

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_context: Tensor | None, to_weights: Tensor | None) -> tuple[Tensor | None, ...]:
        read: Read = ctx.read
        query, weights, *kept = ctx.saved_tensors
        to_query = read.backward(to_context, to_weights, query, weights, kept)
        return None, to_query, *[None] * len(read.anchors)


# A whole arm -------------------------------------------------------------------------------------------------------


class Given(NamedTuple):
    """What a step of a loop gives."""

    features: Tensor  # (B, F)
    hidden: Tensor  # (B, H)
    cell: Tensor | None  # (B, H) of an LSTM
    weights: Tensor  # (B, S)


class ToGiven(NamedTuple):
    """The gradients of what a step gave; None where nothing depends on it, as on the state after the last step."""

    features: Tensor
    hidden: Tensor | None
    cell: Tensor | None
    weights: Tensor | None


class Past(NamedTuple):
    """What is kept of a step for its backward pass."""

    hidden: Tensor  # h_{t-1} (B, H)
    cell: Tensor | None  # c_{t-1} (B, H) of an LSTM
    weights: Tensor  # α_t (B, S)
    kept: list[Tensor]  # what the step itself keeps


class Loop:
    """An arm's step and its derivative, over a cell of one layer: composed of those of `Layer` and `Read`."""

    feature_size: int

    def __init__(self, layer: Layer, read: Read) -> None:
        self.layer = layer
        self.read = read
        self.anchors = [*layer.anchors, *read.anchors]

    def forward(self, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Given, list[Tensor]]:
        """What the step gives, and tensors to keep, from W_x x_t + b and the old state."""
        raise NotImplementedError

    def backward(self, to: ToGiven, past: Past) -> tuple[Tensor, Tensor, Tensor | None]:
        """The gradients of the gates, h_{t-1} and c_{t-1}."""
        raise NotImplementedError


class _Run(torch.autograd.Function):
    """(features (T, B, F), weights (T, B, S)) of a loop; back through time by hand."""

    @staticmethod
    def forward(
        ctx: Any, loop: Loop, gates: Tensor, hidden: Tensor, cell: Tensor | None, *anchors: Tensor
    ) -> tuple[Tensor, Tensor]:
        ctx.set_materialize_grads(False)
        dtype = loop.layer.recurrent.value.dtype
        hidden, cell = hidden.to(dtype), None if cell is None else cell.to(dtype)
        features, weights, keeps = [], [], []
        learning = any(ctx.needs_input_grad)
        for gates_t in gates.to(dtype).unbind(0):
            given, kept = loop.forward(gates_t, hidden, cell)
            features.append(given.features)
            weights.append(given.weights)
            if learning:
                keeps.append((hidden, cell, given.weights, *kept))
            hidden, cell = given.hidden, given.cell
        ctx.loop = loop
        ctx.save_for_backward(*(tensor for keep in keeps for tensor in keep))
        return torch.stack(features), torch.stack(weights)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_features: Tensor | None, to_weights: Tensor | None) -> tuple[Tensor | None, ...]:
        loop: Loop = ctx.loop
        saved = ctx.saved_tensors
        known = to_weights if to_features is None else to_features
        if known is None:
            return None, None, None, None, *[None] * len(loop.anchors)
        steps = len(known)
        each = len(saved) // steps
        if to_features is None:
            to_features = saved[0].new_zeros(steps, saved[0].size(0), loop.feature_size)
        to_hidden, to_cell, to_gates = None, None, []
        for step in range(steps - 1, -1, -1):
            hidden, cell, weights, *kept = saved[step * each : (step + 1) * each]
            to_weights_t = None if to_weights is None else to_weights[step]
            to_gates_t, to_hidden, to_cell = loop.backward(
                ToGiven(to_features[step], to_hidden, to_cell, to_weights_t), Past(hidden, cell, weights, kept)
            )
            to_gates.append(to_gates_t)
        to_gates.reverse()
        return None, torch.stack(to_gates), to_hidden, to_cell, *[None] * len(loop.anchors)


def run(loop: Loop, gates: Tensor, hidden: Tensor, cell: Tensor | None) -> tuple[Tensor, Tensor]:
    """Features (T, B, F) and weights (T, B, S) from W_x x_t + b (T, B, G*H) and the first state."""
    with without_autocast(gates):
        return _Run.apply(loop, gates, hidden, cell, *loop.anchors)


# The loop -----------------------------------------------------------------------------------------------------------


class Unroll:
    """What the steps of one teacher-forced pass share: each weight, layer and attention enters the graph once."""

    def __init__(self) -> None:
        self._entered: dict[Any, Any] = {}

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """What `make` returned at the first step that asked for this key."""
        if key not in self._entered:
            self._entered[key] = make()
        return self._entered[key]

    def weight(self, weight: Tensor, bias: Tensor | None = None) -> Weight:
        """A parameter as the steps see it."""
        return self.once(id(weight), lambda: Weight(weight, bias, autocast_dtype(weight)))


_current: ContextVar[Unroll | None] = ContextVar("unroll", default=None)


@contextmanager
def unrolling() -> Iterator[Unroll]:
    """Within it, the steps of cells and attentions are those of one pass over a target and share their gradients."""
    unroll = Unroll()
    token = _current.set(unroll)
    try:
        yield unroll
    finally:
        _current.reset(token)


def current() -> Unroll | None:
    """The pass that is going on, if any."""
    return _current.get()


def autocast_dtype(tensor: Tensor) -> torch.dtype | None:
    """The type that autocast computes products in, None outside autocast."""
    device = tensor.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None


def without_autocast(tensor: Tensor) -> Any:
    """The equations above choose their types themselves: autocast is not to."""
    device = tensor.device.type
    return torch.autocast(device, enabled=False) if torch.is_autocast_enabled(device) else nullcontext()


def linear(inputs: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """W x + b (N, O) of x (N, I); within `unrolling()` with one weight gradient for all steps."""
    unroll = _current.get()
    return F.linear(inputs, weight, bias) if unroll is None else apply(unroll.weight(weight, bias), inputs)


def apply(weight: Weight, inputs: Tensor) -> Tensor:
    """W x + b (N, O) of x (N, I)."""
    with without_autocast(inputs):
        return _Linear.apply(weight, inputs, weight.anchor)


def advance(
    layer: Layer, gates: Tensor, context: Tensor | None, hidden: Tensor, cell: Tensor | None
) -> tuple[Tensor, Tensor | None]:
    """h_t and c_t (None but in an LSTM), each (N, H), from W_x x + b (N, G*H), c (N, C), h_{t-1} and c_{t-1}."""
    with without_autocast(gates):
        return _Advance.apply(layer, gates, context, hidden, cell, *layer.anchors)


def attend(read: Read, query: Tensor) -> tuple[Tensor, Tensor]:
    """Context (B, M) and weights (B, S) of a query (B, H), or of energies (B, S) where the score is computed before."""
    with without_autocast(query):
        return _Attend.apply(read, query, *read.anchors)
