"""Two arms that have learned nothing decide nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from claim_cases import of
from contradictions import Text, contradictions
from synthetic_runs import Reported, report_of

from softalign.reporting.claims import floor, quality
from softalign.reporting.claims.verdicts import NOT_DECIDED, SUPPORTED, Case
from softalign.reporting.estimates import Replicates
from softalign.reporting.sentences import answer
from softalign.reporting.tables import headline_comparison, judgement


def scaled(reported: Reported, task: int, **best: float) -> Case:
    """The case of bahdanau against vanilla, all scores of these arms so much lower that they have these ones."""
    scored = reported.scored[task]
    metric = scored.runs.headline_metric
    replicates = dict(scored.replicates)
    for arm, score in best.items():
        found = scored.replicates[arm, metric]
        scale = score / found.value
        replicates[arm, metric] = Replicates(found.points * scale, found.resampled * scale)
    return Case(replace(scored, replicates=replicates), "vanilla", "bahdanau", reported.evaluation)


@pytest.mark.parametrize(
    ("vanilla", "bahdanau", "learned"), [(0.001, 0.01, False), (0.2, 0.99, False), (0.2, 1.01, True), (1.01, 0.2, True)]
)
def test_one_of_the_two_has_to_score_a_point(
    one_seed: Reported, vanilla: float, bahdanau: float, learned: bool
) -> None:
    case = scaled(one_seed, 0, vanilla=vanilla, bahdanau=bahdanau)
    (row,) = quality.better_translation(case)
    assert row.verdict != NOT_DECIDED and row.p_value is not None
    judged = floor.unless_unlearned(case, row)
    if learned:
        assert judged is row
    else:
        assert (judged.verdict, judged.p_value, judged.effect) == (NOT_DECIDED, None, row.effect)
        assert judged.open_because == "both score below 1 BLEU"
        assert judged.notes == [f"both score below 1 BLEU: vanilla {vanilla:.3f}, bahdanau {bahdanau:.3f}", *row.notes]


def test_beside_what_learns_nothing_the_arm_alone_has_to(one_seed: Reported) -> None:
    case = scaled(one_seed, 1, bahdanau=0.5)
    rows = [floor.unless_unlearned(case, row) for row in quality.better_summaries(case)]
    assert [(row.against, row.open_because) for row in rows] == [
        ("vanilla", ""),
        ("lead-20", "scores below 1 ROUGE-L"),
        ("copy", "scores below 1 ROUGE-L"),
    ]


def test_where_an_arm_looks_that_has_learned_nothing_shows_nothing(one_seed: Reported) -> None:
    for score, because in ((0.5, "scores below 1 BLEU"), (1.5, "")):
        case = scaled(one_seed, 0, bahdanau=score)
        rows = [floor.unless_unlearned(case, row) for row in quality.focuses(case)]
        assert rows and [row.open_because for row in rows] == [because] * len(rows)


def test_a_row_that_does_not_apply_or_is_open_already_keeps_its_reason(one_seed: Reported) -> None:
    case = scaled(one_seed, 0, vanilla=0.5, bahdanau=0.9)
    (silent,) = of(one_seed, "C14", "bahdanau")
    assert not silent.applies and floor.unless_unlearned(case, silent) is silent
    (row,) = quality.better_translation(case)
    judged = floor.unless_unlearned(case, row.kept_open("first"))
    assert judged.open_because == "first"
    assert [note.partition(":")[0] for note in judged.notes[:2]] == ["both score below 1 BLEU", "first"]


@pytest.fixture(scope="module")
def unlearned(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reported]:
    """Runs of which none scores as much as is asked for."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(floor, "LEAST", 101.0)
        patch.setattr("contradictions.numbers.LEAST", 101.0)
        tasks = ("translation", "translation_low_resource")
        yield report_of(tmp_path_factory.mktemp("unlearned"), tasks=tasks, rows=12)


def test_the_report_says_so_of_what_compares_scores_and_of_nothing_else(unlearned: Reported) -> None:
    for claim in ("C1", "C4"):
        assert [row.open_because for row in of(unlearned, claim, "bahdanau")] == ["both score below 101 BLEU"]
    assert not any(row.open_because for claim in ("C9", "C11") for row in of(unlearned, claim, "bahdanau"))
    record = unlearned.claims["claims"][0]
    reason = "not decided for multiply, bahdanau; open for multiply, bahdanau: both score below 101 BLEU"
    assert record["reason"] == reason
    said = answer(unlearned.results, "translation", "bahdanau")
    assert said.startswith("bahdanau is not judged against vanilla on translation: ")
    assert "no p, for both score below 101 BLEU" in said


def test_its_report_agrees_and_one_that_judged_all_the_same_would_not(unlearned: Reported) -> None:
    translation = {**unlearned.results, "tasks": {"translation": unlearned.results["tasks"]["translation"]}}
    assert contradictions(Text(), translation, unlearned.claims) == []
    (c1,) = [claim for claim in unlearned.claims["claims"] if claim["id"] == "C1"]
    judged = c1 | {"rows": [row | {"open_because": "", "verdict": "supported"} for row in c1["rows"]]}
    found = contradictions(Text(), translation, {"claims": [judged]})
    assert sum("the scores are" in line for line in found) == 2
    said = answer(unlearned.results, "translation", "bahdanau")
    assert contradictions(Text([said]), translation, unlearned.claims) == []
    assert contradictions(
        Text([said.replace("both score below 101 BLEU", "runs are missing")]), translation, unlearned.claims
    )
    assert contradictions(
        Text([said.replace("not judged against", "not told apart from")]), translation, unlearned.claims
    )


def test_a_task_that_no_claim_speaks_of_is_judged_alike(unlearned: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    task = "translation_low_resource"
    found = headline_comparison(unlearned.results, task, "bahdanau")
    assert found is not None and found["low"] > 0 and found["p_holm"] < 0.05  # by its interval it is better
    judged = judgement(unlearned.results, task, "bahdanau", found)
    assert (judged["verdict"], judged["p_holm"]) == (NOT_DECIDED, None)
    assert judged["open_because"] == "both score below 101 BLEU"
    monkeypatch.setattr(floor, "LEAST", 0.0)
    assert judgement(unlearned.results, task, "bahdanau", found)["verdict"] == SUPPORTED
