"""All plotting: data in, `Figure` out. Nothing here reads or writes a file, or touches pyplot's state.

An arm has one colour, marker and line everywhere. The colours are those of Okabe and Ito, told apart with every common
form of colour blindness; INK marks what is text or axis, so that a page can give it the colour of its own text.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from io import BytesIO, StringIO
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, MaxNLocator
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from softalign.reporting.frontier import PRICES, frontier
from softalign.reporting.names import NAMES
from softalign.reporting.text import printable

INK = "#1b1c1d"
COLOURS = {
    "vanilla": "#7f7f7f",
    "multiply": "#e69f00",
    "bahdanau": "#0072b2",
    "luong": "#009e73",
    "concat": "#cc79a7",
    "cgru": "#d55e00",
}
SPARE = ("#56b4e9", "#b8a800", "#882255", "#332288", "#8c564b")
MARKERS = "osD^vP*X"
DASHES = ("-", "--", "-.", ":")

STYLE: Any = {  # of matplotlib
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 11,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "svg.hashsalt": "softalign",
}


def arm_style(arm: str, arms: Sequence[str]) -> dict[str, Any]:
    """Colour, marker and line of one arm; one without a colour of its own takes a spare, by its place among such
    arms.
    """
    known = list(COLOURS)
    others = [name for name in arms if name not in COLOURS]
    if arm in COLOURS:
        place = known.index(arm)
        return {"color": COLOURS[arm], "marker": MARKERS[place % len(MARKERS)], "linestyle": DASHES[place % 2]}
    place = others.index(arm) if arm in others else 0
    return {
        "color": SPARE[place % len(SPARE)],
        "marker": MARKERS[-1 - place % len(MARKERS)],
        "linestyle": DASHES[2 + place % 2],
    }


def _figure(width: float, height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    with rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(figure)
        axes = [figure.add_subplot(1, columns, 1 + column) for column in range(columns)]
    for ax in axes:
        ax.grid(axis="y", color=INK, alpha=0.12, linewidth=0.8)
        ax.set_axisbelow(True)
    return figure, axes


def _legend(figure: Figure, ax: Axes) -> None:
    """One row below the axes, so that it hides no data."""
    handles, labels = ax.get_legend_handles_labels()
    with rc_context(STYLE):
        figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4), columnspacing=1.2)


def loss_curves(curves: Sequence[dict[str, Any]]) -> Figure:
    """Training (thin) and validation (thick) loss against the epoch, of one task; a line for each arm and seed.

    `curves`: rows with model, seed, epoch, train_loss, validation_loss (nats per target token).
    """
    figure, (ax,) = _figure(5.4, 3.5)
    arms = list(dict.fromkeys(row["model"] for row in curves))
    for arm in arms:
        style = arm_style(arm, arms)
        seeds = list(dict.fromkeys(row["seed"] for row in curves if row["model"] == arm))
        for number, seed in enumerate(seeds):
            rows = [row for row in curves if row["model"] == arm and row["seed"] == seed]
            epochs = [row["epoch"] for row in rows]
            colour = style["color"]
            ax.plot(epochs, [row["train_loss"] for row in rows], color=colour, linewidth=1, linestyle=":")
            label = arm if number == 0 else None
            ax.plot(epochs, [row["validation_loss"] for row in rows], **style, linewidth=1.8, markersize=4, label=label)
    ax.plot([], [], color=INK, linewidth=1, linestyle=":", label="training")
    ax.set_xlabel("epoch")
    ax.set_ylabel("loss, nats per token")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title("Validation loss (lines) and training loss (dotted)", loc="left")
    _legend(figure, ax)
    return figure


def quality_by_length(buckets: Sequence[dict[str, Any]], confidence: float) -> Figure:
    """The score of each source-length bucket with its interval, and below each bucket the number of its rows.

    `buckets`: a row for each arm and bucket: model, low, high (source words), rows, score, ci_low, ci_high, metric.
    """
    figure, (ax,) = _figure(5.4, 3.5)
    arms = list(dict.fromkeys(row["model"] for row in buckets))
    places = {span: place for place, span in enumerate(sorted({(row["low"], row["high"]) for row in buckets}))}
    apart = min(0.09, 0.8 / max(len(arms), 1))  # arms side by side, and not as far as the next bucket
    for number, arm in enumerate(arms):
        rows = sorted((row for row in buckets if row["model"] == arm), key=lambda row: row["low"])
        x = [places[row["low"], row["high"]] + apart * (number - (len(arms) - 1) / 2) for row in rows]
        score, low, high = (np.array([row[key] for row in rows]) for key in ("score", "ci_low", "ci_high"))
        errors = np.maximum([score - low, high - score], 0)
        ax.errorbar(x, score, yerr=errors, **arm_style(arm, arms), linewidth=1.6, markersize=5, capsize=3, label=arm)
    sizes = {(row["low"], row["high"]): row["rows"] for row in buckets}
    labels = [f"{low}–{high}\nn={sizes[low, high]}" for low, high in places]
    ax.set_xticks(list(places.values()), labels)
    ax.set_xlabel("source words, and test rows in the bucket")
    metric = NAMES.get(buckets[0]["metric"], buckets[0]["metric"]) if buckets else "score"
    ax.set_ylabel(metric)
    ax.set_ylim(bottom=0)
    ax.set_title(f"{metric} by source length, {100 * confidence:g} % intervals", loc="left")
    _legend(figure, ax)
    return figure


def cost_and_quality(points: Sequence[dict[str, Any]], metric: str) -> Figure:
    """Score against each price of `PRICES`: each arm's mean, a faint point for each seed, and a line through the means
    of the arms that nothing beats at their price. Axes show the range of the points and not 0.

    `points`: rows with model, score, and the keys of the prices.
    """
    figure, axes = _figure(7.6, 3.4, columns=len(PRICES))
    arms = list(dict.fromkeys(point["model"] for point in points))
    for ax, price in zip(axes, PRICES, strict=True):
        means = []
        for arm in arms:
            own = [point for point in points if point["model"] == arm]
            own = [point for point in own if point[price.key] is not None and point["score"] is not None]
            values, scores = [point[price.key] for point in own], [point["score"] for point in own]
            style = arm_style(arm, arms) | {"linestyle": "none"}
            ax.plot(values, scores, **style, markersize=4, alpha=0.35, markeredgewidth=0)
            middle = ([float(np.mean(values))], [float(np.mean(scores))]) if own else ([], [])
            ax.plot(*middle, **style, markersize=8, label=arm)
            means += [(arm, x, y) for x, y in zip(*middle, strict=True)]
        best = [next(mean for mean in means if mean[0] == arm) for arm in frontier(means, price.falls)]
        ax.plot([x for _, x, _ in best], [y for _, _, y in best], color=INK, linewidth=0.8, linestyle=":", zorder=0)
        ax.set_xlabel(price.label)
        ax.margins(0.12)
        ax.locator_params(axis="x", nbins=4)
        ax.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes[0].set_ylabel(NAMES.get(metric, metric))
    title = "Quality and what it costs; dotted: nothing is better at that price"
    figure.suptitle(title, x=0.02, ha="left", fontsize=STYLE["axes.titlesize"], color=INK)
    _legend(figure, axes[0])
    return figure


def cost_by_length(buckets: Sequence[dict[str, Any]]) -> Figure:
    """What a target token costs, by the length of its source: a panel for each quantity, seeds averaged.

    `buckets`: rows with model, source_words (mean of the rows measured), quantity (the panel, with its unit), value.
    """
    quantities = list(dict.fromkeys(row["quantity"] for row in buckets))
    figure, axes = _figure(7.6, 3.4, columns=len(quantities))
    arms = list(dict.fromkeys(row["model"] for row in buckets))
    for ax, quantity in zip(axes, quantities, strict=True):
        own = [row for row in buckets if row["quantity"] == quantity]
        lengths = sorted({row["source_words"] for row in own})
        for arm in arms:
            style = arm_style(arm, arms)
            ax.plot(
                lengths,
                [
                    np.mean([row["value"] for row in own if row["model"] == arm and row["source_words"] == words])
                    for words in lengths
                ],
                **style,
                linewidth=1.6,
                markersize=5,
                label=arm,
            )
        ax.set_ylim(bottom=0)
        ax.set_xlabel("source words")
        ax.set_title(quantity, loc="left", fontsize=STYLE["font.size"])
    figure.suptitle(
        "Cost of a target token by source length", x=0.02, ha="left", fontsize=STYLE["axes.titlesize"], color=INK
    )
    _legend(figure, axes[0])
    return figure


def recall_by_lag(buckets: Sequence[dict[str, Any]], chance: float, confidence: float) -> Figure:
    """Exact match of each bucket of lags with its interval. A line marks what guessing reaches.

    `buckets`: rows with model, low, high (words after the marked value), rows, score, ci_low, ci_high, one for each arm
    and bucket; `chance`: points of 100.
    """
    figure, (ax,) = _figure(5.4, 3.5)
    arms = list(dict.fromkeys(row["model"] for row in buckets))
    spans = sorted({(row["low"], row["high"]) for row in buckets})
    for arm in arms:
        own = sorted((row for row in buckets if row["model"] == arm), key=lambda row: row["low"])
        middle, low, high = ([row[key] for row in own] for key in ("score", "ci_low", "ci_high"))
        errors = [np.maximum(np.subtract(middle, low), 0), np.maximum(np.subtract(high, middle), 0)]
        ax.errorbar(
            range(len(spans)),
            middle,
            yerr=errors,
            **arm_style(arm, arms),
            linewidth=1.6,
            markersize=5,
            capsize=3,
            label=arm,
        )
    ax.axhline(chance, color=INK, linewidth=1, linestyle=":", label="chance")
    rows = {(row["low"], row["high"]): row["rows"] for row in buckets}
    ax.set_xticks(range(len(spans)), [f"{_span(*span)}\nn={rows[span]}" for span in spans], fontsize=8)
    ax.set_xlabel("lag: words after the marked value, and test rows in the bucket")
    ax.set_ylabel("exact match")
    ax.set_ylim(0, 103)
    ax.set_title(f"Recall by lag, {100 * confidence:g} % intervals", loc="left")
    _legend(figure, ax)
    return figure


def gradient_norm_by_lag(buckets: Sequence[dict[str, Any]]) -> Figure:
    """How much of the error signal reaches a source token, on a logarithmic scale, by its lag; seeds are averaged.

    `buckets`: rows with model, seed, low, high (lags), tokens, relative (None where it is not known).
    """
    figure, (ax,) = _figure(5.4, 3.5)
    arms = list(dict.fromkeys(row["model"] for row in buckets))
    spans = sorted({(row["low"], row["high"]) for row in buckets})
    for arm in arms:
        values = _mean_by_span(buckets, arm, spans, "relative")
        ax.plot(range(len(spans)), values, **arm_style(arm, arms), linewidth=1.6, markersize=5, label=arm)
    if any(row["relative"] is not None for row in buckets):  # matplotlib warns of a scale for nothing
        ax.set_yscale("log")
    tokens = {(row["low"], row["high"]): row["tokens"] for row in buckets}
    ax.set_xticks(range(len(spans)), [f"{_span(*span)}\nn={tokens[span]}" for span in spans], fontsize=8)
    ax.set_xlabel("lag: tokens to the encoder's last state, and how many")
    ax.set_ylabel("gradient norm / error at the output")
    ax.set_title("Gradient that reaches a source token, by lag", loc="left")
    _legend(figure, ax)
    return figure


FEW_STATES = 10  # a mean over fewer says little
SIDES = {
    "encoder": ("encoder", "source token"),
    "encoder_by_lag": ("encoder, by lag", "tokens to the last state"),
    "decoder": ("decoder", "target token"),
}


def state_norm(norms: Sequence[dict[str, Any]]) -> Figure:
    """The norm of the encoder's memory by position and by lag, and of the decoder's state by position; seeds are
    averaged, and places with fewer than FEW_STATES states are left out (none is, where all have so few).

    `norms`: rows with model, seed, side (of SIDES), place, states, norm (None: not finite).
    """
    figure, axes = _figure(8.0, 3.2, columns=3)
    arms = list(dict.fromkeys(row["model"] for row in norms))
    for ax, (side, (title, label)) in zip(axes, SIDES.items(), strict=True):
        few = min(FEW_STATES, max((row["states"] for row in norms if row["side"] == side), default=0))
        for arm in arms:
            own: dict[int, list[float]] = {}
            for row in norms:
                if (row["model"], row["side"]) == (arm, side) and row["states"] >= few:
                    # A state that is not finite has no norm: it leaves a gap.
                    own.setdefault(row["place"], []).append(np.nan if row["norm"] is None else row["norm"])
            style = arm_style(arm, arms) | {"markevery": max(1, len(own) // 6)}
            means = [float(np.mean(values)) for values in own.values()]
            ax.plot(list(own), means, **style, linewidth=1.6, markersize=4, label=arm)
        ax.set_xlabel(label)
        ax.set_title(title, loc="left")
        ax.set_ylim(bottom=0)
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    figure.suptitle("Norm of the state", x=0.02, ha="left", fontsize=STYLE["axes.titlesize"], color=INK)
    _legend(figure, axes[0])
    return figure


def _mean_by_span(
    buckets: Sequence[dict[str, Any]], arm: str, spans: Sequence[tuple[int, int]], key: str
) -> list[float]:
    """The mean over seeds of one number of each bucket; nan where a seed has none."""
    return [
        float(np.mean([np.nan if row[key] is None else row[key] for row in own])) if own else np.nan
        for span in spans
        for own in [[row for row in buckets if row["model"] == arm and (row["low"], row["high"]) == span]]
    ]


def _span(low: int, high: int) -> str:
    return str(low) if low == high else f"{low}–{high}"


def attention_heat_map(
    weights: NDArray[np.float64] | Sequence[Sequence[float]],
    source: Sequence[str],
    target: Sequence[str],
    title: str = "",
) -> Figure:
    """Attention weights (T, S): a row for each target token that was written, a column for each source token."""
    matrix = np.asarray(weights, dtype=np.float64)[: len(target), : len(source)]
    source, target = ([printable(token) for token in tokens] for tokens in (source, target))
    across, down = (9 if len(source) <= 40 else 6), 9  # font sizes; long sources get narrow columns
    # Margins in inches from the longest label: laying out a hundred labels by measuring each takes seconds. Above, the
    # two lines in the corner want as much as four letters.
    corner = ("source →", "target ↓")
    left = 0.25 + max(map(len, (*target, *corner))) * down * 0.62 / 72
    top = (0.35 if title else 0.1) + max([4, *map(len, source)]) * across * 0.62 / 72
    width, height = max(0.026 * across * len(source), 1.0), max(0.022 * down * len(target), 0.6)
    whole_width, whole_height = left + width + 0.6, top + height + 0.1
    figure = Figure(figsize=(whole_width, whole_height))
    FigureCanvasAgg(figure)
    with rc_context(STYLE):
        ax = figure.add_axes((left / whole_width, 0.1 / whole_height, width / whole_width, height / whole_height))
        # Coloured before it is enlarged, and not enlarged at all in an SVG: the numbers would be enlarged one by one.
        colours = ScalarMappable(Normalize(0, 1), "viridis")
        ax.imshow(colours.to_rgba(matrix, bytes=True), aspect="auto", interpolation="none")
        ax.set_xticks([])
        ax.set_yticks([])
        # Plain text: laid out as tick labels, the tokens take twice as long. A dollar sign in them is a dollar sign.
        above, before = (offset_copy(ax.transData, figure, *points, units="points") for points in ((0, 3), (-3, 0)))
        upright: Any = {"rotation": 90, "ha": "center", "va": "bottom", "fontsize": across, "transform": above}
        level: Any = {"ha": "right", "va": "center", "fontsize": down, "transform": before}
        for place, token in enumerate(source):
            ax.text(place, -0.5, token, parse_math=False, **upright)
        for place, token in enumerate(target):
            ax.text(-0.5, place, token, parse_math=False, **level)
        at_the_corner = offset_copy(ax.transData, figure, -3, 3, units="points")
        ax.text(-0.5, -0.5, "\n".join(corner), ha="right", va="bottom", fontsize=7, transform=at_the_corner)
        beside = ((left + width + 0.12) / whole_width, 0.1 / whole_height, 0.1 / whole_width, height / whole_height)
        bar = figure.colorbar(colours, cax=figure.add_axes(beside), ticks=[0, 0.5, 1])
        bar.ax.tick_params(labelsize=8, length=2)
        figure.text(0.05 / whole_width, 1 - 0.22 / whole_height, title, fontsize=10)
    for spine in [*ax.spines.values(), *bar.ax.spines.values()]:
        spine.set_visible(False)
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure on white."""
    buffer = BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # a box stands for a letter of another script
        quick = {"compress_level": 2}  # of 9: a third of the time of the usual 6, and files a quarter larger
        figure.savefig(buffer, format="png", dpi=150, facecolor="white", metadata={"Software": None}, pil_kwargs=quick)
    return buffer.getvalue()


def to_svg(figure: Figure) -> str:
    """The figure without background, the same text for the same data."""
    buffer = StringIO()
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(buffer, format="svg", dpi=144, facecolor="none", metadata={"Date": None, "Creator": None})
    return buffer.getvalue()
