"""Run an experiment, search learning rates, or translate and summarise lines of text with a trained arm.

python -m softalign run
python -m softalign run claims --jobs 2
echo "Der alte Mann schläft." | python -m softalign generate task=translation model=bahdanau
python -m softalign generate task=summarization decoding=greedy < reports.txt > summaries.txt
python -m softalign tune task=translation model=vanilla,multiply,bahdanau
"""

from __future__ import annotations

import argparse
import itertools
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from softalign.config import Config
from softalign.errors import UserError, reported
from softalign.experiments.busy import check_idle
from softalign.experiments.experiment import dvc_command, experiments, read_experiment
from softalign.experiments.interruption import INTERRUPTED, call_interruptibly
from softalign.experiments.parallel import check_jobs, run_in_parallel
from softalign.params import read_params
from softalign.paths import Layout, project_root


def main(arguments: Sequence[str] | None = None) -> None:
    given = parse(arguments)
    with reported():
        given.act(given)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m softalign", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    about = "a line of output for each line of standard input, by the arm that the overrides name"
    command = commands.add_parser("generate", help=about, description=about)
    command.add_argument("overrides", nargs="*", help="Hydra: task=... model=... decoding=greedy ...")
    command.set_defaults(act=generate_lines)
    about = "run an experiment of conf/experiment with DVC; without a name, list them"
    jobs = argparse.ArgumentParser("python -m softalign run", add_help=False, allow_abbrev=False)
    jobs.add_argument(
        "--jobs", type=int, default=1, metavar="N", help="run N at a time, on Linux each with cores of its own"
    )
    command = commands.add_parser("run", help=about, description=about, parents=[jobs])
    command.add_argument("name", nargs="?", help="a file of conf/experiment, without .yaml")
    command.add_argument("arguments", nargs=argparse.REMAINDER, help="for dvc exp run: -S ..., --queue, ...")
    command.set_defaults(act=run_experiment)
    about = "search the learning rate of each arm on validation data; what it finds the pipeline uses from then on"
    command = commands.add_parser("tune", help=about, description=about)
    command.add_argument(
        "overrides", nargs="*", help="Hydra: task=... model=a,b,... optimization.lr=choice(0.001,0.01)"
    )
    command.set_defaults(act=search_rates)
    given = parser.parse_args(arguments)
    if given.command == "run":  # what follows the name is DVC's, but for this
        given, given.arguments = jobs.parse_known_args(given.arguments, given)
    return given


def run_experiment(given: argparse.Namespace) -> None:
    """Run `dvc exp run`, with its exit status and its way of being interrupted.

    Where a training diverges, DVC goes on with the other arms and leaves out what needs all of them; the report of
    those that are there is then made here.
    """
    layout = Layout(project_root())
    if given.name is None:
        found = experiments(layout)
        width = max((len(experiment.name) for experiment in found), default=0)
        for experiment in found:
            print(f"{experiment.name:<{width}}  {experiment.about}")
        return
    command = dvc_command(read_experiment(layout, given.name), read_params(layout.params), given.arguments)
    check_jobs(given.jobs, given.arguments)
    if "--queue" not in given.arguments:
        check_idle(layout)
    print(shlex.join(command), flush=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])  # the stages' python is this
    environment = os.environ | {"PATH": path}

    start = time.time()
    run = partial(run_in_parallel, jobs=given.jobs) if given.jobs > 1 else run_in_turn
    status = call_interruptibly(partial(run, command, layout), environment)
    if status not in (0, INTERRUPTED) and has_diverged(layout, start):
        subprocess.call([sys.executable, "-m", "softalign.stages.compare"], cwd=layout.root, env=environment)
    report = layout.reports / "index.html"
    if report.exists() and report.stat().st_mtime >= start:
        print(f"The report: {report}")
    raise SystemExit(status)


def run_in_turn(command: Sequence[str], layout: Layout, environment: Mapping[str, str]) -> int:
    return subprocess.call([sys.executable, "-m", *command], cwd=layout.root, env=environment)


def has_diverged(layout: Layout, since: float) -> bool:
    """Whether a training that params.yaml names has left failure.json since that time, in seconds since 1970: where
    something else has failed, older runs may be of other settings, and nobody asked for their report.
    """
    from softalign.training.failure import FAILURE

    params = read_params(layout.params)
    runs = itertools.product(params.tasks, params.models, params.seeds)
    files = [layout.run(*run) / "train" / FAILURE for run in runs]
    return any(path.exists() and path.stat().st_mtime >= since for path in files)


def search_rates(given: argparse.Namespace) -> None:
    # Imported here, so that --help answers at once.
    from softalign.tuning.search import tune

    tune(Layout(project_root()), given.overrides)


def generate_lines(given: argparse.Namespace) -> None:
    # Imported here, so that --help answers at once.
    from softalign.composition import compose_by_hand

    layout = Layout(project_root())
    config = compose_by_hand(layout, given.overrides)
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # as the input; a real stdout can
    try:
        for line in generated(read_lines(), config, layout):
            print(line, flush=True)
    except BrokenPipeError:  # whoever reads has seen enough; nor shall the interpreter flush into the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def read_lines() -> Iterator[str]:
    """Lines of standard input, which must be UTF-8, without their ends."""
    if sys.stdin.isatty():
        print("one text a line; end with Ctrl-D", file=sys.stderr)
    for number, line in enumerate(sys.stdin.buffer, start=1):
        try:
            yield line.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError:
            raise UserError("not UTF-8", f"standard input, line {number}", "convert it, e.g. with iconv") from None


def generated(lines: Iterable[str], config: Config, layout: Layout) -> Iterator[str]:
    """The output for each line, in their order, on one line too: an arm may have learned to write line breaks."""
    from softalign.data.cleaning import clean_text, cut_source
    from softalign.data.prepared import load_prepared
    from softalign.evaluation.arm import load_arm
    from softalign.generation import generate
    from softalign.training.checkpointing import BEST

    folder = trained(config, layout)
    data = load_prepared(layout.prepared(config.task.name), config.data, only=())  # its tokenizers
    arm = load_arm(folder / BEST, data, config)
    size = 1 if sys.stdin.isatty() else config.decoding.batch_size
    cleaning, cut = config.data.cleaning, 0
    try:
        for batch in in_batches(lines, size):
            cut += sum(cut_source(clean_text(line, cleaning), cleaning)[1] for line in batch)
            for text in generate(arm.searcher, *arm.tokenizers, batch, config):
                yield " ".join(text.split())
    finally:
        if cut:
            limit = f"{cleaning.max_source_words} words (data.cleaning.max_source_words)"
            print(f"warning: lines cut to {limit}, as in training: {cut}", file=sys.stderr)


def in_batches(lines: Iterable[str], size: int) -> Iterator[list[str]]:
    """The lines, `size` at a time; where one cannot be read, those before it first."""
    batch: list[str] = []
    try:
        for line in lines:
            batch.append(line)
            if len(batch) == size:
                yield batch
                batch = []
    except UserError:
        yield batch
        raise
    yield batch


def trained(config: Config, layout: Layout) -> Path:
    """Where this training lies: that of DVC, or else one by hand. Raises `UserError` where it is in neither place."""
    from softalign.stages.by_hand import run_name
    from softalign.training.identity import Identity, identify

    wanted = identify(config, layout.prepared(config.task.name))
    for place in (layout, Layout(layout.root, by_hand=run_name(config))):
        folder = place.run(config.task.name, config.model.name, config.seed) / "train"
        if (folder / "run.json").exists() and Identity.read(folder / "run.json").fingerprint == wanted.fingerprint:
            return folder
    raise UserError(
        f"{wanted.label} has not been trained with these settings",
        str(layout.root / "runs"),
        "python -m softalign.stages.train with the same overrides, or dvc repro where params.yaml names the arm",
    )


if __name__ == "__main__":
    main()
