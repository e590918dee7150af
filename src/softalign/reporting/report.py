"""The report as Markdown and as one self-contained HTML page, and every file that `compare` leaves in reports/."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from softalign.config import EvaluationConfig
from softalign.data.atomic import replace_text, replacing
from softalign.evaluation.lengths import example_rows
from softalign.paths import Layout
from softalign.reporting import results as records
from softalign.reporting import sentences, tables
from softalign.reporting.arm_scores import LENGTH_COLUMNS
from softalign.reporting.claim_tables import claim_overview, claim_table
from softalign.reporting.data_tables import data_tables
from softalign.reporting.drawings import KINDS, Drawing, draw_all
from softalign.reporting.names import NAMES
from softalign.reporting.probe_tables import probe_table
from softalign.reporting.runs import TaskRuns
from softalign.reporting.shifted_table import shifted_table
from softalign.reporting.tables import Table
from softalign.reporting.text import printable

TEMPLATES = Path(__file__).parent
VERDICTS = {"supported": "yes", "refuted": "no", "not decided": "open"}  # and their CSS classes


@dataclass(frozen=True)
class Sample:
    """One test item and what each arm wrote for it."""

    row: int
    source: str
    references: list[str]
    outputs: list[tuple[str, list[tuple[str, bool]]]]  # arm -> (word, whether a reference has it)


def write_report(
    layout: Layout,
    results: dict[str, Any],
    claims: dict[str, Any],
    tasks: Sequence[TaskRuns],
    evaluation: EvaluationConfig,
) -> None:
    """Write results.json, claims.json, metrics.json, plots/, figures/, report.md and index.html into reports/.

    Everything is made before the first file is replaced, and each file or folder is replaced whole: after a failure the
    earlier report is still there.
    """
    drawings = draw_all(tasks, results, evaluation)
    view = build_view(results, claims, tasks, drawings, evaluation)
    files = {
        "metrics.json": to_json(records.headline_metrics(results)),
        "report.md": render("report.md.j2", view),
        "index.html": render("report.html.j2", view),
        "claims.json": to_json(claims),
        "results.json": to_json(results),
    }
    plots = {
        "loss_curves.csv": to_csv(records.loss_curves(tasks), records.LOSS_COLUMNS),
        "quality_by_length.csv": to_csv(results["by_length"], LENGTH_COLUMNS),
    }
    layout.reports.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        figures_folder = stack.enter_context(replacing(layout.reports / "figures"))
        plots_folder = stack.enter_context(replacing(layout.reports / "plots"))
        for drawing in drawings:
            if drawing.png is not None:
                (figures_folder / f"{drawing.name}.png").write_bytes(drawing.png)
            (figures_folder / f"{drawing.name}.svg").write_text(drawing.svg, encoding="utf-8")
        for name, content in plots.items():
            (plots_folder / name).write_text(content, encoding="utf-8")
        for name, content in files.items():
            replace_text(layout.reports / name, content)


def build_view(
    results: dict[str, Any],
    claims: dict[str, Any],
    tasks: Sequence[TaskRuns],
    drawings: Sequence[Drawing],
    evaluation: EvaluationConfig,
) -> dict[str, Any]:
    """What the templates show: finished tables, drawings and sentences."""
    return {
        "results": results,
        "names": NAMES,
        "sections": [_task_view(results, task, drawings, evaluation) for task in tasks],
        "findings": sentences.findings(claims["claims"]),
        "overview": claim_overview(claims["claims"], results["bootstrap"]["confidence"]),
        "rule": claims["rule"],
        "claims": [claim | {"table": claim_table(claim)} for claim in claims["claims"]],
        "incomplete": tables.incomplete_table(results),
        "provenance": _provenance(results),
        "trial": sentences.trial(results),
        "caveats": sentences.caveats(results, claims["claims"]),
    }


def _task_view(
    results: dict[str, Any], task: TaskRuns, drawings: Sequence[Drawing], evaluation: EvaluationConfig
) -> dict[str, Any]:
    name, record = task.task, results["tasks"][task.task]
    own = [drawing for drawing in drawings if drawing.task == name]
    return {
        "name": name,
        "data": record["provenance"]["data"],
        "headline": tables.headline_table(results, name),
        "answers": sentences.answers(results, name),
        "scores": tables.score_table(results, name),
        "shifted": shifted_table(results, name),
        "comparisons": tables.comparison_table(results, name),
        "notes": tables.comparison_notes(results, name),
        "per_seed": tables.comparison_table(results, name, all_seeds=False) if len(task.seeds) > 1 else None,
        "lengths": tables.quality_by_length_table(results, name),
        "cost": tables.cost_table(results, name),
        "frontier": tables.frontier_table(results, name),
        "probes": probe_table(results, name),
        "drawings": {kind: [d for d in own if d.kind == kind] for kind in KINDS},
        "samples": choose_samples(task, evaluation.sample_outputs),
        "data_tables": data_tables(results, name),
    }


def choose_samples(task: TaskRuns, count: int) -> list[Sample]:
    """Test items spread evenly over the source lengths; outputs of the first seed."""
    return [_sample(task, row) for row in example_rows([item["source_words"] for item in task.items], count)]


def _sample(task: TaskRuns, row: int) -> Sample:
    item = task.items[row]
    known = {_bare(word) for reference in item["references"] for word in reference.split()}
    outputs = [
        (model, [(word, _bare(word) in known) for word in _words(task.of(model)[0].predictions[row]["prediction"])])
        for model in task.models
    ]
    references = [printable(reference) for reference in item["references"]]
    return Sample(int(item["row"]), printable(item["source"]), references, outputs)


def _words(text: str) -> list[str]:
    return printable(text).split()


def _bare(word: str) -> str:
    """The word for comparison: lower case, no punctuation at its ends."""
    return re.sub(r"^\W+|\W+$", "", word.lower()) or word


def _provenance(results: dict[str, Any]) -> list[Table]:
    signatures = [
        [task, NAMES.get(metric, metric), signature]
        for task, record in results["tasks"].items()
        for metric, signature in record["signatures"].items()
    ]
    keys = ("git_commit", "fingerprint", "data_fingerprint", "revision")
    origins = [
        [run["task"], run["model"], str(run["seed"]), *[_short(run["origin"].get(key)) for key in keys]]
        for run in results["runs"]
    ]
    columns = ["task", "arm", "seed", "git commit", "run", "data", "data revision"]
    return [
        Table("signatures of the metrics", ["task", "metric", "signature"], signatures, text_columns=3),
        Table("runs", columns, origins, text_columns=len(columns)),
        tables.fact_table("resampling", results["bootstrap"]),
        tables.fact_table("versions", results["versions"]),
    ]


def _short(value: Any) -> str:
    """The first digits of a hash; anything else as it is."""
    text = tables.NONE if value is None else str(value)
    return text[:12] if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", text) else text


def render(template: str, view: dict[str, Any]) -> str:
    """Fill a template of this folder; HTML is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=lambda name: bool(name and "html" in name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["cell"] = lambda text: str(text).replace("|", "\\|").replace("\n", "<br>")
    environment.filters["verdict"] = lambda text: VERDICTS.get(text, "")
    return environment.get_template(template).render(view)


def to_json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def to_csv(rows: Sequence[dict[str, Any]], columns: Sequence[str]) -> str:
    """With its header where there are no rows too: `dvc plots` asks for columns by name."""
    buffer = StringIO()
    writer = csv.DictWriter(buffer, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()
