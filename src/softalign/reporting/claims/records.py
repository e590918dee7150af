"""The claims as plain records: what claims.json holds. docs/claims.md says what each key means."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from softalign.evaluation.records import finite
from softalign.params import Params, in_hydras_grammar
from softalign.reporting.claims.catalogue import CLAIMS, Claim
from softalign.reporting.claims.overall import RULE, overall
from softalign.reporting.claims.verdicts import Verdict
from softalign.reporting.runs import TaskRuns

CLAIMS_FORMAT = 1  # raised when a key of claims.json changes its meaning


def claim_records(
    verdicts: Sequence[Verdict], tasks: Sequence[TaskRuns], results: dict[str, Any], params: Params
) -> dict[str, Any]:
    """The content of claims.json: how a claim is decided, and a record for each claim."""
    return {
        "format": CLAIMS_FORMAT,
        "rule": RULE,
        "claims": [
            finite(_record(claim, [row for row in verdicts if row.claim == claim.id], tasks, results, params))
            for claim in CLAIMS
        ],
    }


def _record(
    claim: Claim, rows: Sequence[Verdict], tasks: Sequence[TaskRuns], results: dict[str, Any], params: Params
) -> dict[str, Any]:
    decided = overall(rows)
    hinge = decided.hinge
    behind = [(task, arm) for task in tasks for arm in task.named if _is_behind(rows, task.task, arm)]
    names = list(dict.fromkeys(task.task for task, _ in behind))
    arms = list(dict.fromkeys(arm for _, arm in behind))
    return {
        "id": claim.id,
        "statement": claim.statement,
        "rules": claim.rules,
        "verdict": decided.verdict,
        "who_says_what": decided.who_says_what,
        "reason": decided.reason,
        "effect": None if hinge is None else _effect(hinge),
        "seeds": list(dict.fromkeys(seed for task, arm in behind for seed in task.seeds_of(arm))),
        "data": [_data(task, results) for task in names if task in results["tasks"]],
        "tasks": names,
        "arms": arms,
        "runs": [f"runs/{task.task}/{arm}/{seed}" for task, arm in behind for seed in task.seeds_of(arm)],
        "missing": list(dict.fromkeys(run for row in rows for run in row.missing)),
        "needs": claim.needs,
        "command": command(params, names, arms) if behind else None,
        "notes": list(dict.fromkeys(note for row in rows for note in row.notes)) if hinge is None else hinge.notes,
        "rows": [{key: value for key, value in asdict(row).items() if key != "claim"} for row in rows],
    }


def _is_behind(rows: Sequence[Verdict], task: str, arm: str) -> bool:
    return any(row.task == task and arm in row.arms for row in rows)


def _effect(row: Verdict) -> dict[str, Any]:
    keys = ("quantity", "effect", "low", "high", "neutral", "p_value", "p_holm", "detectable", "task", "arm", "against")
    return {key: getattr(row, key) for key in keys}


def _data(task: str, results: dict[str, Any]) -> dict[str, Any]:
    """What identifies the text: the revision of a Hub data set, the seed of a generated corpus."""
    record = results["tasks"][task]
    provenance = record["provenance"]
    keys = ("data", "kind", "id", "config", "revision")
    return {"task": task} | {key: provenance.get(key) for key in keys} | {"generator_seed": record["generator_seed"]}


def command(params: Params, tasks: Sequence[str], arms: Sequence[str]) -> str:
    """The command that runs these tasks and arms as params.yaml has them, every value of it said.

    Raises `UserError` for a task that params.yaml has no data for.
    """
    values: dict[str, Any] = asdict(params) | {"tasks": list(tasks), "models": list(arms)}
    del values["data"]
    settings = {f"data.{task}": params.data_of(task) for task in tasks} | values
    words = [shlex.quote(f"{key}={in_hydras_grammar(value)}") for key, value in settings.items()]
    return " ".join(["dvc exp run", *(f"-S {word}" for word in words)])
