"""Decode and score the test set, and the shifted ones beside it.

python -m softalign.stages.evaluate task=translation model=bahdanau decoding=greedy

By hand it evaluates what the stage train, with the same arguments, left.
"""

from __future__ import annotations

from softalign.config import Config
from softalign.paths import Layout
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> None:
    # Imported here, so that --help and a mistyped key answer at once.
    from softalign.data.prepared import load_prepared
    from softalign.data.shifted import load_shifted
    from softalign.evaluation.arm import load_arm, trained_on
    from softalign.evaluation.evaluate import assemble_scores, decode, score_targets, summary, write_test
    from softalign.evaluation.scores import item_statistics, metrics_of
    from softalign.evaluation.shifted import decode_shifted
    from softalign.evaluation.split import split_of
    from softalign.hardware.denormals import without_denormals
    from softalign.training.checkpointing import BEST
    from softalign.training.identity import training_of

    run = layout.run(config.task.name, config.model.name, config.seed)
    data = load_prepared(layout.prepared(config.task.name), config.data)
    sets = load_shifted(layout.shifted(config.task.name), config.data, data) if config.evaluation.shifted_tests else {}
    identity = trained_on(run / "train", data)
    training = training_of(run / "train", identity.fingerprint)
    arm = load_arm(run / "train" / BEST, data, config)
    test = split_of(data.splits["test"])
    with without_denormals():
        outputs = decode(arm, test, config, identity.label)
        targets = score_targets(arm, test, data, config, identity.label)
        statistics = item_statistics(outputs.texts, test.references, metrics_of(config.task.headline_metric))
        shifted = decode_shifted(arm, sets, config, identity.label)
        scores = assemble_scores(arm, test, outputs, statistics, targets, config, identity.label, training, shifted)
        write_test(run / "test", arm, test, outputs, statistics, targets, scores, config, shifted)
    if layout.by_hand:  # under DVC, compare tells MLflow of all arms at once
        from softalign.reporting.run_figures import run_figures
        from softalign.training.tracking import record_runs

        record_runs(config.tracking, layout, [run], run_figures)
    print(summary(identity.label, scores, config))


if __name__ == "__main__":
    main()
