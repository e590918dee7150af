"""Which figures the report shows, drawn from the runs, as SVG, and the charts among them as PNG too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

from softalign.config import EvaluationConfig
from softalign.reporting import figures, probe_records, results
from softalign.reporting.frontier import PRICES
from softalign.reporting.length_costs import LENGTH_COSTS
from softalign.reporting.runs import Run, TaskRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


KINDS = ("loss", "length", "cost", "probe", "attention")
# A chart shrinks to so many CSS pixels before it scrolls in its box; a heat map, with its small letters, to this share.
CHART_WIDTH = 320
HEAT_MAP_SHARE = 0.75


@dataclass(frozen=True)
class Drawing:
    """One figure of the report."""

    name: str  # of its files, without suffix
    task: str
    kind: str  # of KINDS
    title: str  # for those who cannot see it
    png: bytes | None  # of a heat map it would take longer than all the rest
    svg: str  # on white
    inline: str  # an <svg> element for a page: no background, ink in the colour of the page's text


def draw_all(tasks: Sequence[TaskRuns], found: Mapping[str, Any], evaluation: EvaluationConfig) -> list[Drawing]:
    """Every figure of the report, task by task. `found`: the content of results.json."""
    return [drawing for task in tasks for drawing in _draw_task(task, found, evaluation)]


def _draw_task(task: TaskRuns, found: Mapping[str, Any], evaluation: EvaluationConfig) -> Iterator[Drawing]:
    name = task.task
    yield _drawing(
        f"{name}-loss-curves", name, "loss", f"{name}: loss curves", figures.loss_curves(results.loss_curves([task]))
    )
    buckets = [bucket for bucket in found["by_length"] if bucket["task"] == name]
    if buckets:
        figure = figures.quality_by_length(buckets, evaluation.confidence)
        yield _drawing(f"{name}-quality-by-length", name, "length", f"{name}: quality by source length", figure)
    points = [
        {
            "model": run.model,
            "score": run.scores["test"][task.headline_metric],
            **{price.key: (run.cost | run.scores["cost"])[price.key] for price in PRICES},
        }
        for model in task.models
        for run in task.of(model)
    ]
    figure = figures.cost_and_quality(points, task.headline_metric)
    yield _drawing(f"{name}-cost-and-quality", name, "cost", f"{name}: quality and cost", figure)
    figure = figures.cost_by_length(_costs_by_length(task))
    yield _drawing(f"{name}-cost-by-length", name, "cost", f"{name}: cost by source length", figure)
    yield from _probes(task, found, evaluation.confidence)
    yield from _attention(task, evaluation.attention_examples)


def _costs_by_length(task: TaskRuns) -> list[dict[str, Any]]:
    return [
        {
            "model": run.model,
            "source_words": at.source_words,
            "quantity": f"{cost.name}, {cost.unit}",
            "value": at.per_token,
        }
        for cost in LENGTH_COSTS
        for model in task.models
        for run in task.of(model)
        for at in cost.by_length(run.scores)
    ]


def _probes(task: TaskRuns, found: Mapping[str, Any], confidence: float) -> Iterator[Drawing]:
    """Recall by lag, where the task is recall, and gradients and states on every task."""
    name = task.task
    recalled = [bucket for bucket in found["by_lag"] if bucket["task"] == name]
    if recalled:
        figure = figures.recall_by_lag(recalled, probe_records.chance(task), confidence)
        yield _drawing(f"{name}-recall-by-lag", name, "probe", f"{name}: recall by lag", figure)
    figure = figures.gradient_norm_by_lag(probe_records.gradient_norm_by_lag(task))
    yield _drawing(f"{name}-gradient-norm-by-lag", name, "probe", f"{name}: gradient norm by lag", figure)
    figure = figures.state_norm(probe_records.state_norms(task))
    yield _drawing(f"{name}-state-norm", name, "probe", f"{name}: state norm by position and lag", figure)


def _attention(task: TaskRuns, examples: int) -> Iterator[Drawing]:
    """The maps of the first seed, the arms side by side for each test row."""
    runs = [task.of(model)[0] for model in task.models]
    rows = list(dict.fromkeys(entry["row"] for run in runs for entry in run.attention))[:examples]
    for row in rows:
        for run in runs:
            for entry in run.attention:
                if entry["row"] == row and entry["kind"] == "prediction":
                    yield _heat_map(run, entry)


def _heat_map(run: Run, entry: dict[str, Any]) -> Drawing:
    title = f"{run.model}, test row {entry['row']}"
    figure = figures.attention_heat_map(entry["weights"], entry["source_tokens"], entry["target_tokens"], title)
    name = f"{run.task}-attention-{run.model}-{entry['row']}"
    return _drawing(name, run.task, "attention", f"{run.task}: attention of {title}", figure)


def _drawing(name: str, task: str, kind: str, title: str, figure: Figure) -> Drawing:
    png = None if kind == "attention" else figures.to_png(figure)
    svg = figures.to_svg(figure)
    on_white = svg.replace("<svg ", '<svg style="background:white" ', 1)
    return Drawing(name, task, kind, title, png, on_white, inline_svg(svg, name, kind, title))


def inline_svg(svg: str, name: str, kind: str, title: str) -> str:
    """An SVG file as an element for a page: its ids its own, its ink `currentColor`, its width that of its box at
    most.
    """
    element = svg[svg.index("<svg") :]
    element = re.sub(r"<metadata>.*?</metadata>", "", element, flags=re.DOTALL)
    element = re.sub(r'\bid="', f'id="{name}-', element)
    element = re.sub(r'((?:xlink:)?href="#|url\(#)', rf"\g<1>{name}-", element)
    element = element.replace(figures.INK, "currentColor")
    opening, content = element.split(">", 1)
    size = re.search(r'viewBox="0 0 ([0-9.]+) ', opening)
    natural = round(float(size.group(1)) * 4 / 3) if size else 600  # points to CSS pixels
    least = round(HEAT_MAP_SHARE * natural) if kind == "attention" else min(natural, CHART_WIDTH)
    opening = re.sub(r'\s(?:width|height)="[^"]*"', "", opening)
    style = f"width:100%;max-width:{natural}px;min-width:{least}px;height:auto"
    return f'{opening} role="img" aria-label="{escape(title, quote=True)}" style="{style}">{content}'
