"""Trainings and evaluations of an experiment, several at a time.

DVC runs the stages of one command one after another; several commands may run stages of their own in one project at a
time (https://dvc.org/doc/command-reference/repro#parallel-stage-execution).
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from threading import Thread
from typing import IO, NoReturn

from softalign.errors import UserError
from softalign.experiments.interruption import interrupted
from softalign.hardware.cores import JOBS, usable_cores
from softalign.params import Params, read_params
from softalign.paths import Layout

BEFORE_TRAINING = ("prepare", "code_of_train", "code_of_evaluate")  # and what they need
SETTINGS = "softalign-settings"  # an experiment of DVC's that is there until its settings are


class _Given(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(f"not understood: {message}", "--jobs", "with it, give DVC -S alone")


def check_jobs(jobs: int, arguments: Sequence[str]) -> None:
    """Raise `UserError` where so many trainings find no core each, or DVC is asked for more than -S."""
    cores = len(usable_cores())
    if not 1 <= jobs <= cores:
        raise UserError(f"{jobs} jobs", "--jobs", f"a training takes a core: from 1 to {cores} here")
    if jobs > 1:
        _settings(arguments)
    elif "--run-all" not in arguments:
        for word in arguments:
            if re.match("-j|--jo", word):
                raise UserError(f"{word} is for DVC's queue alone", "run", "write --jobs N for trainings at a time")


def run_in_parallel(command: Sequence[str], layout: Layout, environment: Mapping[str, str], jobs: int) -> int:
    """Run `dvc exp run --keep-going`, as `command` has it, `jobs` trainings or evaluations at a time; its exit status.

    DVC writes the settings and prepares the data; `jobs` commands of `dvc repro`, each with cores of its own, share the
    runs of params.yaml; and DVC goes on with what is left, where no run has failed.
    """
    exp_run = [*command[: command.index("--keep-going") + 1]]
    settings = [word for setting in _settings(command[len(exp_run) :]) for word in ("-S", setting)]
    call = partial(subprocess.call, cwd=layout.root, env=environment)
    kept_here = {**environment, "DVC_EXP_AUTO_PUSH": "false"}
    forget = [sys.executable, "-m", "dvc", "exp", "remove", "--quiet", SETTINGS]
    call(forget, stderr=subprocess.DEVNULL)  # of a run that was killed; mostly there is none
    status = call([sys.executable, "-m", *exp_run, "--name", SETTINGS, *settings, *BEFORE_TRAINING], env=kept_here)
    call(forget, stderr=subprocess.DEVNULL)
    if status or interrupted(environment):
        return status
    with ExitStack() as stack:
        shares = _shares(read_params(layout.params), jobs)
        workers = [
            stack.enter_context(_worker(stages, cores, layout, {**environment, JOBS: str(jobs)}))
            for stages, cores in zip(shares, _portions(jobs), strict=True)
            if stages
        ]
        statuses = [worker.wait() for worker in workers]
    failed = [status if status > 0 else 128 - status for status in statuses if status]  # a signal's as in a shell
    if failed or interrupted(environment):
        return max(failed, default=0)
    return call([sys.executable, "-m", *exp_run])  # its settings are there


def _settings(arguments: Sequence[str]) -> list[str]:
    """Those of -S."""
    parser = _Given(add_help=False, allow_abbrev=False)
    parser.add_argument("-S", "--set-param", action="append", default=[])
    found: list[str] = parser.parse_args(arguments).set_param
    return found


def _shares(params: Params, jobs: int) -> list[list[str]]:
    """The stages of each job. Runs of one arm, which take about as long, fall to different jobs."""
    runs = ["-".join(map(str, run)) for run in itertools.product(params.tasks, params.models, params.seeds)]
    return [[f"{stage}@{run}" for run in runs[job::jobs] for stage in ("train", "evaluate")] for job in range(jobs)]


def _portions(jobs: int) -> list[set[int]]:
    """The cores of each job: as many for each, so that times can be compared, and neighbours, which may be one core."""
    cores = usable_cores()
    size = len(cores) // jobs
    return [set(cores[job * size :][:size]) for job in range(jobs)]


@contextmanager
def _worker(
    stages: Sequence[str], cores: set[int], layout: Layout, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
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
    ) as process:
        assert process.stdout is not None
        teller = Thread(target=_tell, args=[process.stdout])
        teller.start()
        yield process
        teller.join()


def _tell(lines: IO[bytes]) -> None:
    """To the end, though nobody may listen any more: a worker whose lines are not read waits for ever."""
    for line in lines:
        with suppress(OSError):
            sys.stdout.buffer.write(line)
            sys.stdout.buffer.flush()
