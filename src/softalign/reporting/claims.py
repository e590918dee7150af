"""The claims that the project starts from, the tests that these runs can make of them, and their verdicts."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softalign.config import EvaluationConfig
from softalign.reporting import cost_claims, generalisation_claims, quality_claims
from softalign.reporting.comparisons import Scored
from softalign.reporting.verdicts import NOT_DECIDED, Case, Verdict

Test = Callable[[Case], list[Verdict]]


@dataclass(frozen=True)
class Claim:
    """A sentence, and the tests that decide it for one arm on one task."""

    id: str
    statement: str
    tests: tuple[Test, ...]
    task: str | None = None  # None: on every task

    @property
    def rules(self) -> list[str]:
        """The decision rules, as the tests state them."""
        return [" ".join((inspect.getdoc(test) or "").split()) for test in self.tests]


CLAIMS = (
    Claim("C1", "fusion beats the plain RNN on translation", (quality_claims.better_translation,), "translation"),
    Claim("C2", "fusion beats the plain RNN on summarization", (quality_claims.better_summaries,), "summarization"),
    Claim("C4", "fusion captures local and long-range dependencies together", (quality_claims.local_and_long_range,)),
    Claim("C5", "attention focuses on the key information", (quality_claims.focuses,)),
    Claim("C9", "fusion is heavier on long sequences", (cost_claims.heavier_on_long_sequences,)),
    Claim("C10", "fusion trains slower", (cost_claims.slower_per_token, cost_claims.slower_to_quality)),
    Claim("C11", "fusion has more parameters", (cost_claims.more_parameters,)),
    Claim("C12", "fusion overfits more", (cost_claims.overfits_more,)),
    Claim("C13", "fusion overfits less", (cost_claims.overfits_less,)),
    Claim("C14", "fusion generalises better", (generalisation_claims.generalises_better,)),
)

# What these runs cannot decide, and what would.
UNTESTED = {
    "C3": "RNNs capture long-range dependencies: needs recall and gradient norm against lag",
    "C6": "an inner product is enough as the score: needs the same arm with several scores",
    "C7": "feeding the fused state back matters: needs the same arm without feedback",
    "C8": "tanh or ReLU: needs each arm with both",
}


def decide_claims(tasks: Sequence[Scored], evaluation: EvaluationConfig) -> list[Verdict]:
    """Test every claim for every arm with attention on every task that it speaks of.

    A claim that the runs cannot speak to keeps one row, not decided, that says why.
    """
    verdicts: list[Verdict] = []
    for claim in CLAIMS:
        concerned = [scored for scored in tasks if claim.task in (None, scored.runs.task)]
        rows = [
            verdict
            for scored in concerned
            for arm in scored.runs.candidates
            if scored.runs.baseline is not None
            for test in claim.tests
            for verdict in test(Case(scored, scored.runs.baseline, arm, evaluation))
        ]
        verdicts += rows or [_undecided(claim, concerned)]
    return verdicts


def _undecided(claim: Claim, concerned: Sequence[Scored]) -> Verdict:
    if not concerned:
        reason = f"{claim.task} was not run"
    elif not any(scored.runs.baseline for scored in concerned):
        reason = "no arm without attention was run"
    else:
        reason = "no arm with attention was run"
    return Verdict(claim.id, claim.task or "–", "–", "–", NOT_DECIDED, "–", notes=[reason])
