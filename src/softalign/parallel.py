"""Trainings and evaluations of an experiment, several at a time.

DVC runs the stages of one command one after another; several commands may run stages of their own in one project at a
time (https://dvc.org/doc/command-reference/repro#parallel-stage-execution).
"""

from __future__ import annotations

import argparse
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from threading import Thread
from typing import IO, NoReturn

from softalign.cores import usable_cores
from softalign.errors import UserError
from softalign.params import Params, read_params
from softalign.paths import Layout

BEFORE_TRAINING = ("prepare", "code_of_train", "code_of_evaluate")  # and what they need
SETTINGS = "softalign-settings"  # an experiment of DVC's that is there until its settings are


class _Given(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"not understood: {message}", "--jobs", "give it -S and --name alone")


def check_jobs(jobs: int, arguments: Sequence[str]) -> None:
    """Raise `UserError` where so many trainings find no core each, or DVC is asked for more than -S and --name."""
    cores = len(usable_cores())
    if not 1 <= jobs <= cores:
        raise UserError(f"{jobs} jobs", "--jobs", f"a training takes a core: from 1 to {cores} here")
    if jobs > 1:
        _settings(arguments)


def run_in_parallel(command: Sequence[str], layout: Layout, environment: Mapping[str, str], jobs: int) -> int:
    """Run `dvc exp run --keep-going`, as `command` has it, `jobs` trainings or evaluations at a time; its exit status.

    DVC writes the settings and prepares the data; `jobs` commands of `dvc repro`, each with cores of its own, take
    turns with the runs of params.yaml; and DVC goes on with what is left, where no run has failed.
    """
    arguments = command[command.index("--keep-going") + 1 :]
    settings = [word for setting in _settings(arguments) for word in ("-S", setting)]
    call = partial(subprocess.call, cwd=layout.root, env=environment)
    first = ["exp", "run", "--keep-going", "--force", "--name", SETTINGS, *settings, *BEFORE_TRAINING]
    status = call([sys.executable, "-m", "dvc", *first])
    subprocess.run(
        [sys.executable, "-m", "dvc", "exp", "remove", "--quiet", SETTINGS],
        cwd=layout.root,
        env=environment,
        capture_output=True,  # where the first has failed there is none
    )
    if status:
        return status
    with ExitStack() as stack:
        shares = _shares(read_params(layout.params), jobs)
        workers = [
            stack.enter_context(_worker(stages, cores, layout, environment))
            for stages, cores in zip(shares, _portions(jobs), strict=True)
            if stages
        ]
        statuses = [worker.wait() for worker in workers]
    if any(statuses):
        return max(statuses)
    return call([sys.executable, "-m", *command])


def _settings(arguments: Sequence[str]) -> list[str]:
    """Those of -S."""
    parser = _Given(add_help=False, allow_abbrev=False)
    parser.add_argument("-S", "--set-param", action="append", default=[])
    parser.add_argument("-n", "--name")
    found: list[str] = parser.parse_args(arguments).set_param
    return found


def _shares(params: Params, jobs: int) -> list[list[str]]:
    """The stages of each job. Runs of one arm, which take about as long, fall to different jobs."""
    runs = ["-".join(map(str, run)) for run in itertools.product(params.tasks, params.models, params.seeds)]
    return [[f"{stage}@{run}" for run in runs[job::jobs] for stage in ("train", "evaluate")] for job in range(jobs)]


def _portions(jobs: int) -> list[set[int]]:
    """The cores of each job."""
    return [set(usable_cores()[job::jobs]) for job in range(jobs)]


@contextmanager
def _worker(
    stages: Sequence[str], cores: set[int], layout: Layout, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[str]]:
    """Run the stages, without what they depend on: DVC would take that for its own until a training ends.

    Lines of output are told here, each as a whole.
    """
    command = ["dvc", "--wait-for-lock", "repro", "--keep-going", "--single-item", *stages]
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=layout.root,
        env=environment,
        preexec_fn=partial(os.sched_setaffinity, 0, cores) if hasattr(os, "sched_setaffinity") else None,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    ) as process:
        assert process.stdout is not None
        teller = Thread(target=_tell, args=[process.stdout])
        teller.start()
        yield process
        teller.join()


def _tell(lines: IO[str]) -> None:
    for line in lines:
        print(line, end="", flush=True)
