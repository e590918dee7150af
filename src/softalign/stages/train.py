"""Train one arm.

python -m softalign.stages.train task=translation model=multiply seed=2 optimization.lr=0.002

Interrupted, the same command goes on after the last finished epoch.
"""

from __future__ import annotations

from softalign.config import Config
from softalign.paths import Layout
from softalign.stages.entry import stage


@stage
def main(config: Config, layout: Layout) -> float:
    """The lowest validation loss, in nats per token: what a sweeper of Hydra minimises."""
    # Imported here, so that --help and a mistyped key answer at once.
    from softalign.data.prepared import load_prepared
    from softalign.training.failure import failure_kept
    from softalign.training.identity import identify
    from softalign.training.start_up import without_unused
    from softalign.training.tracking import tracked_training
    from softalign.training.work import publish, work_folder

    with without_unused():
        from softalign.training.fit import fit

    prepared = layout.prepared(config.task.name)
    output = layout.run(config.task.name, config.model.name, config.seed) / "train"
    identity = identify(config, prepared)
    load_prepared(prepared, config.data, only=())  # what does not fit shows before MLflow has a run of it
    output.parent.mkdir(parents=True, exist_ok=True)  # what cannot be written shows before hours of training
    tracking = tracked_training(config, layout, identity, output)
    with failure_kept(output, identity, config), work_folder(layout.store, identity) as work, tracking as tracker:
        result = fit(prepared, config, work, tracker)
        publish(work, output)
    return result.best_validation_loss


if __name__ == "__main__":
    main()
