"""What a claim's test hands back, and the one way in which an interval becomes a verdict."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from softalign.config import EvaluationConfig
from softalign.reporting.arms import baseline_of
from softalign.reporting.comparisons import Scored
from softalign.reporting.estimates import Estimate, detectable_difference

SUPPORTED, REFUTED, NOT_DECIDED = "supported", "refuted", "not decided"
HALFWAY = "halfway"  # what C3 holds a level against, in place of another arm
FIFTHS = 5  # buckets by length or lag, where a claim is about the lowest and the highest of them


@dataclass(frozen=True)
class Verdict:
    """One claim, for one arm on one task."""

    claim: str  # C1 ...
    task: str
    arm: str  # the candidate; "–" where there is none to judge
    against: str  # the opponent
    verdict: str  # supported | refuted | not decided
    quantity: str  # what `effect` measures, with its unit
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    p_value: float | None = None  # two-sided, of `effect` being `neutral`
    p_holm: float | None = None  # the same after Holm's correction for all rows of the claim
    detectable: float | None = None  # the true distance from `neutral` that would be found with 80 % power, uncorrected
    neutral: float = 0.0  # the value of `effect` that means no difference, or the margin that was allowed
    arms: list[str] = field(default_factory=list)  # whose runs are behind it
    seeds: list[int] = field(default_factory=list)
    experiment: str = ""  # the run folders behind it
    missing: list[str] = field(default_factory=list)  # the runs without which it cannot be decided
    applies: bool = True  # False: the data have nothing to say on it, so that the claim is decided without it
    open_because: str = ""  # what keeps it from a verdict whatever its interval
    notes: list[str] = field(default_factory=list)  # what the data cannot tell, and side findings in numbers

    def kept_open(self, because: str, details: str = "") -> Verdict:
        """The row, not decided whatever its interval: it has no p-value, and no part in the correction. Of several
        reasons the first is `open_because`, and all are notes.
        """
        note = f"{because}: {details}" if details else because
        first = self.open_because or because
        return replace(self, verdict=NOT_DECIDED, p_value=None, open_because=first, notes=[note, *self.notes])


@dataclass(frozen=True)
class Case:
    """One arm against another on one task, with all their runs complete: what a claim's test reads.

    `baseline` is the arm without attention in most claims, and `arm` itself where a claim judges an arm alone.
    """

    scored: Scored
    baseline: str
    arm: str
    evaluation: EvaluationConfig

    @property
    def task(self) -> str:
        return self.scored.runs.task

    @property
    def seeds(self) -> list[int]:
        return self.scored.runs.seeds

    @property
    def is_alike(self) -> bool:
        """Whether the other arm is the one without attention that is otherwise alike, and not one of as many
        parameters in other sizes.
        """
        return baseline_of(self.arm, self.scored.runs.arms) == self.baseline

    def verdict(
        self,
        claim: str,
        verdict: str,
        quantity: str,
        estimate: Estimate,
        *notes: str,
        against: str | None = None,
        neutral: float = 0.0,
        applies: bool = True,
    ) -> Verdict:
        arms = list(dict.fromkeys((self.baseline, self.arm)))
        return Verdict(
            claim=claim,
            task=self.task,
            arm=self.arm,
            against=against or self.baseline,
            verdict=verdict,
            quantity=quantity,
            effect=estimate.value,
            low=estimate.low,
            high=estimate.high,
            p_value=estimate.p_value,
            detectable=detectable_difference(estimate, self.evaluation.confidence),
            neutral=neutral,
            arms=arms,
            seeds=list(self.seeds),
            experiment=f"runs/{self.task}/{braces(arms)}/{braces(self.seeds)}",
            applies=applies,
            notes=list(notes),
        )

    def seed_note(self) -> list[str]:
        """With one seed the interval covers the choice of test items and not the luck of training."""
        return ["one seed: test items resampled, seed variation not covered"] if len(self.seeds) == 1 else []


def braces(names: Sequence[str | int]) -> str:
    """Names as a shell writes alternatives: {a,b}."""
    return "{" + ",".join(map(str, names)) + "}"


def by_interval(estimate: Estimate, neutral: float = 0.0) -> str:
    """Supported: the whole interval lies above `neutral`; refuted: below; otherwise, or without one: not decided."""
    if estimate.low is None or estimate.high is None:
        return NOT_DECIDED
    if estimate.low > neutral:
        return SUPPORTED
    return REFUTED if estimate.high < neutral else NOT_DECIDED


def opposite(estimate: Estimate) -> Estimate:
    """The same difference seen from the other side."""
    return replace(
        estimate,
        value=-estimate.value,
        low=None if estimate.high is None else -estimate.high,
        high=None if estimate.low is None else -estimate.low,
    )


def signed(estimate: Estimate) -> str:
    """A difference with its sign and, where it has one, its interval, for a note."""
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.1f}"
    return f"{estimate.value:+.1f} [{estimate.low:+.1f}, {estimate.high:+.1f}]"
