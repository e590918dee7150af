from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from mlflow_server import Server

from softalign.config import Config, TrackingConfig
from softalign.paths import Layout
from softalign.reporting.run_figures import run_figures
from softalign.training.failure import DivergedError, Failure, failure_kept
from softalign.training.fit import TrainingResult, fit
from softalign.training.identity import Identity, identify, training_of
from softalign.training.mlflow_store import connect, tracking_uri
from softalign.training.module import Seq2SeqModule
from softalign.training.points import Point
from softalign.training.tracking import RunTracker, record_runs, tracked_training
from softalign.typed import to_dict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

Configured = Callable[..., Config]
PREDICTIONS = [
    {"row": row, "source": "eins zwei", "target": "one two", "references": ["one two"], "prediction": f"one {row}"}
    for row in range(3)
]


@pytest.fixture(scope="module")
def trained(prepared: Path, configured: Configured, tmp_path_factory: pytest.TempPathFactory) -> TrainingResult:
    return fit(prepared, configured(max_epochs=2), tmp_path_factory.mktemp("trained"))


@pytest.fixture
def layout(empty_store: Path, prepared: Path, tmp_path: Path) -> Layout:
    """A project with prepared data and an MLflow store without runs."""
    project = tmp_path / "project"
    shutil.copytree(empty_store, project)
    shutil.copytree(prepared, Layout(project).prepared("translation"))
    return Layout(project)


def run_folder(layout: Layout, trained: TrainingResult, bleu: float | None = None, beam_size: int = 3) -> Path:
    """A run of the project as training left it and, with a score, evaluation."""
    folder = layout.run("translation", "bahdanau", 1)
    shutil.copytree(trained.folder, folder / "train", dirs_exist_ok=True)
    if bleu is not None:
        (folder / "test").mkdir(exist_ok=True)
        bucket = {"low": 1, "rows": 20, "metric": "bleu", "ci_low": 1.0, "ci_high": 99.0}
        identity = Identity.read(folder / "train" / "run.json")
        scores = {
            "training": training_of(folder / "train", identity.fingerprint),
            "test": {"bleu": bleu, "exact_match": None, "n_rows": 40},
            "by_length": [bucket | {"high": 4, "score": bleu + 1}, bucket | {"high": 9, "score": bleu - 1}],
            "alignment": {"error_rate": 0.25},
            "gap": {"train_perplexity": 2.0},
            "cost": {"decode_seconds": 0.5},
            "settings": {
                "decoding": asdict(config_of(trained).decoding) | {"beam_size": beam_size},
                "evaluation": asdict(config_of(trained).evaluation),
            },
        }
        (folder / "test" / "scores.json").write_text(json.dumps(scores))
        (folder / "test" / "predictions.jsonl").write_text("\n".join(map(json.dumps, PREDICTIONS)))
        seen = {"row": 3, "weights": [[0.5, 0.5]], "source_tokens": ["a", "b"], "target_tokens": ["A"]}
        (folder / "test" / "attention.json").write_text(json.dumps([seen]))
    return folder


def config_of(trained: TrainingResult) -> Config:
    import yaml

    from softalign.typed import typed

    return typed(yaml.safe_load((trained.folder / "config.yaml").read_text()))


def client_of(layout: Layout) -> MlflowClient:
    return connect(tracking_uri(TrackingConfig(), layout.store))


def runs_of(client: MlflowClient, experiment: str = "translation") -> list[Run]:
    found = client.get_experiment_by_name(experiment)
    return client.search_runs([found.experiment_id]) if found else []


def curve(client: MlflowClient, run: Run, key: str) -> list[tuple[int, float]]:
    return sorted((metric.step, metric.value) for metric in client.get_metric_history(run.info.run_id, key))


def expected_curve(trained: TrainingResult, key: str) -> list[tuple[int, float]]:
    return [(int(row["step"]), row[key]) for row in trained.history]


def test_a_training_is_one_run_with_its_curves(
    layout: Layout,
    prepared: Path,
    configured: Configured,
    trained: TrainingResult,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("softalign.training.tracking.WARM_UP", 0.0)
    config = configured(max_epochs=2, tracked=True)
    output = layout.run("translation", "bahdanau", 1) / "train"
    for _ in range(2):  # repeated, nothing doubles
        identity = identify(config, prepared)
        with tracked_training(config, layout, identity, output) as tracker:
            fit(prepared, config, output, tracker)
        shutil.rmtree(output)
    client = client_of(layout)
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    assert curve(client, run, "validation_loss") == expected_curve(trained, "validation_loss")
    assert curve(client, run, "lr") == expected_curve(trained, "lr")
    assert curve(client, run, "step_train_loss") == [(int(row["step"]), row["train_loss"]) for row in trained.steps]
    assert run.data.metrics["cost.n_parameters"] == trained.cost.n_parameters
    assert run.data.params["model.hidden_size"] == str(config.model.hidden_size)
    assert run.data.params["optimization.lr"] == "0.01"
    expected = {"task": "translation", "model": "bahdanau", "cell": "gru", "seed": "1", "data": "numbers"}
    assert {key: run.data.tags[key] for key in expected} == expected
    assert run.data.tags["data_fingerprint"] == identity.data_fingerprint
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "train")}
    assert {"train/config.yaml", "train/history.csv", "train/cost.json"} <= artifacts
    found = client.search_runs([run.info.experiment_id], "tags.model = 'bahdanau' and tags.seed = '1'")
    assert [other.info.run_id for other in found] == [run.info.run_id]


def test_a_short_training_of_the_pipeline_is_left_to_its_last_stage(
    layout: Layout, prepared: Path, configured: Configured
) -> None:
    config = configured(tracked=True)
    identity = identify(config, prepared)
    for project, expected in ((layout, 0), (replace(layout, by_hand="mine"), 1)):
        output = project.run("translation", "bahdanau", 1) / "train"
        with tracked_training(config, project, identity, output) as tracker:
            fit(prepared, config, output, tracker)
        assert len(runs_of(client_of(layout))) == expected


def test_files_alone_give_the_same_run(layout: Layout, trained: TrainingResult) -> None:
    record_runs(TrackingConfig(), layout, [run_folder(layout, trained, bleu=60.0)], run_figures)
    client = client_of(layout)
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    for key in ("train_loss", "validation_loss", "validation_perplexity", "lr"):
        assert curve(client, run, key) == expected_curve(trained, key)
    assert run.data.metrics["test.bleu"] == 60.0
    assert run.data.metrics["alignment.error_rate"] == 0.25
    assert run.data.metrics["cost.decode_seconds"] == 0.5
    assert "test.exact_match" not in run.data.metrics
    assert curve(client, run, "test_bleu_by_length") == [(4, 61.0), (9, 59.0)]
    artifacts = {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert {"predictions.json", "by_length.json", "figures", "test", "train"} <= artifacts
    drawn = {artifact.path for artifact in client.list_artifacts(run.info.run_id, "figures")}
    assert drawn == {f"figures/{name}.png" for name in ("loss-curves", "quality-by-length", "attention-3")}
    assert run.info.end_time == round(1000 * trained.cost.finished_at)


def test_a_run_that_is_opened_late_began_with_its_training(
    layout: Layout, prepared: Path, configured: Configured
) -> None:
    config = configured(max_epochs=2)
    identity = identify(config, prepared)
    started = time.time()
    tracker = RunTracker(tracking_uri(TrackingConfig(), layout.store), identity, config, warm_up=0.5)
    assert not runs_of(client_of(layout))
    time.sleep(0.5)
    tracker.log([])
    (run,) = runs_of(client_of(layout))
    assert abs(run.info.start_time / 1000 - started) < 0.4


def test_scores_of_an_earlier_training_are_not_told(layout: Layout, trained: TrainingResult) -> None:
    folder = run_folder(layout, trained, bleu=60.0)
    path = folder / "test" / "scores.json"
    scores = json.loads(path.read_text())
    scores["training"]["code"] = "before the edit"
    path.write_text(json.dumps(scores))
    record_runs(TrackingConfig(), layout, [folder], run_figures)
    client = client_of(layout)
    (run,) = runs_of(client)
    assert "validation_loss" in run.data.metrics and "test.bleu" not in run.data.metrics
    assert "test" not in {artifact.path for artifact in client.list_artifacts(run.info.run_id)}


def table(client: MlflowClient, run: Run, name: str, folder: Path) -> Any:
    return json.loads(Path(client.download_artifacts(run.info.run_id, name, str(folder))).read_text())


def test_recording_again_changes_nothing_and_a_new_evaluation_replaces(
    layout: Layout, trained: TrainingResult, tmp_path: Path
) -> None:
    folder = run_folder(layout, trained, bleu=60.0)
    drawn = []
    for _ in range(2):
        record_runs(TrackingConfig(), layout, [folder], lambda record: drawn.append(record) or {})
    assert len(drawn) == 1  # what MLflow has is not drawn again
    client = client_of(layout)
    (run,) = runs_of(client)
    assert len(curve(client, run, "test.bleu")) == 1
    assert len(table(client, run, "predictions.json", tmp_path)["data"]) == len(PREDICTIONS)
    assert run.data.tags["decoding.beam_size"] == "3"

    run_folder(layout, trained, bleu=70.0, beam_size=5)
    record_runs(TrackingConfig(), layout, [folder])
    (run,) = runs_of(client)
    assert run.data.metrics["test.bleu"] == 70.0
    assert run.data.tags["decoding.beam_size"] == "5"
    rows = table(client, run, "predictions.json", tmp_path)
    assert rows["columns"] == list(PREDICTIONS[0])
    assert [row[-1] for row in rows["data"]] == ["one 0", "one 1", "one 2"]
    assert len(client.search_logged_models([run.info.experiment_id])) == 2  # one for each way of decoding


def test_a_run_that_was_deleted_stays_deleted(layout: Layout, trained: TrainingResult) -> None:
    folder = run_folder(layout, trained)
    record_runs(TrackingConfig(), layout, [folder])
    client = client_of(layout)
    client.delete_run(runs_of(client)[0].info.run_id)
    record_runs(TrackingConfig(), layout, [folder])
    assert runs_of(client) == []


@pytest.mark.parametrize(("error", "status"), [(RuntimeError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_what_ends_before_its_time_says_so_and_is_continued(
    layout: Layout, prepared: Path, configured: Configured, error: type[BaseException], status: str
) -> None:
    config = configured(tracked=True)
    identity = identify(config, prepared)
    output = layout.run("translation", "bahdanau", 1) / "train"
    with pytest.raises(error), tracked_training(config, layout, identity, output) as tracker:
        assert tracker is not None
        tracker.log([Point("train_loss", 2.0, 1)])
        raise error
    client = client_of(layout)
    (run,) = runs_of(client)
    assert run.info.status == status
    tracker = RunTracker(tracking_uri(TrackingConfig(), layout.store), identity, config)
    tracker.log([Point("train_loss", 2.0, 1), Point("train_loss", 1.0, 2)])
    assert runs_of(client)[0].info.status == "RUNNING"
    tracker.close("FINISHED")
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    assert curve(client, run, "train_loss") == [(1, 2.0), (2, 1.0)]


def test_switched_off_it_does_nothing(
    layout: Layout, prepared: Path, configured: Configured, trained: TrainingResult
) -> None:
    config = configured(tracked=False)
    with tracked_training(config, layout, identify(config, prepared), layout.root / "train") as tracker:
        assert tracker is None
    record_runs(config.tracking, layout, [run_folder(layout, trained)])
    assert runs_of(client_of(layout)) == []


def test_a_run_that_is_not_complete_is_a_warning(
    layout: Layout, trained: TrainingResult, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run_folder(layout, trained)
    (folder / "train" / "cost.json").write_text("{")
    record_runs(TrackingConfig(), layout, [folder, layout.run("translation", "vanilla", 1)])
    warnings = capsys.readouterr().err.splitlines()
    assert len(warnings) == 2 and all(line.startswith("warning: MLflow is not told about") for line in warnings)


def test_the_logged_model_translates(layout: Layout, trained: TrainingResult, tmp_path: Path) -> None:
    """In another process, from another folder, after the project has been moved."""
    import torch

    from softalign.data.prepared import load_prepared
    from softalign.data.tokenizer import EOS
    from softalign.decoding import search

    record_runs(TrackingConfig(), layout, [run_folder(layout, trained, bleu=60.0)])
    data = load_prepared(layout.prepared("translation"))
    texts = ["eins zwei drei", "zehn elf", "sieben"]
    expected = []
    for text in texts:
        ids = torch.tensor([[*data.source_tokenizer.encode(text), EOS]])
        (found,) = search(trained.load_model(), ids, torch.tensor([ids.size(1)]), config_of(trained).decoding)
        expected.append(data.target_tokenizer.decode(found.tokens))
    moved = layout.root.rename(tmp_path / "moved project")
    client = client_of(Layout(moved))
    (run,) = runs_of(client)
    (model,) = client.search_logged_models([run.info.experiment_id])
    code = (
        "import json, sys, mlflow\n"
        "mlflow.set_tracking_uri(sys.argv[1])\n"
        "model = mlflow.pyfunc.load_model(f'models:/{sys.argv[2]}')\n"
        "print(json.dumps(model.predict(json.loads(sys.argv[3]))))"
    )
    uri = tracking_uri(TrackingConfig(), moved)
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        code,
        uri,
        model.model_id,
        json.dumps(["eins  zwei drei", *texts[1:]]),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == expected


@pytest.fixture
def server(empty_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("MLFLOW_SERVER_ENABLE_JOB_EXECUTION", "false")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    folder = tmp_path / "server"
    shutil.copytree(empty_store, folder)
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "served")]
    started = Server(folder, command)
    try:
        started.start()
        yield started
    finally:
        started.stop()


def test_a_training_that_diverges_fails_its_run_until_it_ends_well(
    server: Server,
    layout: Layout,
    prepared: Path,
    configured: Configured,
    trained: TrainingResult,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tracking = TrackingConfig(uri=server.uri)
    config = replace(configured(max_epochs=2), tracking=tracking)
    work, output = layout.root / "work", layout.run("translation", "bahdanau", 1) / "train"
    original = Seq2SeqModule.training_step

    def spoilt(module: Seq2SeqModule, *arguments: Any) -> Any:
        if module.global_step == 11:
            next(module.model.parameters()).data.fill_(float("nan"))
        return original(module, *arguments)

    monkeypatch.setattr(Seq2SeqModule, "training_step", spoilt)
    identity = identify(config, prepared)
    with (
        pytest.raises(DivergedError, match="at step 12, in epoch 2"),
        failure_kept(output, identity, config),
        tracked_training(config, layout, identity, output) as tracker,
    ):
        fit(prepared, config, work, tracker)
    client = connect(server.uri)
    (run,) = runs_of(client)
    assert run.info.status == "FAILED" and run.info.end_time
    tags = {key.removeprefix("failure."): tag for key, tag in run.data.tags.items() if key.startswith("failure.")}
    assert tags == {
        "quantity": "training loss",
        "step": "12",
        "epoch": "2",
        "loss": "nan",
        "gradient_norm": "nan",
        "last_checkpoint": str(work / "last.ckpt"),
    }
    assert curve(client, run, "validation_loss") == expected_curve(trained, "validation_loss")[:1]
    assert [step for step, _ in curve(client, run, "step_train_loss")] == [8, 10]  # all up to where it diverged
    record_runs(tracking, layout, [output.parent])
    assert runs_of(client)[0].info.status == "FAILED"
    assert capsys.readouterr().err == ""

    shutil.rmtree(output)  # as DVC does before it starts a training again
    record_runs(tracking, layout, [run_folder(layout, trained)])
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    assert not [key for key in run.data.tags if key.startswith("failure.")]
    assert curve(client, run, "validation_loss") == expected_curve(trained, "validation_loss")


def test_a_training_that_diverged_out_of_mlflows_reach_is_failed_later(
    layout: Layout, prepared: Path, configured: Configured, capsys: pytest.CaptureFixture[str]
) -> None:
    config, tracking = configured(), TrackingConfig()
    identity, output = identify(config, prepared), layout.run("translation", "bahdanau", 1) / "train"
    output.mkdir(parents=True)
    seen = Failure("gradient norm", 12, 2, 3.5, math.inf, None)
    with pytest.raises(DivergedError), failure_kept(output, identity, config):
        raise DivergedError("arm", seen)
    client = connect(tracking_uri(tracking, layout.store))
    found = []
    for _ in range(2):
        record_runs(tracking, layout, [output.parent])
        (run,) = runs_of(client)
        found.append((run.info.status, run.info.end_time, run.data.tags["failure.step"], run.data.tags["model"]))
    assert found[0] == found[1] and found[0][0] == "FAILED" and found[0][2:] == ("12", "bahdanau")
    client.set_terminated(run.info.run_id, "FINISHED")  # the same training ends well by hand
    record_runs(tracking, layout, [output.parent])
    assert runs_of(client)[0].info.status == "FINISHED"
    assert capsys.readouterr().err == ""


class StopsTheServer(RunTracker):
    """A tracker whose server goes away after the first epoch."""

    server: Server

    def log(self, points: Any) -> None:
        points = list(points)
        super().log(points)
        if any(point.key == "validation_loss" for point in points):
            self.server.stop()


def test_a_server_that_goes_away_costs_no_training(
    server: Server,
    layout: Layout,
    prepared: Path,
    configured: Configured,
    trained: TrainingResult,
    capsys: pytest.CaptureFixture[str],
) -> None:
    tracking = TrackingConfig(uri=server.uri)
    config = replace(configured(max_epochs=2), tracking=tracking)
    tracker = StopsTheServer(server.uri, identify(config, prepared), config)
    tracker.server = server
    output = layout.run("translation", "bahdanau", 1) / "train"
    result = fit(prepared, config, output, tracker)
    tracker.close("FINISHED")
    record_runs(tracking, layout, [output.parent])
    assert result.cost.epochs == 2
    assert "going on without it" in capsys.readouterr().err

    server.start()
    client = connect(server.uri)
    (run,) = runs_of(client)
    assert run.info.status == "RUNNING"
    assert len(curve(client, run, "validation_loss")) == 1  # until it went away
    record_runs(tracking, layout, [run_folder(layout, trained, bleu=60.0)])
    (run,) = runs_of(client)
    assert run.info.status == "FINISHED"
    assert curve(client, run, "validation_loss") == expected_curve(trained, "validation_loss")
    assert "predictions.json" in {artifact.path for artifact in client.list_artifacts(run.info.run_id)}
    assert len(client.search_logged_models([run.info.experiment_id])) == 1


def test_a_server_that_never_answers_costs_seconds(
    layout: Layout,
    prepared: Path,
    configured: Configured,
    trained: TrainingResult,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    calls = 0
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        tracking = TrackingConfig(uri=f"http://127.0.0.1:{silent.getsockname()[1]}")
        config = replace(configured(), tracking=tracking)
        tracker = RunTracker(tracking.uri or "", identify(config, prepared), config)

        def count(*_: object) -> None:
            nonlocal calls
            calls += 1
            raise ConnectionError

        monkeypatch.setattr(tracker, "_opened", count)
        for step in range(100):
            tracker.log([Point("train_loss", 1.0, step)])
        assert calls == 0  # it waits before it tries again, rather than once an epoch
        record_runs(tracking, layout, [run_folder(layout, trained)])
    assert capsys.readouterr().err.count("going on without it") == 2


def test_asking_for_help_loads_neither_lightning_nor_mlflow() -> None:
    code = (
        "import sys\nimport softalign.stages.train\nimport softalign.training.mlflow_store\n"
        "print([name for name in ('torch', 'pytorch_lightning', 'mlflow', 'datasets') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_fingerprint_is_of_the_configuration_in_the_run(trained: TrainingResult, prepared: Path) -> None:
    assert identify(config_of(trained), prepared).fingerprint == trained.identity.fingerprint
    assert to_dict(config_of(trained))["seed"] == 1
