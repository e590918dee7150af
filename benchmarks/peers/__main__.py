"""Measure softalign beside JoeyNMT and OpenNMT-py and write docs/benchmarks-peers.md: `make bench-peers`.

python -m benchmarks.peers                            the default data
python -m benchmarks.peers --rounds 9 data=multi30k   more rounds, other data
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import torch
import yaml

from benchmarks import machine, page
from benchmarks.decoding import LENGTH
from benchmarks.peers.contest import OURS, Contender, Contest, note_failure
from benchmarks.peers.data import export
from benchmarks.peers.environments import JOEYNMT, OPENNMT, Package, python_of
from benchmarks.peers.session import Run
from benchmarks.peers.settings import check_comparable, joeynmt_settings, opennmt_settings
from benchmarks.table import ratio, speed
from benchmarks.workload import LARGER, prepared_data
from softalign.composition import compose
from softalign.config import Config
from softalign.errors import UserError, reported
from softalign.hardware.precision import resolved_precision, training_precision
from softalign.paths import Layout, project_root
from softalign.training.identity import digest
from softalign.typed import to_dict

BEAMS = {1: "greedy", 5: "beam 5"}
SETTINGS = [
    "task=translation",
    "model=bahdanau",
    *LARGER,
    "model.attention_size=512",
    "model.tie_embeddings=false",  # the peers cannot where the embedding is smaller than the decoder
    "optimization.batch_size=128",
    "optimization.lr=0.001",
    "optimization.schedule=constant",
    "optimization.warmup_steps=0",
    "data.tokenizer.vocabulary_size=8000",
]
ENLARGED = ["data.source.train_rows=50000"]  # of phrasebook: fewer sources have no 8000 tokens


@dataclass(frozen=True)
class Bench:
    """All that the measurements need."""

    layout: Layout
    given: argparse.Namespace
    overrides: list[str]
    config: Config
    folder: Path  # of the data that all sides read
    sentences: int  # to decode
    vocabularies: tuple[int, int]
    rows: int  # to train on
    contenders: list[Contender]
    failures: list[str]

    def contest(self, contenders: Sequence[Contender], seed: int) -> Contest:
        run = self.folder / f"run-{seed}.json"
        common = Run(
            self.folder, seed, torch.get_num_threads(), LENGTH, self.config.decoding.batch_size, self.overrides
        )
        run.write_text(json.dumps(asdict(common) | {"folder": str(self.folder)}), encoding="utf-8")
        return Contest(contenders, self.layout.root, run, self.folder / "logs", self.failures)


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    with reported():
        layout = Layout(project_root())
        bench = prepare(layout, given)
        parts = head(bench), speeds(bench), times_to_loss(bench)
        page.write(given.output or layout.root / "docs" / "benchmarks-peers.md", parts)
        if bench.failures:
            raise UserError(f"{len(bench.failures)} of the sides failed", "", "; ".join(bench.failures))


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = page.parser("benchmarks.peers", __doc__, "benchmarks-peers.md", rounds=5, steps=10)
    parser.add_argument("--sentences", type=page.positive, default=200, help="sentences to decode a turn (default 200)")
    parser.add_argument("--until", type=float, default=3.0, help="validation loss to reach (default 3.0 nats a token)")
    parser.add_argument("--every", type=page.positive, default=25, help="steps between validations (default 25)")
    parser.add_argument("--limit", type=page.positive, default=900, help="seconds after which to give up (default 900)")
    parser.add_argument("--trainings", type=int, default=1, help="trainings to that loss a side (default 1; 0: none)")
    parser.add_argument("overrides", nargs="*", help="Hydra, for all sides: data=multi30k model.embedding_size=512 ...")
    return parser.parse_args(arguments)


def prepare(layout: Layout, given: argparse.Namespace) -> Bench:
    """The data for all sides, the peers' environments and configurations."""
    enlarged = [] if any(override.startswith("data=") for override in given.overrides) else ENLARGED
    overrides = [*SETTINGS, *enlarged, *given.overrides]
    config = compose(layout, overrides)
    check_comparable(config)
    print("preparing the data", file=sys.stderr, flush=True)
    data = prepared_data(config, layout)
    home = layout.root / "outputs" / "bench" / "peers"
    folder = home / "runs" / digest(to_dict(config))
    sentences = export(data, folder, given.sentences)
    rows = len(data.splits["train"])
    failures: list[str] = []
    pythons: dict[Package, Path] = {}
    for package in (JOEYNMT, OPENNMT):
        try:
            pythons[package] = python_of(package, home)
        except UserError as error:
            note_failure(failures, error)
    paths = layout.root, layout.root / "src"
    contenders = [Contender(OURS, (sys.executable, "-m", "benchmarks.peers.softalign_worker"), paths)]
    for package, title, settings in (
        (JOEYNMT, "JoeyNMT", joeynmt_settings(config, folder, LENGTH)),
        (OPENNMT, "OpenNMT-py mlp", opennmt_settings(config, folder, "mlp", rows)),
        (OPENNMT, "OpenNMT-py general", opennmt_settings(config, folder, "general", rows)),
    ):
        if package in pythons:
            path = folder / f"{title.replace(' ', '-')}.yaml"
            path.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
            command = (str(pythons[package]), "-m", f"benchmarks.peers.{package.name}_worker")
            contenders.append(Contender(title, command, paths, (str(path),)))
    return Bench(
        layout,
        given,
        overrides,
        config,
        folder,
        sentences,
        (len(data.source_tokenizer), len(data.target_tokenizer)),
        rows,
        contenders,
        failures,
    )


def head(bench: Bench) -> Iterator[str]:
    """What was run where."""
    cores = torch.get_num_threads()
    cpu = torch.device("cpu")
    precision = training_precision(bench.config.trainer.precision, cpu, bench.config.model)
    search = resolved_precision(bench.config.decoding.precision, cpu)
    kinds = dict.fromkeys(("fp32", precision))
    rates = ", ".join(f"{machine.matrix_rate(kind, cores):.0f} in {kind}" for kind in kinds)
    source, target = bench.vocabularies
    model, optimization = bench.config.model, bench.config.optimization
    yield from (
        "# Beside other toolkits",
        "",
        "Written by the command below. Every side trains and decodes in a process of its own, with its own training",
        "loop, batches, optimizer and search, on the same token sequences; they take turns, and nothing else runs.",
        "Each ratio is softalign's speed to the side's, round by round: the median and, in brackets, the lowest and",
        "the highest.",
        "",
        f"    {page.command('benchmarks.peers', bench.given, parse([]))}",
        "",
        f"{date.today().isoformat()}. {machine.description()}.",
        f"GFLOP/s of matrix products with {cores} threads: {rates}. softalign trains with products in {precision}, as",
        f"`trainer.precision=auto` has it here, and searches in {search} but for its output layer",
        "(`decoding.precision`); the peers are in fp32, the only numbers they have on a CPU. Every side flushes",
        "denormal numbers.",
        "",
        f"Data: {bench.config.data.name}, {bench.rows:,} pairs, vocabularies of {source:,} and {target:,} tokens.",
        f"Sizes: {model.cell.upper()}, embeddings {model.embedding_size}, decoder {model.hidden_size}, encoder half of",
        f"it in each direction, {model.layers} layer(s), batches of {optimization.batch_size} sentences, dropout",
        f"{model.dropout}, Adam with rate {optimization.lr}, gradients clipped at {optimization.clip_norm}.",
        "",
        "What is not the same, besides the code:",
        "",
        f"- softalign's output layer reads {model.embedding_size} numbers, those of the peers {model.hidden_size};"
        f" `model.embedding_size={model.hidden_size}`",
        "  makes them equal.",
        "- Attention is asked with the state before the cell in softalign, as in Bahdanau et al., and with the one",
        "  after it in the peers, which feed what they read into the next step. `general` is another, cheaper score.",
        "- The peers have a token for unknown words, which does not occur here.",
        "- softalign and OpenNMT-py put sentences of like length into a batch, JoeyNMT does not. OpenNMT-py has no",
        "  layer between encoder and decoder here, its default.",
        "- softalign tells the C library to keep freed memory, as in every training of it. It scores the end of a",
        "  decoded sentence too, a step more than the peers.",
    )


def speeds(bench: Bench) -> Iterator[str]:
    """Training and decoding, by turns."""
    given = bench.given
    with bench.contest(bench.contenders, bench.config.seed) as contest:
        trained = contest.rounds(given.rounds, lambda a: float(a["target_tokens"] / a["seconds"]), train=given.steps)
        peaks = contest.ask(peak=True)
        decoded = {beam: contest.rounds(given.rounds, decoding_speed, decode=beam) for beam in BEAMS}
        about = {title: worker.about for title, worker in contest.workers.items()}
    yield from (
        "",
        "## Training",
        "",
        f"Target tokens a second (end of sentence counted, padding not), {given.steps} steps a turn, {given.rounds}",
        "rounds; peak memory of the process that trains.",
        "",
    )
    yield from ("| side | version | parameters | tokens/s | ratio | MiB |", "| --- | --- | ---: | ---: | ---: | ---: |")
    for title, values in trained.items():
        if title in about:
            version, parameters = about[title]["version"], about[title]["parameters"]
            cells = [version, f"{parameters:,}", speed(values), against(trained, title), f"{peaks[title]['mib']:.0f}"]
            yield f"| {title} | {' | '.join(cells)} |"
    yield from (
        "",
        "## Decoding",
        "",
        f"Sentences a second: {bench.sentences} sentences of {LENGTH} tokens each, which no side may end before or"
        " after, in",
        f"batches of {bench.config.decoding.batch_size}.",
        "",
    )
    yield f"| side | {' | '.join(f'{name} | ratio' for name in BEAMS.values())} |"
    yield f"| --- |{' ---: |' * 2 * len(BEAMS)}"
    for title in about:
        cells = [cell for seen in decoded.values() for cell in (speed(seen[title]), against(seen, title))]
        yield f"| {title} | {' | '.join(cells)} |"


def decoding_speed(answer: dict[str, Any]) -> float:
    """Raises `UserError` where an output has not the length that was asked for."""
    if not answer["shortest"] == answer["longest"] == LENGTH:
        raise UserError(f"outputs of {answer['shortest']} to {answer['longest']} tokens instead of {LENGTH}")
    return float(answer["sentences"] / answer["seconds"])


def against(seen: dict[str, list[float]], title: str) -> str:
    """softalign's ratio to a side."""
    return "–" if title == OURS else ratio(seen[OURS], seen[title])


def times_to_loss(bench: Bench) -> Iterator[str]:
    """One whole training after the other, of every side and seed."""
    given = bench.given
    if given.trainings < 1:
        return
    seconds: dict[str, list[float]] = {}
    steps: dict[str, list[float]] = {}
    for seed in range(bench.config.seed, bench.config.seed + given.trainings):
        for contender in bench.contenders:
            with bench.contest([contender], seed) as contest:
                answers = contest.ask(until=given.until, every=given.every, limit=given.limit)
            for title, answer in answers.items():
                reached = answer["loss"] <= given.until
                seconds.setdefault(title, []).append(answer["seconds"] if reached else float("inf"))
                steps.setdefault(title, []).append(answer["steps"])
    yield from (
        "",
        f"## Time to a validation loss of {given.until}",
        "",
        "Seconds of training, validation not counted, until the mean negative log-likelihood of a validation token is",
        f"at or below {given.until} nats, seen every {given.every} steps. Whole trainings, one side after the other,",
        f"{given.trainings} a side, each from its toolkit's own initial weights.",
        "",
        "| side | seconds | steps | ratio |",
        "| --- | ---: | ---: | ---: |",
    )
    for title, values in seconds.items():
        if len(values) == given.trainings:
            cells = reached_in(values, given.limit), speed(steps[title]), longer(seconds, title)
            yield f"| {title} | {' | '.join(cells)} |"


def reached_in(seconds: Sequence[float], limit: int) -> str:
    return speed(seconds) if max(seconds) < float("inf") else f"not in {limit}"


def longer(seconds: dict[str, list[float]], title: str) -> str:
    """How many times as long as softalign a side took."""
    if title == OURS or max(*seconds[title], *seconds[OURS]) == float("inf"):
        return "–"
    return ratio(seconds[title], seconds[OURS])


if __name__ == "__main__":
    main()
