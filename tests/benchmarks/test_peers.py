"""The comparison with other toolkits: what they are given, the conversation, the tables. No peer is installed here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import IO

import pytest
import yaml
from project import ROOT

from benchmarks.page import command
from benchmarks.peers import environments
from benchmarks.peers.__main__ import SETTINGS, against, decoding_speed, longer, parse
from benchmarks.peers.contest import OURS, Contender, Contest
from benchmarks.peers.data import export
from benchmarks.peers.environments import JOEYNMT, OPENNMT, python_of
from benchmarks.peers.session import Run
from benchmarks.peers.settings import check_comparable, joeynmt_settings, opennmt_settings
from benchmarks.workload import prepared_data
from softalign.composition import compose
from softalign.data.datamodule import Seq2SeqData
from softalign.data.prepared import Prepared
from softalign.data.tokenizer import EOS, PAD
from softalign.errors import UserError
from softalign.paths import Layout

TINY = [
    *SETTINGS,
    "experiment=smoke",
    "model.embedding_size=8",
    "model.hidden_size=8",
    "model.attention_size=8",
    "optimization.batch_size=16",
    "data.tokenizer.vocabulary_size=300",
]
LENGTH = 4


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A project of its own, so that nothing is left in this one's outputs."""
    root = tmp_path_factory.mktemp("project")
    (root / "conf").symlink_to(ROOT / "conf")
    (root / "dvc.yaml").symlink_to(ROOT / "dvc.yaml")
    return Layout(root)


@pytest.fixture(scope="module")
def prepared(layout: Layout) -> Prepared:
    return prepared_data(compose(layout, TINY), layout)


@pytest.fixture(scope="module")
def folder(prepared: Prepared, layout: Layout) -> Path:
    export(prepared, layout.root / "run", sentences=5)
    return layout.root / "run"


def ids(path: Path) -> list[list[int]]:
    """The token ids of each line."""
    return [[int(token.removeprefix("t")) for token in line.split(" ")] for line in path.read_text().splitlines()]


@pytest.mark.parametrize(("split", "loader"), [("train", "train_dataloader"), ("validation", "val_dataloader")])
def test_the_files_hold_the_sequences_that_softalign_batches(
    prepared: Prepared, folder: Path, layout: Layout, split: str, loader: str
) -> None:
    sources, targets = ids(folder / f"{split}.source"), ids(folder / f"{split}.target")
    config = compose(layout, TINY)
    seen = 0
    for batch in getattr(Seq2SeqData(prepared, config.optimization, seed=1), loader)():
        for row, source, target in zip(batch.rows, batch.source.tolist(), batch.target_out.tolist(), strict=True):
            assert [*sources[row], EOS] == [token for token in source if token != PAD]
            assert [*targets[row], EOS] == [token for token in target if token != PAD]
            seen += 1
    assert seen == len(sources) == len(targets)


def test_the_vocabularies_are_softaligns_without_its_special_tokens(prepared: Prepared, folder: Path) -> None:
    for side, tokenizer in (("source", prepared.source_tokenizer), ("target", prepared.target_tokenizer)):
        tokens = (folder / f"{side}.vocabulary").read_text().splitlines()
        assert tokens == [f"t{index}" for index in range(3, len(tokenizer))]
        used = {f"t{index}" for line in ids(folder / f"train.{side}") for index in line}
        assert used <= set(tokens)


def test_the_sentences_to_decode_are_the_first_of_the_test_split(prepared: Prepared, folder: Path) -> None:
    assert ids(folder / "decode.source") == prepared.splits["test"]["source_ids"].to_pylist()[:5]


def test_all_sides_get_the_same_sizes(layout: Layout, folder: Path) -> None:
    config = compose(layout, SETTINGS)
    joeynmt = joeynmt_settings(config, folder, LENGTH)
    opennmt = opennmt_settings(config, folder, "mlp", rows=100)
    encoder, decoder = joeynmt["model"]["encoder"], joeynmt["model"]["decoder"]
    assert (encoder["hidden_size"], decoder["hidden_size"], opennmt["hidden_size"]) == (256, 512, 512)
    assert encoder["embeddings"]["embedding_dim"] == opennmt["word_vec_size"] == 256
    assert decoder["embeddings"]["dropout"] == decoder["hidden_dropout"] == opennmt["dropout"][0] == 0.3
    assert joeynmt["training"]["batch_size"] == opennmt["batch_size"] == 128
    assert joeynmt["training"]["learning_rate"] == opennmt["learning_rate"] == 0.001
    assert joeynmt["training"]["clip_grad_norm"] == opennmt["max_grad_norm"] == 1.0
    assert opennmt["bucket_size"] == 100
    yaml.safe_dump([joeynmt, opennmt])


@pytest.mark.parametrize("override", ["model=vanilla", "model.cell=elman", "optimization.batch_unit=tokens"])
def test_what_the_peers_do_not_have_is_refused(layout: Layout, override: str) -> None:
    with pytest.raises(UserError):
        check_comparable(compose(layout, [*SETTINGS, override]))


def contest(layout: Layout, folder: Path, contenders: list[Contender]) -> Contest:
    run = folder / "run.json"
    common = Run(folder, seed=1, threads=1, length=LENGTH, decoding_batch=3, overrides=TINY)
    run.write_text(json.dumps(asdict(common) | {"folder": str(folder)}))
    return Contest(contenders, layout.root, run, folder / "logs", failures=[])


def test_a_worker_trains_decodes_and_validates_when_asked(layout: Layout, folder: Path) -> None:
    command = (sys.executable, "-m", "benchmarks.peers.softalign_worker")
    dying = Contender("dying", (sys.executable, "-c", "raise SystemExit('no such toolkit')"), ())
    with contest(layout, folder, [Contender(OURS, command, (ROOT, ROOT / "src")), dying]) as sides:
        assert list(sides.workers) == [OURS]
        assert len(sides.failures) == 1 and "dying.log" in sides.failures[0]
        assert "no such toolkit" in (folder / "logs" / "dying.log").read_text()
        ours = sides.workers[OURS]
        assert ours.about["parameters"] > 1000
        every_target = ids(folder / "train.target")
        steps = -(-len(every_target) // 16)
        epoch = ours.ask(train=steps)  # the tokens of an epoch are those of the file, with an end for each sentence
        assert epoch["sentences"] == len(every_target) and epoch["seconds"] > 0
        assert epoch["target_tokens"] == sum(map(len, every_target)) + len(every_target)
        for beam in (1, 3):
            decoded = ours.ask(decode=beam)
            assert (decoded["sentences"], decoded["shortest"], decoded["longest"]) == (5, LENGTH, LENGTH)
        assert ours.ask(peak=True)["mib"] > 50
        first = ours.ask(until=100.0, every=2, limit=60)
        assert first["steps"] == 2 and first["loss"] < 100.0
        later = ours.ask(until=first["loss"] - 0.05, every=10, limit=60)
        assert later["steps"] % 10 == 0 and later["loss"] <= first["loss"] - 0.05
        assert ours.ask(until=0.0, every=1, limit=0)["loss"] > 0  # given up


def test_a_side_that_dies_between_commands_is_left_out(layout: Layout, folder: Path) -> None:
    one_answer = "print('{}', flush=True); input(); print('{\"seconds\": 1}', flush=True); input()"
    short = Contender("short", (sys.executable, "-c", one_answer), ())
    with contest(layout, folder, [short]) as sides:
        assert sides.rounds(2, lambda answer: answer["seconds"], train=1) == {}
        assert len(sides.failures) == 1 and "short stopped" in sides.failures[0]


def test_a_package_that_cannot_be_installed_gives_one_line_with_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(command: list[str], stdout: IO[str], stderr: int) -> subprocess.CompletedProcess[str]:
        stdout.write("no such package\n")
        return subprocess.CompletedProcess(command, 1)

    monkeypatch.setattr(environments.subprocess, "run", fail)
    with pytest.raises(UserError, match="joeynmt-install.log") as caught:
        python_of(JOEYNMT, tmp_path)
    assert "\n" not in str(caught.value)
    assert (tmp_path / "joeynmt-install.log").read_text() == "no such package\n"


def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def succeed(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        (tmp_path / "opennmt").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(environments.subprocess, "run", succeed)
    assert python_of(OPENNMT, tmp_path) == python_of(OPENNMT, tmp_path)
    assert [command[-1] for command in commands[1:]] == [str(OPENNMT.requirements), OPENNMT.requirement]


def test_outputs_of_other_lengths_are_refused() -> None:
    answer = {"seconds": 2.0, "sentences": 10, "shortest": 20, "longest": 20}
    assert decoding_speed(answer) == 5.0
    with pytest.raises(UserError, match="19 to 20"):
        decoding_speed(answer | {"shortest": 19})


def test_the_command_of_a_page_repeats_it() -> None:
    words = ["--rounds", "7", "data=multi30k", "model.hidden_size=64", "--output", "somewhere.md"]
    line = command("benchmarks.peers", parse(words), parse([]))
    assert line == "python -m benchmarks.peers --rounds 7 data=multi30k model.hidden_size=64"
    assert vars(parse(line.split()[3:])) == vars(parse(words)) | {"output": None}


def test_ratios_are_softaligns_to_the_side_by_rounds() -> None:
    seen = {OURS: [10.0, 20.0, 30.0], "peer": [5.0, 4.0, 10.0]}
    assert against(seen, "peer") == "3.00 (2.00 to 5.00)"
    assert against(seen, OURS) == "–"
    assert longer({OURS: [10.0], "peer": [25.0]}, "peer") == "2.50 (2.50 to 2.50)"
    assert longer({OURS: [10.0], "peer": [float("inf")]}, "peer") == "–"
