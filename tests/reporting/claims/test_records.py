"""claims.json: what it holds, and that its command runs what it says."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from project import ROOT, apply_with_dvc, copy_project
from synthetic_runs import Reported, report_on, write_project

from softalign.errors import UserError
from softalign.params import Params, read_params
from softalign.reporting.claims.catalogue import CLAIMS
from softalign.reporting.claims.records import claim_records, command

PARAMS = Params(
    tasks=["translation", "summarization"],
    models=["vanilla", "bahdanau", "vanilla-as_bahdanau"],
    seeds=[1, 2, 3],
    data={"translation": "multi30k", "summarization": "dialogsum"},
    experiment="smoke",
    overrides=["model.cell=gru", "optimization.lr=0.002", "data.source.path='my files'"],
)


def of(claims: dict[str, Any], name: str) -> dict[str, Any]:
    return next(claim for claim in claims["claims"] if claim["id"] == name)


def test_the_statements_are_those_of_the_documentation() -> None:
    documented = re.findall(
        r"^\| (C\d+) \| (.+) \|$", (ROOT / "docs/claims.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert documented == [(claim.id, claim.statement) for claim in CLAIMS]


def test_the_keys_are_those_of_the_documentation(one_seed: Reported) -> None:
    documented = re.split(r"^## ", (ROOT / "docs/claims.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    keys = [
        [
            key
            for line in part.split("\n")
            if line.startswith("| `")
            for key in re.findall("`([^`]+)`", line.split("|")[1])
        ]
        for part in documented[:3]
    ]
    for claim in one_seed.claims["claims"]:
        assert sorted(claim) == sorted(keys[1])
        for row in claim["rows"]:
            assert sorted(row) == sorted(keys[2])
    assert list(one_seed.claims) == keys[0]
    json.dumps(one_seed.claims, allow_nan=False)


def test_a_claim_names_what_it_rests_on(one_seed: Reported) -> None:
    claim = of(one_seed.claims, "C1")
    assert claim["runs"] == [f"runs/translation/{arm}/1" for arm in ("vanilla", "multiply", "bahdanau")]
    assert (claim["tasks"], claim["arms"], claim["seeds"]) == (
        ["translation"],
        ["vanilla", "multiply", "bahdanau"],
        [1],
    )
    assert claim["data"][0] | {"config": None} == {
        "task": "translation",
        "data": "phrasebook",
        "kind": "embedded",
        "id": "phrasebook",
        "config": None,
        "revision": "grammar-1",
        "generator_seed": 17,
    }
    assert of(one_seed.claims, "C7")["command"] is None
    assert of(one_seed.claims, "C5")["arms"] == ["multiply", "bahdanau"]


def test_rows_are_corrected_within_their_claim(one_seed: Reported) -> None:
    rows = of(one_seed.claims, "C2")["rows"]
    p_values = sorted(row["p_value"] for row in rows)
    smallest = next(row for row in rows if row["p_value"] == p_values[0])
    assert len(rows) == 6
    assert smallest["p_holm"] == pytest.approx(6 * smallest["p_value"])  # Holm (1979): the smallest times their number


def test_a_row_that_does_not_survive_the_correction_is_open_and_says_so(tmp_path: Path) -> None:
    reported = report_on(write_project(tmp_path, rows=60))
    coarse = replace(reported.evaluation, bootstrap_samples=100)  # no p-value below 2/101; six of them: 0.12
    row = next(row for row in report_on(tmp_path, coarse).verdicts if (row.claim, row.arm) == ("C2", "bahdanau"))
    assert row.low is not None and row.low > 0
    assert row.verdict == "not decided"
    assert row.notes[-1] == "supported if it were the only comparison; not after correction for 6"


def test_a_missing_run_is_named_where_it_is_needed_and_nowhere_else(tmp_path: Path) -> None:
    write_project(tmp_path, rows=20)
    shutil.rmtree(tmp_path / "runs/summarization/multiply")
    reported = report_on(tmp_path)
    name = "runs/summarization/multiply/1 (not run)"
    for claim in reported.claims["claims"]:
        measured = claim["id"] in ("C2", "C4", "C5", "C9", "C10", "C11", "C12", "C13", "C14")
        assert claim["missing"] == ([name] if measured else []), claim["id"]
        if measured:
            assert claim["verdict"] == "not decided"
            assert f"missing runs: {name}" in claim["reason"]
    assert of(reported.claims, "C1")["verdict"] != "" and of(reported.claims, "C1")["effect"] is not None
    text = (reported.write() / "report.md").read_text(encoding="utf-8")
    assert "| summarization | multiply | 1 | not run | not run |" in text
    assert "Missing or incomplete: 1 of the 6 runs that params.yaml names, which" in text


def test_an_arm_that_nobody_knows_leaves_every_claim_of_its_task_open(tmp_path: Path) -> None:
    write_project(tmp_path, tasks=("translation",), rows=20)
    shutil.rmtree(tmp_path / "runs/translation/bahdanau")
    (tmp_path / "resolved/translation/bahdanau.yaml").unlink()
    reported = report_on(tmp_path)
    for name in ("C1", "C6", "C8", "C11"):
        assert of(reported.claims, name)["missing"] == ["runs/translation/bahdanau/1 (not run)"]


def test_a_task_without_a_complete_run_is_no_reason_to_fail(tmp_path: Path) -> None:
    write_project(tmp_path, rows=20)
    shutil.rmtree(tmp_path / "runs/translation")
    reported = report_on(tmp_path)
    reported.write()
    assert len(of(reported.claims, "C1")["missing"]) == 3
    assert list(reported.results["tasks"]) == ["summarization"]


@pytest.mark.parametrize("params", [PARAMS, replace(PARAMS, experiment=None, overrides=[], seeds=[7])])
def test_the_command_makes_dvc_write_these_params(tmp_path: Path, params: Params) -> None:
    copy_project(tmp_path)
    words = shlex.split(command(params, ["translation"], ["vanilla", "vanilla-as_bahdanau"]))
    assert words[:3] == ["dvc", "exp", "run"]
    apply_with_dvc(tmp_path, [word for word in words[3:] if word != "-S"])
    found = read_params(tmp_path / "params.yaml")
    wanted = replace(params, tasks=["translation"], models=["vanilla", "vanilla-as_bahdanau"])
    assert asdict(found) | {"data": None} == asdict(wanted) | {"data": None}
    assert found.data["translation"] == params.data["translation"]


def test_a_task_without_data_in_params_is_one_line() -> None:
    """A report can be made by hand of runs that params.yaml had data for once."""
    with pytest.raises(UserError, match="no data for the task 'summarization' .params.yaml: data.: add"):
        command(replace(PARAMS, data={"translation": "multi30k"}), ["translation", "summarization"], ["vanilla"])


def test_results_and_claims_are_told_apart(one_seed: Reported) -> None:
    params = read_params(one_seed.layout.params)
    again = claim_records(one_seed.verdicts, one_seed.tasks, one_seed.results, params)
    assert again == one_seed.claims
    assert "claims" not in one_seed.results
