"""Figures show the data that they are given."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.text import Text
from synthetic_runs import Reported

from softalign.reporting import drawings, figures, results
from softalign.reporting.drawings import Drawing
from softalign.reporting.frontier import PRICES


def test_an_arm_has_one_colour_whatever_arms_stand_beside_it() -> None:
    assert figures.arm_style("bahdanau", ["bahdanau"]) == figures.arm_style("bahdanau", ["vanilla", "x", "bahdanau"])


def test_arms_are_told_apart_by_colour_and_marker_alike() -> None:
    arms = [*figures.COLOURS, "mine", "yours"]
    styles = [figures.arm_style(arm, arms) for arm in arms]
    looks = {(style["color"], style["marker"], style["linestyle"]) for style in styles}
    assert len(looks) == len(arms)
    assert len({(style["marker"], style["linestyle"]) for style in styles}) == len(arms)  # in grey too


def test_loss_curves_draw_every_run(two_seeds: Reported) -> None:
    curves = results.loss_curves(two_seeds.tasks)
    (ax,) = figures.loss_curves(curves).axes
    drawn = [line.get_ydata() for line in ax.lines if len(line.get_xdata()) == 8]
    assert len(drawn) == 3 * 2 * 2  # arms, seeds, training and validation
    expected = [row["validation_loss"] for row in curves if row["model"] == "bahdanau" and row["seed"] == 2]
    assert any(np.array_equal(line, expected) for line in drawn)
    assert ax.get_xlabel() == "epoch" and ax.get_ylabel() == "loss, nats per token"


def test_quality_by_length_shows_intervals_and_bucket_sizes(two_seeds: Reported) -> None:
    buckets = two_seeds.results["by_length"]
    (ax,) = figures.quality_by_length(buckets, 0.95).axes
    first = buckets[0]
    assert [label.get_text() for label in ax.get_xticklabels()] == [
        f"{bucket['low']}–{bucket['high']}\nn={bucket['rows']}" for bucket in buckets if bucket["model"] == "vanilla"
    ]
    assert len(ax.containers) == 3
    line, _, (bars,) = ax.containers[0]
    (x, low), (_, high) = bars.get_segments()[0]
    assert (low, line.get_ydata()[0], high) == pytest.approx((first["ci_low"], first["score"], first["ci_high"]))
    assert x == line.get_xdata()[0]
    assert ax.get_ylabel() == "BLEU"


def test_many_arms_stay_within_their_bucket() -> None:
    arms = [f"arm {number}" for number in range(13)]
    span = {"rows": 9, "score": 5.0, "ci_low": 4.0, "ci_high": 6.0, "metric": "bleu"}
    buckets = [span | {"model": arm, "low": low, "high": low + 3} for arm in arms for low in (4, 8)]
    (ax,) = figures.quality_by_length(buckets, 0.95).axes
    places = np.array([container[0].get_xdata() for container in ax.containers])  # (13, 2)
    assert places[:, 0].max() < 0.5 < places[:, 1].min()


def test_cost_and_quality_shows_means_seeds_and_who_is_beaten_by_none() -> None:
    def point(model: str, score: float | None, price: float) -> dict[str, object]:
        return {"model": model, "score": score, **{price_of.key: price for price_of in PRICES}}

    points = [point("vanilla", 10, 1), point("vanilla", 20, 3), point("multiply", 12, 4), point("bahdanau", 30, 6)]
    figure = figures.cost_and_quality([*points, point("concat", None, 5)], "bleu")
    time, _, speed = figure.axes
    assert [list(line.get_ydata()) for line in time.lines if line.get_label() == "vanilla"] == [[15.0]]
    assert any(list(line.get_ydata()) == [10, 20] for line in time.lines)  # the seeds
    lines = [[line for line in ax.lines if line.get_linestyle() == ":"] for ax in (time, speed)]
    assert [list(line.get_xdata()) for (line,) in lines] == [[2.0, 6.0], [6.0]]  # vanilla's mean price is 2
    assert [list(line.get_ydata()) for (line,) in lines] == [[15.0, 30.0], [30.0]]
    written = [text for text in figure.findobj(Text) if text.get_text()]
    assert {text.get_color() for text in written} == {figures.INK}


def test_cost_by_length_has_a_panel_a_quantity_and_averages_seeds() -> None:
    costs = {5.5: 1.0, 11.0: 2.0}
    buckets = [
        {"model": model, "source_words": words, "quantity": quantity, "value": scale * (value + seed)}
        for quantity, scale in (("scoring, ms", 1), ("memory, kB", 10))
        for model in ("vanilla", "bahdanau")
        for seed in (0, 1)
        for words, value in costs.items()
    ]
    figure = figures.cost_by_length(buckets)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["scoring, ms", "memory, kB"]
    for ax, scale in zip(figure.axes, (1, 10), strict=True):
        assert [line.get_label() for line in ax.lines] == ["vanilla", "bahdanau"]
        assert [list(line.get_xdata()) for line in ax.lines] == [[5.5, 11.0]] * 2
        assert [list(line.get_ydata()) for line in ax.lines] == [[1.5 * scale, 2.5 * scale]] * 2


def test_a_heat_map_shows_the_weights_and_takes_a_dollar_for_a_dollar() -> None:
    weights = [[0.25, 0.75], [1.0, 0.0], [0.5, 0.5]]
    figure = figures.attention_heat_map(weights, ["$5", "über$"], ["a", "b", "</s>"], "title")
    ax = figure.axes[0]
    assert np.array_equal(ax.images[0].get_array(), colormaps["viridis"](np.array(weights), bytes=True))
    assert [label.get_text() for label in ax.texts] == ["$5", "über$", "a", "b", "</s>", "source →\ntarget ↓"]
    assert figures.to_png(figure).startswith(b"\x89PNG")


def test_the_same_data_gives_the_same_file(one_seed: Reported) -> None:
    first, second = (drawings.draw_all(one_seed.tasks[:1], one_seed.results, one_seed.evaluation) for _ in range(2))
    assert [(d.name, d.svg, d.png) for d in first] == [(d.name, d.svg, d.png) for d in second]


@pytest.fixture(scope="module")
def drawn(one_seed: Reported) -> list[Drawing]:
    return drawings.draw_all(one_seed.tasks, one_seed.results, one_seed.evaluation)


def test_every_task_has_every_kind_of_figure(drawn: list[Drawing]) -> None:
    names = [drawing.name for drawing in drawn]
    for task in ("translation", "summarization"):
        assert {
            f"{task}-loss-curves",
            f"{task}-quality-by-length",
            f"{task}-cost-and-quality",
            f"{task}-cost-by-length",
        } <= set(names)
        assert f"{task}-attention-bahdanau-0" in names
        assert not any(name.startswith(f"{task}-attention-vanilla") for name in names)
    assert len(names) == len(set(names))


def test_inline_figures_do_not_share_ids_and_take_the_colour_of_the_text(drawn: list[Drawing]) -> None:
    ids: set[str] = set()
    for drawing in drawn:
        root = ElementTree.fromstring(drawing.inline)
        own = {element.get("id") for element in root.iter() if element.get("id")}
        assert not own & ids
        ids |= own
        assert root.get("aria-label") == drawing.title
        assert "currentColor" in drawing.inline and figures.INK not in drawing.inline
        for element in root.iter():
            link = element.get("{http://www.w3.org/1999/xlink}href", "")
            assert link.startswith("data:") or link[1:] in own or not link
