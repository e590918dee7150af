"""Everything that is measured of one arm on its test set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from softalign.config import Config
from softalign.data.atomic import replacing
from softalign.data.batching import Batch
from softalign.data.prepared import Prepared
from softalign.decoding import Hypothesis, search
from softalign.evaluation.alignment import AlignmentScore
from softalign.evaluation.arm import Arm
from softalign.evaluation.attention_maps import attention_examples, score_alignment
from softalign.evaluation.by_length import score_by_length
from softalign.evaluation.cost_by_length import activations_by_length, length_samples, seconds_by_length
from softalign.evaluation.lengths import length_buckets
from softalign.evaluation.perplexity import word_perplexity
from softalign.evaluation.prediction import predict
from softalign.evaluation.probes import probe
from softalign.evaluation.records import prediction_records, write_json, write_json_lines
from softalign.evaluation.scores import ItemStatistics
from softalign.evaluation.shifted import Decoded, ScoredItems, shifted_scores, write_shifted
from softalign.evaluation.split import Split, split_of
from softalign.evaluation.stored_items import write_items
from softalign.evaluation.teacher_forcing import negative_log_likelihoods
from softalign.hardware.precision import resolved_precision
from softalign.progress import progress
from softalign.typed import to_dict


@dataclass(frozen=True)
class Outputs:
    """What the search found for each test row, and its seconds for all of them."""

    hypotheses: list[Hypothesis]
    texts: list[str]
    seconds: float


@dataclass(frozen=True)
class TeacherForced:
    """Negative log-likelihood of each test row (N,), perplexity per word of the three splits, and how well attention
    over the test targets aligns.
    """

    test: NDArray[np.float64]
    perplexity: dict[str, float]
    alignment: AlignmentScore


def decode(arm: Arm, test: Split, config: Config, label: str) -> Outputs:
    """Beam search over the test set."""
    with progress(f"{label}: decoding", len(test), config.trainer.progress) as advance:
        found = predict(arm.searcher, test.rows, config.decoding, arm.device, advance)
    texts = arm.tokenizers[1].decode_batch([hypothesis.tokens for hypothesis in found.hypotheses])
    return Outputs(found.hypotheses, texts, found.seconds)


def score_targets(arm: Arm, test: Split, data: Prepared, config: Config, label: str) -> TeacherForced:
    """Perplexity on test, on validation, and on a fixed sample of as many training rows: the generalisation gap.
    Alignment on test.
    """
    validation = split_of(data.splits["validation"])
    train = split_of(data.splits["train"], sample=len(validation))
    splits = {"train": train, "validation": validation, "test": test}
    values, perplexity = {}, {}
    with progress(f"{label}: scoring", sum(map(len, splits.values())), config.trainer.progress) as advance:
        for name, split in splits.items():
            batch_size = config.decoding.batch_size
            values[name] = negative_log_likelihoods(arm.model, split.rows, batch_size, arm.device, advance)
            perplexity[name] = word_perplexity(values[name].tolist(), split.target_words)
    alignment = score_alignment(arm.model, test, arm.tokenizers, config.decoding.batch_size, arm.device)
    return TeacherForced(values["test"], perplexity, alignment)


def assemble_scores(
    arm: Arm,
    test: Split,
    outputs: Outputs,
    statistics: dict[str, ItemStatistics],
    targets: TeacherForced,
    config: Config,
    label: str,
    training: dict[str, str | None],
    shifted: Sequence[Decoded] = (),
) -> dict[str, Any]:
    """The content of scores.json; `training` is `training_of` the arm."""
    evaluation, headline = config.evaluation, config.task.headline_metric
    buckets = length_buckets(test.source_words, evaluation.length_buckets)
    samples = length_samples(buckets, test.source_words, test.rows, arm.device)
    scored = ScoredItems(outputs.texts, test.references, test.target_words, targets.test, statistics)

    def scoring(batch: Batch) -> int:
        arm.model.negative_log_likelihood(batch)
        return int(batch.target_mask.sum())

    def decoding(batch: Batch) -> int:
        found = search(arm.searcher, batch.source, batch.source_lengths, config.decoding)
        return sum(len(hypothesis.tokens) + 1 for hypothesis in found)  # + end of sentence

    return {
        "training": training,
        "test": scored.scores(config),
        "intervals": scored.intervals(config),
        "shifted": shifted_scores(shifted, scored, test.source_words, config),
        "signatures": {metric: items.signature for metric, items in statistics.items()},
        "by_length": score_by_length(headline, statistics[headline], buckets, evaluation),
        "alignment": targets.alignment.report() if targets.alignment.counts else None,
        "probes": probe(arm, test, outputs.texts, config, label),
        "settings": {
            "task": to_dict(config.task),
            "data": {"shifted_tests": to_dict(config.data)["shifted_tests"]},
            "decoding": to_dict(config.decoding),
            "search_precision": resolved_precision(config.decoding.precision, arm.device),
            "evaluation": to_dict(evaluation),
        },
        "gap": {f"{split}_perplexity": value for split, value in targets.perplexity.items()},
        "cost": {
            "decode_seconds": outputs.seconds,
            "decode_sentences_per_second": len(test) / outputs.seconds,
            "scoring_by_length": seconds_by_length(samples, arm.device, scoring, repeats=3),
            # A batch is hundreds of steps already, which even out.
            "decoding_by_length": seconds_by_length(samples, arm.device, decoding, repeats=1),
            "activations_by_length": activations_by_length(samples, arm.model),
        },
    }


def write_test(
    target: Path,
    arm: Arm,
    test: Split,
    outputs: Outputs,
    statistics: dict[str, ItemStatistics],
    targets: TeacherForced,
    scores: dict[str, Any],
    config: Config,
    shifted: Sequence[Decoded] = (),
) -> None:
    """Write the test/ folder, all of it or nothing."""
    predicted_ids = [hypothesis.tokens for hypothesis in outputs.hypotheses]
    count = config.evaluation.attention_examples
    with replacing(target) as folder:
        links = targets.alignment.counts
        records = prediction_records(test, outputs.texts, outputs.hypotheses, targets.test.tolist(), links)
        write_json_lines(folder / "predictions.jsonl", records)
        write_items(folder, statistics)
        write_json(folder / "scores.json", scores)
        examples = attention_examples(arm.model, test, predicted_ids, arm.tokenizers, count, arm.device)
        write_json(folder / "attention.json", examples)
        write_shifted(folder, shifted)


def summary(label: str, scores: dict[str, Any], config: Config) -> str:
    """One line for whoever watches."""
    test, headline = scores["test"], config.task.headline_metric
    shifted = "".join(f"  {name} {own[headline]:.1f}" for name, own in scores["shifted"].items())
    return (
        f"{label}: {headline} {test[headline]:.1f}{shifted}  perplexity per word {test['perplexity']:.2f}"
        f"  {scores['cost']['decode_sentences_per_second']:.0f} sentences/s"
    )
