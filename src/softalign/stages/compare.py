"""Test the differences between the arms, judge the claims, write reports/.

python -m softalign.stages.compare
python -m softalign.stages.compare evaluation.bootstrap_samples=10000

By hand, too, it compares the runs that params.yaml names. Runs that are missing or incomplete are named in the report
(after `dvc repro --keep-going`, which does not come as far as this stage, run it by hand).
"""

from __future__ import annotations

import sys

from softalign.config import Config
from softalign.errors import reported
from softalign.params import Params, read_params
from softalign.paths import Layout, project_root
from softalign.reporting.claims.catalogue import decide_claims
from softalign.reporting.claims.records import claim_records
from softalign.reporting.comparisons import compare_arms, score_items
from softalign.reporting.report import write_report
from softalign.reporting.results import build_results
from softalign.reporting.runs import read_runs
from softalign.reporting.summary import summary_table
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> None:
    layout = Layout(layout.root)
    params = read_params(layout.params)
    tasks = read_runs(layout, params)
    scored = [score_items(task, config.evaluation) for task in tasks if task.runs]
    form = config.trainer.progress
    comparisons = [record for task in scored for record in compare_arms(task, config.evaluation, form)]
    verdicts = decide_claims(tasks, scored, config.evaluation)
    incomplete = [run for task in tasks for run in task.incomplete]
    results = build_results(scored, comparisons, verdicts, incomplete, config.evaluation, layout)
    claims = claim_records(verdicts, tasks, results, params)
    write_report(layout, results, claims, [task.runs for task in scored], config.evaluation)
    for run in incomplete:
        print(f"warning: left out: {run}", file=sys.stderr)
    fill_tracking(config, layout, params)
    print(summary_table(results))


def fill_tracking(config: Config, layout: Layout, params: Params) -> None:
    """Runs that DVC took from its cache were logged nowhere: give MLflow what it lacks."""
    from softalign.reporting.run_figures import run_figures
    from softalign.training.tracking import record_runs

    arms = [(task, model, seed) for task in params.tasks for model in params.models for seed in params.seeds]
    folders = [folder for arm in arms if (folder := layout.run(*arm)).is_dir()]
    record_runs(config.tracking, layout, folders, run_figures)


def name_the_first() -> None:
    """What the command line leaves open, the first task and arm of params.yaml decide, by hand too, as dvc.yaml has it:
    the settings of the tests are theirs.
    """
    with reported():
        params = read_params(Layout(project_root()).params)
    words = sys.argv[1:]
    # Beside the first override: Hydra's parser takes but one run of them.
    place = next((n for n, word in enumerate(words) if "=" in word and not word.startswith("-")), 0)
    first = {"task": params.tasks[0], "model": params.models[0]}
    named = [f"{key}={value}" for key, value in first.items() if not any(word.startswith(f"{key}=") for word in words)]
    sys.argv[1:] = [*words[:place], *named, *words[place:]]


if __name__ == "__main__":
    name_the_first()
    main()
