"""The claims that the project starts from, the tests that decide them, and their verdicts, row by row."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from softalign.config import EvaluationConfig
from softalign.evaluation.significance import holm
from softalign.reporting.claims import choice, cost, divergence, floor, generalisation, pairs, probes, quality
from softalign.reporting.claims.divergence import Divergence
from softalign.reporting.claims.pairs import Pair, Pairing
from softalign.reporting.claims.verdicts import NOT_DECIDED, Case, Verdict
from softalign.reporting.comparisons import Scored
from softalign.reporting.runs import DIVERGED, TaskRuns

Test = Callable[[Case], list[Verdict]]
NONE = "–"


@dataclass(frozen=True)
class Claim:
    """A sentence, the arms that it compares, and the tests that decide it for two of them on one task."""

    id: str
    statement: str
    pairs: Pairing
    tests: tuple[Test, ...]
    needs: str  # what has to be run before it can be decided
    tasks: tuple[str, ...] = ("translation", "summarization")  # kinds of task
    diverged: Divergence = divergence.is_silent  # decides where trainings diverged
    of_scores: bool = False  # of what an arm writes or looks at: of one that has learned nothing it says nothing
    made_for: tuple[str, ...] = ()  # tasks that exist for this claim: where one is named, no other speaks to it

    @property
    def rules(self) -> list[str]:
        """The decision rules, as the tests state them, that for arms that have learned nothing where there is one, and
        the one for trainings that diverged.
        """
        rules = (*self.tests, *([floor.unless_unlearned] if self.of_scores else []), self.diverged)
        return [" ".join((inspect.getdoc(rule) or "").split()) for rule in rules]


BASELINE = "an arm with attention, and the arm without it that is otherwise alike"
LOW_RESOURCE = ("translation_low_resource", "summarization_low_resource")
TRAINED_ON = f"{BASELINE}, trained until its validation loss turns, as on {' and '.join(LOW_RESOURCE)}"
CLAIMS = (
    Claim(
        "C1",
        "fusion beats the plain RNN on translation",
        pairs.fused_and_plain_or_control,
        (quality.better_translation,),
        BASELINE,
        ("translation",),
        divergence.is_worse,
        of_scores=True,
    ),
    Claim(
        "C2",
        "fusion beats the plain RNN on summarization",
        pairs.fused_and_plain_or_control,
        (quality.better_summaries,),
        BASELINE,
        ("summarization",),
        divergence.is_worse,
        of_scores=True,
    ),
    Claim(
        "C3",
        "RNNs capture long-range dependencies",
        pairs.each_plain,
        (probes.captures_long_range,),
        "an arm without attention on the task recall",
        ("recall",),
    ),
    Claim(
        "C4",
        "fusion captures local and long-range dependencies together",
        pairs.fused_and_plain,
        (quality.local_and_long_range,),
        BASELINE,
        of_scores=True,
    ),
    Claim(
        "C5",
        "attention focuses on the key information",
        pairs.each_fused,
        (quality.focuses,),
        "an arm with attention",
        of_scores=True,
    ),
    Claim(
        "C6",
        "an inner product is enough as the score",
        pairs.inner_product_and_learned,
        (choice.enough,),
        "an arm that scores by an inner product, and the same arm with a learned score",
        diverged=divergence.is_worse,
        of_scores=True,
    ),
    Claim(
        "C7",
        "feeding the fused state back matters",
        pairs.fed_back_and_not,
        (choice.feedback_helps,),
        "an arm that feeds the fused state back, and the same arm without feedback",
        diverged=divergence.is_worse,
        of_scores=True,
    ),
    Claim(
        "C8",
        "the choice between tanh and ReLU matters",
        pairs.relu_and_tanh,
        (choice.activation_matters,),
        "an arm with ReLU, and the same arm with tanh",
        diverged=divergence.is_different,
        of_scores=True,
    ),
    Claim(
        "C9",
        "fusion is heavier on long sequences",
        pairs.fused_and_plain,
        (cost.heavier_on_long_sequences,),
        BASELINE,
    ),
    Claim(
        "C10",
        "fusion trains slower",
        pairs.fused_and_plain,
        (cost.slower_per_token, cost.slower_to_quality),
        BASELINE,
    ),
    Claim(
        "C11",
        "fusion has more parameters",
        pairs.fused_and_plain,
        (cost.more_parameters,),
        BASELINE,
    ),
    Claim(
        "C12",
        "fusion overfits more",
        pairs.fused_and_plain_or_control,
        (cost.overfits_more,),
        TRAINED_ON,
        made_for=LOW_RESOURCE,
    ),
    Claim(
        "C13",
        "fusion overfits less",
        pairs.fused_and_plain_or_control,
        (cost.overfits_less,),
        TRAINED_ON,
        made_for=LOW_RESOURCE,
    ),
    Claim(
        "C14",
        "fusion generalises better",
        pairs.fused_and_plain,
        (generalisation.generalises_better,),
        "test sets that are shifted, noisy or longer than those trained on",
        of_scores=True,
    ),
)


def decide_claims(tasks: Sequence[TaskRuns], scored: Sequence[Scored], evaluation: EvaluationConfig) -> list[Verdict]:
    """Test every claim for every two arms that it compares, on every task that it speaks of.

    A claim that the runs cannot speak to keeps one row, not decided, that says why; so does each pair of arms of which
    a run is missing. The rows of a claim are one family for Holm's correction: a row whose p-value is no longer below
    1 - confidence after it is not decided.
    """
    by_task = {one.runs.task: one for one in scored}
    verdicts: list[Verdict] = []
    for claim in CLAIMS:
        concerned = _concerned(claim, tasks)
        rows = [row for task in concerned for row in _rows(claim, task, by_task.get(task.task), evaluation)]
        verdicts += _corrected(rows, evaluation.confidence) or [_nothing(claim, concerned)]
    return verdicts


def _concerned(claim: Claim, tasks: Sequence[TaskRuns]) -> list[TaskRuns]:
    """The tasks that speak to a claim: those made for it, else those of its kinds that were made for none."""
    special = {name for each in CLAIMS for name in each.made_for}
    own = [task for task in tasks if task.task in claim.made_for]
    return own or [task for task in tasks if task.kind in claim.tasks and task.task not in special]


def _rows(claim: Claim, task: TaskRuns, scored: Scored | None, evaluation: EvaluationConfig) -> Iterator[Verdict]:
    for arm in task.named:
        if arm not in task.arms:  # nobody can say which claims it speaks to
            yield _missing(claim, task, Pair(arm, NONE))
    for pair in claim.pairs(task) if claim.tests else ():
        if pair.against is None:
            note = "no arm without attention is otherwise alike"
            yield Verdict(claim.id, task.task, pair.arm, NONE, NOT_DECIDED, NONE, applies=False, notes=[note])
            continue
        missing = task.missing(pair.arms)
        if not missing and scored is not None:
            case = Case(scored, pair.against, pair.arm, evaluation)
            rows = (row for test in claim.tests for row in test(case))
            yield from (floor.unless_unlearned(case, row) if claim.of_scores else row for row in rows)
        elif missing and all(run.state == DIVERGED for run in missing):
            yield claim.diverged(claim.id, task, pair, evaluation)
        else:
            yield _missing(claim, task, pair)


def _missing(claim: Claim, task: TaskRuns, pair: Pair) -> Verdict:
    missing = [str(run) for run in task.missing(pair.arms)]
    return Verdict(
        claim.id,
        task.task,
        pair.arm,
        pair.against or NONE,
        NOT_DECIDED,
        NONE,
        arms=[arm for arm in pair.arms if arm in task.named],
        missing=missing,
        notes=[f"missing runs: {'; '.join(missing)}"],
    )


def _nothing(claim: Claim, concerned: Sequence[TaskRuns]) -> Verdict:
    reason = f"needs {claim.needs}" if concerned else f"{' and '.join(claim.tasks)}: not run"
    return Verdict(claim.id, NONE, NONE, NONE, NOT_DECIDED, NONE, notes=[reason])


def _corrected(rows: Sequence[Verdict], confidence: float) -> list[Verdict]:
    """The rows with Holm's correction over those that have a p-value."""
    members = [place for place, row in enumerate(rows) if row.p_value is not None]
    p_values = [p for row in rows if (p := row.p_value) is not None]
    corrected = list(rows)
    for place, p_holm in zip(members, holm(p_values), strict=True):
        row = replace(rows[place], p_holm=p_holm)
        if row.verdict != NOT_DECIDED and p_holm + confidence >= 1:
            note = f"{row.verdict} if it were the only comparison; not after correction for {len(members)}"
            row = replace(row, verdict=NOT_DECIDED, notes=[*row.notes, note])
        corrected[place] = row
    return corrected
