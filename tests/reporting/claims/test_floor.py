"""Two arms that have learned nothing decide nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from claim_cases import of
from contradictions import contradictions, of_html, of_markdown
from synthetic_runs import Reported, report_of

from softalign.reporting.claims import floor, quality
from softalign.reporting.claims.verdicts import NOT_DECIDED, SUPPORTED, Case
from softalign.reporting.estimates import Replicates
from softalign.reporting.sentences import answer


@pytest.mark.parametrize(("best", "learned"), [(0.01, False), (0.99, False), (1.0, True), (30.0, True)])
def test_the_better_of_the_two_has_to_score_a_point(one_seed: Reported, best: float, learned: bool) -> None:
    """The same difference between the arms, relative to their scores, at another level of these."""
    scored = one_seed.scored[0]
    scale = best / scored.replicates["bahdanau", "bleu"].points.mean()
    replicates = {
        key: Replicates(found.points * scale, found.resampled * scale) for key, found in scored.replicates.items()
    }
    case = Case(replace(scored, replicates=replicates), "vanilla", "bahdanau", one_seed.evaluation)
    (row,) = quality.better_translation(case)
    assert row.verdict == SUPPORTED and row.p_value is not None
    judged = floor.has_learned(case, row)
    if learned:
        assert judged == row
    else:
        assert (judged.verdict, judged.p_value, judged.effect) == (NOT_DECIDED, None, row.effect)
        assert judged.open_because == "neither arm scores 1 BLEU"
        assert judged.notes[0].startswith("neither arm scores 1 BLEU: vanilla 0.") and row.notes[0] in judged.notes


def test_it_keeps_open_what_compares_scores_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "LEAST", 101.0)
    reported = report_of(tmp_path / "p", rows=12)
    for claim in ("C1", "C4"):
        rows = of(reported, claim, "bahdanau")
        assert rows and all(row.open_because == "neither arm scores 101 BLEU" for row in rows)
    assert not any(row.open_because for claim in ("C5", "C9", "C11") for row in of(reported, claim, "bahdanau"))
    record = reported.claims["claims"][0]
    assert record["reason"] == "not decided for multiply, bahdanau; open: neither arm scores 101 BLEU"
    assert any(rule.startswith("A row is not decided where neither") for rule in record["rules"])
    said = answer(reported.results, "translation", "bahdanau")
    assert "not told apart from vanilla" in said and "no p, for neither arm scores 101 BLEU" in said
    folder = reported.write()
    for text in (of_markdown((folder / "report.md").read_text()), of_html((folder / "index.html").read_text())):
        assert contradictions(text, reported.results, reported.claims) == []


def test_a_row_that_does_not_apply_stays_as_it_is(one_seed: Reported, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(floor, "LEAST", 101.0)
    (row,) = of(one_seed, "C14", "bahdanau")
    case = Case(one_seed.scored[0], "vanilla", "bahdanau", one_seed.evaluation)
    assert not row.applies and floor.has_learned(case, row) == row
