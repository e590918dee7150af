"""Which arms a claim compares: alike in all but one thing, told by their configurations, never by their names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from softalign.reporting.arms import ATTENTION, PLAIN, alike, baseline_of
from softalign.reporting.runs import TaskRuns

INNER_PRODUCTS = ("dot", "scaled_dot")
UNIFORM = "uniform"  # a control: the mean of the memory
LEARNED_SCORES = ("general", "additive", "multi_head")
# fusion -> the same without feedback: concat's fused state takes the place of the cell's, the other luong's is an input
FED_BACK = {"multiply": "multiply_output", "luong_input_feeding": "luong", "concat": "luong"}
SIZES = ("embedding_size", "hidden_size", "encoder_size")
SAME_SIZE = 0.02  # parameter counts this close, as a share of the arm's, count as equal


@dataclass(frozen=True)
class Pair:
    """An arm, and the arm that it is held against; itself where a claim judges it alone."""

    arm: str
    against: str | None  # None: no arm fits

    @property
    def arms(self) -> list[str]:
        return [arm for arm in dict.fromkeys((self.against, self.arm)) if arm is not None]


Pairing = Callable[[TaskRuns], list[Pair]]


def control_of(arm: str, task: TaskRuns) -> str | None:
    """The arm without attention that has as many parameters as `arm`, within 2 %, in other sizes: the nearest.

    None where there is none, and where the baseline of equal hidden size has as many parameters by itself.
    """
    own, baseline = task.arms[arm], baseline_of(arm, task.arms)
    if own.fusion == PLAIN:
        return None
    count = task.n_parameters(arm)
    if count is None:
        return None
    gaps: dict[str, float] = {}
    for name, other in task.arms.items():
        if other.fusion != PLAIN or not alike(own, other, {*ATTENTION, *SIZES, "dropout"}):
            continue
        found = task.n_parameters(name)
        if found is not None:
            gaps[name] = abs(found - count) / count
    if gaps.get(baseline or "", 1.0) <= SAME_SIZE:
        return None
    near = [name for name in gaps if gaps[name] <= SAME_SIZE]
    return min(near, key=gaps.__getitem__) if near else None


def fused_and_plain(task: TaskRuns) -> list[Pair]:
    """Each arm with attention against the arm without it that is otherwise alike."""
    return [Pair(arm, baseline_of(arm, task.arms)) for arm in task.fused]


def fused_and_plain_or_control(task: TaskRuns) -> list[Pair]:
    """`fused_and_plain`, and each arm also against the arm without attention that has as many parameters."""
    controls = [(arm, control_of(arm, task)) for arm in task.fused]
    return [*fused_and_plain(task), *(Pair(arm, control) for arm, control in controls if control is not None)]


def each_fused(task: TaskRuns) -> list[Pair]:
    """Each arm with attention by itself, but for those that weigh all positions alike and so look nowhere."""
    return [Pair(arm, arm) for arm in task.fused if task.arms[arm].score != UNIFORM]


def each_plain(task: TaskRuns) -> list[Pair]:
    """Each arm without attention by itself."""
    return [Pair(arm, arm) for arm, options in task.arms.items() if options.fusion == PLAIN]


def inner_product_and_learned(task: TaskRuns) -> list[Pair]:
    """Each arm that scores by an inner product against the same arm with a learned score."""
    return [
        Pair(arm, other)
        for arm, options in task.arms.items()
        for other, others in task.arms.items()
        if options.score in INNER_PRODUCTS
        and others.score in LEARNED_SCORES
        and alike(options, others, ("score", "attention_size", "heads"))
    ]


def fed_back_and_not(task: TaskRuns) -> list[Pair]:
    """Each arm that feeds the fused state back against the same arm without the feedback."""
    return [
        Pair(arm, other)
        for arm, options in task.arms.items()
        for other, others in task.arms.items()
        if FED_BACK.get(options.fusion) == others.fusion and alike(options, others, ("fusion",))
    ]


def relu_and_tanh(task: TaskRuns) -> list[Pair]:
    """Each arm with ReLU against the same arm with tanh."""
    return [
        Pair(arm, other)
        for arm, options in task.arms.items()
        for other, others in task.arms.items()
        if (options.activation, others.activation) == ("relu", "tanh") and alike(options, others, ("activation",))
    ]
