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

from softalign.models.recurrence.attention import AdditiveScore, InnerProduct, Read, Score, attend
from softalign.models.recurrence.autocast import autocast_dtype, without_autocast
from softalign.models.recurrence.layers import ElmanLayer, GRULayer, Layer, LSTMLayer, advance, tanh_of_half_
from softalign.models.recurrence.loop import Given, Loop, Past, ToGiven, run
from softalign.models.recurrence.sequences import sequence, turn
from softalign.models.recurrence.shared import Shared
from softalign.models.recurrence.unroll import Unroll, current, linear, unrolling
from softalign.models.recurrence.weight import Weight, apply

__all__ = [
    "AdditiveScore",
    "ElmanLayer",
    "GRULayer",
    "Given",
    "InnerProduct",
    "LSTMLayer",
    "Layer",
    "Loop",
    "Past",
    "Read",
    "Score",
    "Shared",
    "ToGiven",
    "Unroll",
    "Weight",
    "advance",
    "apply",
    "attend",
    "autocast_dtype",
    "current",
    "linear",
    "run",
    "sequence",
    "tanh_of_half_",
    "turn",
    "unrolling",
    "without_autocast",
]
