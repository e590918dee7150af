"""A project folder with made-up run folders, in the format that training and evaluation write."""

from __future__ import annotations

import csv
import json
import math
import random
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from softalign.config import EvaluationConfig
from softalign.data.probes.recall import FILLERS, MARKER, VALUES, lag_of
from softalign.evaluation.alignment import error_rate
from softalign.evaluation.probes import recall_by_lag
from softalign.evaluation.scores import corpus_scores, item_statistics, metrics_of
from softalign.params import read_params
from softalign.paths import Layout
from softalign.reporting.claims.catalogue import decide_claims
from softalign.reporting.claims.records import claim_records
from softalign.reporting.claims.verdicts import Verdict
from softalign.reporting.comparisons import Scored, compare_arms, score_items
from softalign.reporting.report import write_report
from softalign.reporting.results import build_results
from softalign.reporting.runs import TaskRuns, read_runs
from softalign.tasks import kind_of
from softalign.training.cost import Cost
from softalign.training.curve import FLAT
from softalign.training.failure import Failure

NOUNS = ["Garten", "Straße", "Brücke", "Übung", "Zug", "Hund", "Brot", "Fenster", "Lied", "Wagen"]
WORDS = ["garden", "street", "bridge", "exercise", "train", "dog", "bread", "window", "song", "car"]
# The share of words that each arm gets right, for short and for long sources.
SKILL = {"vanilla": (0.75, 0.25), "multiply": (0.74, 0.24), "bahdanau": (0.97, 0.93)}
CELL = "elman"
DATA = {
    "translation": "phrasebook",
    "translation_low_resource": "phrasebook",
    "summarization": "newsbriefs",
    "recall": "recall",
}
HEADLINES = {"translation": "bleu", "summarization": "rougeL", "recall": "exact_match"}  # by kind
LAGS = 30


@dataclass(frozen=True)
class Arm:
    """A made-up arm."""

    model: dict[str, Any] = field(default_factory=dict)  # of its configuration, where not the default
    skill: tuple[float, float] = (0.9, 0.6)  # the share of words that it gets right, of short and long sources
    n_parameters: int = 900_000
    still_falls: bool = False  # its validation loss, when training ends


def _arm(name: str) -> Arm:
    """The arm of this name that write_project makes up unless it is given one."""
    score = {"vanilla": None, "multiply": "dot"}.get(name, "additive")
    return Arm(
        {"fusion": name, "score": score}, SKILL.get(name, (0.9, 0.6)), 900_000 + (73_856 if name == "bahdanau" else 0)
    )


@dataclass(frozen=True)
class Reported:
    """A project and what `compare` makes of it."""

    layout: Layout
    evaluation: EvaluationConfig
    tasks: list[TaskRuns]
    scored: list[Scored]
    comparisons: list[dict[str, Any]]
    verdicts: list[Verdict]
    results: dict[str, Any]
    claims: dict[str, Any]

    def write(self) -> Path:
        """Write the report; the folder that it is in."""
        runs = [task.runs for task in self.scored]
        write_report(self.layout, self.results, self.claims, runs, self.evaluation)
        return self.layout.reports


def report_of(root: Path, **options: Any) -> Reported:
    """Write a project with `write_project` and compare its arms."""
    return report_on(write_project(root, **options))


EVALUATION = EvaluationConfig(bootstrap_samples=1000, attention_examples=1, sample_outputs=3)


def report_on(root: Path, evaluation: EvaluationConfig = EVALUATION) -> Reported:
    """Compare the arms of a project."""
    layout = Layout(root)
    params = read_params(layout.params)
    tasks = read_runs(layout, params)
    scored = [score_items(task, evaluation) for task in tasks if task.runs]
    comparisons = [record for task in scored for record in compare_arms(task, evaluation)]
    verdicts = decide_claims(tasks, scored, evaluation)
    incomplete = [run for task in tasks for run in task.incomplete]
    results = build_results(scored, comparisons, verdicts, incomplete, evaluation, layout)
    claims = claim_records(verdicts, tasks, results, params)
    return Reported(layout, evaluation, tasks, scored, comparisons, verdicts, results, claims)


def write_project(
    root: Path,
    tasks: Sequence[str] = ("translation", "summarization"),
    models: Sequence[str] = ("vanilla", "multiply", "bahdanau"),
    seeds: Sequence[int] = (1,),
    rows: int = 120,
    params: bool = True,
    arms: Mapping[str, Arm] | None = None,
) -> Path:
    """Write params.yaml, resolved/, data/ and runs/ below `root`; `arms` come after `models`."""
    made = {name: _arm(name) for name in models} | dict(arms or {})
    root.mkdir(parents=True, exist_ok=True)
    if params:
        content = {
            "tasks": list(tasks),
            "models": list(made),
            "seeds": list(seeds),
            "data": DATA,
            "experiment": None,
            "overrides": [],
        }
        (root / "params.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (root / "dvc.yaml").write_text("stages: {}\n", encoding="utf-8")
        (root / "conf").mkdir(exist_ok=True)
    for task in tasks:
        items = _items(task, rows)
        _write_data(root, task, rows)
        for model, arm in made.items():
            path = root / f"resolved/{task}/{model}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(yaml.safe_dump(_config(task, model, arm)), encoding="utf-8")
            for seed in seeds:
                _write_run(root, task, model, arm, seed, items)
    return root


def diverge(root: Path, model: str, *seeds: int) -> None:
    """Put a training that diverged in the place of each of these runs on translation."""
    for seed in seeds:
        folder = root / "runs/translation" / model / str(seed)
        shutil.rmtree(folder)
        (folder / "train").mkdir(parents=True)
        Failure("gradient norm", 7, 1, 3.5, math.inf, None).write(folder / "train/failure.json")


def _items(task: str, rows: int) -> list[dict[str, Any]]:
    if task == "recall":
        return _recall_items(rows)
    random_ = random.Random(f"items {task}")
    items = []
    for row in range(rows):
        length = 4 + (row * 7) % 40
        ids = [random_.randrange(len(NOUNS)) for _ in range(length)]
        if kind_of(task) == "translation":
            source, target = " ".join(NOUNS[i] for i in ids), " ".join(WORDS[i] for i in ids)
        else:
            source = " ".join(WORDS[i] for i in ids * 2)
            target = " ".join(WORDS[i] for i in ids[: max(4, length // 3)])
        items.append({"row": row, "source": source, "target": target, "references": [target]})
    return items


def _recall_items(rows: int) -> list[dict[str, Any]]:
    """Rows of the task recall; each lag below LAGS in turn."""
    random_ = random.Random("items recall")
    items = []
    for row in range(rows):
        value = random_.choice(VALUES)
        words = [*random_.choices(FILLERS, k=LAGS), MARKER, value, *random_.choices(FILLERS, k=row % LAGS)]
        items.append({"row": row, "source": " ".join(words), "target": value, "references": [value]})
    return items


def _probes(attention: bool, recalled: list[dict[str, Any]] | None) -> dict[str, Any]:
    """Gradients that fall by e for every five tokens without attention, and not at all with it."""
    evaluation = EvaluationConfig(bootstrap_samples=100)
    by_lag = None
    if recalled:
        lags = [lag_of(row["source"]) for row in recalled]
        references = [row["references"] for row in recalled]
        by_lag = recall_by_lag(lags, [row["prediction"] for row in recalled], references, evaluation)
    relative = [1.0 if attention else math.exp(-lag / 5) for lag in range(0, LAGS, 3)]
    return {
        "recall_by_lag": by_lag,
        "gradient_norm": [
            {"low": 3 * place, "high": 3 * place + 2, "tokens": 12, "norm": value / 2, "relative": value}
            for place, value in enumerate(relative)
        ],
        "state_norm": {
            side: [{"place": place, "states": 60 - place, "norm": 4 + place / 10} for place in range(last)]
            for side, last in (("encoder", 45), ("encoder_by_lag", 20), ("decoder", 12))
        },
        "attention_entropy": {"entropy": 0.4, "uniform": 2.6} if attention else None,
    }


def _write_data(root: Path, task: str, rows: int) -> None:
    data = DATA[task]
    splits = {"train": 16000, "validation": 1000, "test": rows}
    _dump(
        root / f"data/raw/{task}/provenance.json",
        {
            "data": data,
            "kind": "embedded",
            "id": data,
            "config": None,
            "revision": "grammar-1",
            "licence": "MIT",
            "rows": splits,
            "sha256": {split: "0" * 64 for split in splits},
            "statistics": {
                "source": {"words": 180_000, "vocabulary": 9_800, "seen_once": 3_400},
                "target": {"words": 190_000, "vocabulary": 6_000, "seen_once": 1_700},
                "templates": 812,
                "test_words_unseen": {"source": 0.01, "target": 0.008},
                "test_templates_unseen": 0.86,
            },
        },
    )
    counts = {
        split: {"read": n, "empty": 0, "too_long": 3, "duplicate": 1, "leaked": 0, "kept": n - 4}
        for split, n in splits.items()
    }
    _dump(
        root / f"data/prepared/{task}/report.json",
        {
            "splits": counts,
            "vocabulary": {"source": 2000, "target": 2000, "asked": 2000, "shared": False},
            "lengths": {
                split: {
                    side: {"min": 4, "median": 17, "max": 50, "mean": 17.5} for side in ("source_words", "target_words")
                }
                for split in splits
            },
            "fingerprint": "ab" * 32,
            "revision": "grammar-1",
        },
    )

    _dump(root / f"data/shifted/{task}/report.json", {"splits": {}})


def _config(task: str, model: str, arm: Arm) -> dict[str, Any]:
    data = DATA[task]
    return {
        "task": {
            "name": task,
            "headline_metric": HEADLINES[kind_of(task)],
            "lead_words": 20 if kind_of(task) == "summarization" else 0,
        },
        "data": {"name": data, "source": {"kind": "embedded", "corpus": data, "seed": 17}},
        "model": {"name": model, "fusion": "vanilla", "cell": CELL, "embedding_size": 128, "hidden_size": 192}
        | arm.model,
        "optimization": {"lr": 0.004, "max_epochs": 8},
        "decoding": {"beam_size": 5},
        "evaluation": {"length_buckets": 5},
        "trainer": {"precision": "fp32", "progress": "auto"},
    }


def _links(words: int, model: str, random_: random.Random) -> dict[str, tuple[int, int, int]]:
    """Links that are right, of one a word: of the better of two baselines half, of attention more or fewer."""
    shares = {"attention": 0.88 if model == "bahdanau" else 0.3, "diagonal": 0.5, "same_word": 0.1}
    fixed = random.Random(f"links {words}")  # a baseline has the same links whatever the arm and the seed
    return {
        name: (sum((random_ if name == "attention" else fixed).random() < share for _ in range(words)), words, words)
        for name, share in shares.items()
    }


def _alignment(links: list[dict[str, tuple[int, int, int]]]) -> dict[str, Any] | None:
    if not links:
        return None
    rates = {name: float(error_rate(np.sum([row[name] for row in links], axis=0))) for name in links[0]}
    return {
        "error_rate": rates["attention"],
        "precision": 0.9,
        "recall": 0.85,
        "entropy": 0.4,
        "entropy_uniform": 2.6,
        "diagonal_error_rate": rates["diagonal"],
        "same_word_error_rate": rates["same_word"],
        "baseline": "diagonal",
        "reachable_error_rate": 0.05,
        "links": 1800,
    }


def _write_run(root: Path, task: str, model: str, arm: Arm, seed: int, items: list[dict[str, Any]]) -> None:
    folder = root / "runs" / task / model / str(seed)
    random_ = random.Random(f"{task} {model} {seed}")
    attention = arm.model.get("fusion", "vanilla") != "vanilla"
    slow = 1.4 if attention else 1.0
    config = _config(task, model, arm)
    (folder / "train").mkdir(parents=True, exist_ok=True)
    (folder / "test").mkdir(parents=True, exist_ok=True)
    (folder / "train/config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    _dump(
        folder / "train/run.json",
        {
            "fingerprint": "cd" * 32,
            "data_fingerprint": "ab" * 32,
            "revision": "grammar-1",
            "git_commit": "0123456789abcdef0123456789abcdef01234567",
            "task": task,
            "model": model,
            "cell": CELL,
            "seed": seed,
            "data": config["data"]["name"],
        },
    )
    floor = {"vanilla": 1.6, "multiply": 1.7, "bahdanau": 0.3}.get(model, 1.0)
    with (folder / "train/history.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["epoch", "step", "train_loss", "validation_loss", "validation_perplexity", "lr", "seconds"])
        for epoch in range(8):
            loss = floor + 4 * 0.5**epoch + random_.random() * 0.02
            writer.writerow([epoch, (epoch + 1) * 250, loss, loss + 0.05, 2.718**loss, 0.002, (epoch + 1) * 6 * slow])
    _dump(
        folder / "train/cost.json",
        asdict(
            Cost(
                precision="fp32",
                n_parameters=arm.n_parameters,
                train_seconds=48.0 * slow,
                wall_seconds=50.0 * slow,
                cores=2,
                jobs=1,
                cpu_seconds=60.0 * slow,
                train_tokens_per_second=30_000 / slow,
                peak_memory_mb=700.0 + 50 * slow,
                peak_accelerator_memory_mb=None,
                epochs=8,
                steps=2000,
                best_epoch=7,
                seconds_to_best=47.0 * slow,
                stopped_early=False,
                flattened=not arm.still_falls,
                late_gain=5 * FLAT if arm.still_falls else 0.0,
                finished_at=0.0,
            )
        ),
    )
    predictions = []
    for item in items:
        words = item["target"].split()
        short, long = arm.skill
        size = lag_of(item["source"]) if task == "recall" else len(item["source"].split())
        share = short + (long - short) * (
            size / {"translation": 44, "summarization": 88, "recall": LAGS}[kind_of(task)]
        )
        others = VALUES if task == "recall" else WORDS
        guess = " ".join(word if random_.random() < share else random_.choice(others) for word in words)
        nll = len(words) * (floor + random_.random() * 0.1)
        predictions.append(
            {
                **item,
                "prediction": guess,
                "log_probability": -nll,
                "negative_log_likelihood": nll,
                "source_words": len(item["source"].split()),
                "target_words": len(words),
            }
            | ({"links": _links(len(words), model, random_)} if attention and kind_of(task) == "translation" else {})
        )
    (folder / "test/predictions.jsonl").write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in predictions), encoding="utf-8"
    )
    level = 100 * sum(arm.skill) / 2
    references = [row["references"] for row in items]
    metrics = metrics_of(HEADLINES[kind_of(task)])
    scores = corpus_scores(item_statistics([row["prediction"] for row in predictions], references, metrics))
    by_length = [
        {
            "low": low,
            "high": low + 8,
            "rows": len(items) // 5,
            "score": level - low / 2,
            "ci_low": level - low / 2 - 3,
            "ci_high": level - low / 2 + 3,
            "metric": config["task"]["headline_metric"],
        }
        for low in range(4, 44, 9)
    ]
    timed = [  # the longest sources are few and far apart: their mean is nowhere near the middle of the ends
        {"low": low, "high": high, "source_words": words, "rows": len(items) // 5, "tokens": len(items) // 5}
        for low, high, words in ((4, 8, 6.0), (9, 14, 12.0), (15, 20, 17.0), (21, 30, 24.0), (31, 90, 40.0))
    ]
    scoring, decoding = (
        [
            bucket
            | {"seconds": (0.001 + each * bucket["source_words"] * slow + random_.gauss(0, 1e-5)) * bucket["tokens"]}
            for bucket in timed
        ]
        for each in (0.0001, 0.0002)
    )
    alignment = _alignment([row["links"] for row in predictions if "links" in row])
    _dump(
        folder / "test/scores.json",
        {
            "training": {"fingerprint": "cd" * 32, "code": None},
            "settings": {key: config[key] for key in ("task", "decoding", "evaluation")} | {"data": {}},
            "test": {"exact_match": 20.0, **scores, "perplexity": 2.718**floor, "n_rows": len(items)},
            "intervals": {metric: {"low": value - 2, "high": value + 2} for metric, value in scores.items()},
            "signatures": {"bleu": "nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0"},
            "by_length": by_length,
            "alignment": alignment,
            "probes": _probes(attention, predictions if task == "recall" else None),
            "cost": {
                "decode_seconds": 3 * slow,
                "decode_sentences_per_second": len(items) / (3 * slow),
                "scoring_by_length": scoring,
                "decoding_by_length": decoding,
                "activations_by_length": [
                    bucket | {"bytes": int(1000 + (20 * bucket["source_words"] if attention else 0)) * bucket["tokens"]}
                    for bucket in timed
                ],
            },
            "gap": {
                "train_perplexity": 2.718 ** (floor - (0.10 if model == "bahdanau" else 0.02)),
                "validation_perplexity": 2.718**floor,
                "test_perplexity": 2.718**floor,
            },
        },
    )
    maps = []
    for item in items[:3] if attention else []:
        source = ["▁" + word for word in item["source"].split()] + ["</s>"]
        target = ["▁" + word for word in item["target"].split()[:25]] + ["</s>"]
        raw = [[0.02 + (1.0 if i == j else 0.0) for j in range(len(source))] for i in range(len(target))]
        weights = [[value / sum(row) for value in row] for row in raw]
        maps.append(
            {
                "row": item["row"],
                "source_tokens": source,
                "target_tokens": target,
                "weights": weights,
                "kind": "prediction",
            }
        )
    _dump(folder / "test/attention.json", maps)


def _dump(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1), encoding="utf-8")
