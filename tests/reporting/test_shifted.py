"""Shifted test sets from the stage evaluate to the report, for arms that were trained for a few steps."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest
import yaml
from tiny_arm import tiny_config, train_tiny, write_toy_data

from softalign.config import Config, NoiseTest
from softalign.data.shifted import prepare_shifted
from softalign.errors import UserError
from softalign.evaluation.scores import corpus_scores
from softalign.paths import Layout
from softalign.reporting.claims.generalisation import generalises_better
from softalign.reporting.claims.verdicts import Case
from softalign.reporting.comparisons import score_items
from softalign.reporting.runs import TaskRuns, read_run
from softalign.reporting.shifted_table import shifted_table
from softalign.stages import evaluate
from softalign.training.cost import Cost
from softalign.typed import to_dict

stage = evaluate.main.__wrapped__  # type: ignore[attr-defined]  # the library call below Hydra's command line
COST = Cost(
    precision="fp32",
    n_parameters=1,
    train_seconds=1.0,
    wall_seconds=1.0,
    cores=2,
    jobs=1,
    cpu_seconds=1.0,
    train_tokens_per_second=1.0,
    peak_memory_mb=1.0,
    peak_accelerator_memory_mb=None,
    epochs=1,
    steps=60,
    best_epoch=1,
    seconds_to_best=1.0,
    stopped_early=False,
    flattened=True,
    late_gain=0.0,
    finished_at=0.0,
)


def shifted_config(fusion: str) -> Config:
    config = tiny_config(fusion)
    cleaning = replace(config.data.cleaning, train_max_source_words=4)
    noise = {"test_noise": NoiseTest(rate=0.2, rows=20)}
    return replace(config, data=replace(config.data, cleaning=cleaning, shifted_tests=noise))


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """Two arms, evaluated on their test set, on noise and on sources longer than those trained on."""
    layout = Layout(tmp_path_factory.mktemp("project"))
    prepared = write_toy_data(layout, shifted_config("vanilla"))
    data = shifted_config("vanilla").data
    prepare_shifted(layout.raw("translation"), prepared, layout.shifted("translation"), data)
    for fusion in ("vanilla", "bahdanau"):
        config = shifted_config(fusion)
        run = train_tiny(layout, config, steps=60)
        (run / "train" / "cost.json").write_text(json.dumps(asdict(COST)))
        (run / "train" / "config.yaml").write_text(yaml.safe_dump(to_dict(config)))
        stage(config, layout)
    return layout


def test_training_saw_no_longer_source_and_the_test_set_has_them(layout: Layout) -> None:
    report = json.loads((layout.prepared("translation") / "report.json").read_text())
    assert report["lengths"]["train"]["source_words"]["max"] == 4
    assert report["lengths"]["validation"]["source_words"]["max"] == 4
    assert report["lengths"]["test"]["source_words"]["max"] == 6
    assert report["splits"]["train"]["untrained_length"] > 0 == report["splits"]["test"]["untrained_length"]


def test_what_is_read_gives_the_scores_that_were_written(layout: Layout) -> None:
    for fusion in ("vanilla", "bahdanau"):
        run = read_run(layout.run("translation", fusion, 1))
        assert list(run.shifted) == list(run.scores["shifted"]) == ["test_noise", "longer"]
        assert run.statistics is not None
        for name, found in run.shifted.items():
            written = run.scores["shifted"][name]
            for metric, test in run.statistics.items():
                base, shifted = found.statistics(test, metric)
                assert base.corpus_score() == pytest.approx(written["base"][metric])
                assert shifted.corpus_score() == pytest.approx(written[metric])
                assert (len(base), len(shifted)) == (written["base"]["n_rows"], written["n_rows"])
        longer = run.scores["shifted"]["longer"]
        assert longer["n_rows"] + longer["base"]["n_rows"] == run.scores["test"]["n_rows"]
        assert run.shifted["test_noise"].is_paired and not run.shifted["longer"].is_paired


def test_items_that_do_not_belong_to_the_predictions_are_counted_again(layout: Layout) -> None:
    run = layout.run("translation", "vanilla", 1)
    expected = read_run(run)
    path = run / "test" / "shifted" / "test_noise" / "items.npz"
    before = path.read_bytes()
    path.write_bytes(b"damaged")
    found = read_run(run).shifted["test_noise"]
    path.write_bytes(before)
    assert found.stored is None and expected.statistics is not None
    counted = {metric: found.statistics(items, metric)[1] for metric, items in expected.statistics.items()}
    for metric, score in corpus_scores(counted).items():
        assert score == pytest.approx(expected.scores["shifted"]["test_noise"][metric])


def test_predictions_that_are_missing_name_the_command(layout: Layout) -> None:
    run = layout.run("translation", "vanilla", 1)
    path = run / "test" / "shifted" / "test_noise" / "predictions.jsonl"
    before = path.read_bytes()
    path.unlink()
    with pytest.raises(UserError, match="test_noise"):
        read_run(run)
    path.write_bytes(before)


def test_a_second_evaluation_writes_the_same(layout: Layout) -> None:
    run = layout.run("translation", "vanilla", 1)
    before = {path: path.read_bytes() for path in (run / "test" / "shifted").rglob("*") if path.is_file()}
    assert len(before) == 2
    stage(shifted_config("vanilla"), layout)
    assert {path: path.read_bytes() for path in (run / "test" / "shifted").rglob("*") if path.is_file()} == before


def test_the_effect_of_the_claim_is_that_of_the_scores_on_disk(layout: Layout) -> None:
    config = shifted_config("vanilla")
    runs = {(fusion, 1): read_run(layout.run("translation", fusion, 1)) for fusion in ("vanilla", "bahdanau")}
    arms = {model: shifted_config(model).model for model, _ in runs}
    task = TaskRuns("translation", [1], list(arms), arms, runs, incomplete=[])
    found = generalises_better(Case(score_items(task, config.evaluation), "vanilla", "bahdanau", config.evaluation))
    for verdict, name in zip(found, ("test_noise", "longer"), strict=True):
        lost = {}
        for (fusion, _), run in runs.items():
            own = run.scores["shifted"][name]
            lost[fusion] = 100 * (1 - own["bleu"] / own["base"]["bleu"])
        assert verdict.effect == pytest.approx(lost["bahdanau"] - lost["vanilla"])
        assert verdict.quantity.startswith(f"{name}: ")


def record(model: str, seed: int, score: float, base: float | None) -> dict[str, object]:
    own = {"bleu": score, "n_rows": 100, "intervals": {"bleu": {"low": score - 1, "high": score + 1}}}
    before = None if base is None else {"bleu": base, "n_rows": 1000}
    return {"task": "translation", "model": model, "seed": seed, "shifted": {"noise": own | {"base": before}}}


def results(*runs: dict[str, object], seeds: tuple[int, ...] = (1,)) -> dict[str, object]:
    task = {"headline_metric": "bleu", "models": ["vanilla", "bahdanau"], "seeds": list(seeds)}
    return {"runs": list(runs), "tasks": {"translation": task}, "bootstrap": {"confidence": 0.95}}


def test_the_table_by_hand() -> None:
    table = shifted_table(results(record("vanilla", 1, 10, 20), record("bahdanau", 1, 30, 40)), "translation")
    assert table is not None
    assert table.rows == [
        ["noise", "vanilla", "100", "10.0", "9.0 … 11.0", "1,000", "20.0", "+10.0", "+50.0"],
        ["noise", "bahdanau", "100", "30.0", "29.0 … 31.0", "1,000", "40.0", "+10.0", "+25.0"],
    ]
    assert "BLEU" in table.columns and "seed 1" in table.caption


def test_the_table_over_seeds_and_where_something_lacks() -> None:
    table = shifted_table(
        results(record("vanilla", 1, 10, 20), record("vanilla", 2, 12, 48), seeds=(1, 2)), "translation"
    )
    assert table is not None
    assert table.rows[0] == ["noise", "vanilla", "100", "11.0", "± 1.4", "1,000", "34.0", "+23.0", "+62.5"]
    assert table.rows[1] == ["noise", "bahdanau", *["–"] * 7]
    nothing = shifted_table(results(record("vanilla", 1, 10, None)), "translation")
    assert nothing is not None and nothing.rows[0][5:] == ["–"] * 4
    assert shifted_table(results({"task": "translation", "model": "vanilla", "shifted": {}}), "translation") is None
