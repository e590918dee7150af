"""JoeyNMT 2.3.0: its own model, data set, training loop and search. Runs in JoeyNMT's environment, not in softalign's.

python -m benchmarks.peers.joeynmt_worker <run.json> <JoeyNMT's configuration>
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from joeynmt import prediction
from joeynmt.config import load_config, parse_global_args, set_validation_args
from joeynmt.datasets import build_dataset
from joeynmt.training import TrainManager

from benchmarks.peers.session import Run, Session


class JoeyNMT:
    """Decoding and validation with the model that is being trained."""

    def __init__(self, args: Any, model: Any, dev: Any, run: Run) -> None:
        self._args, self._model, self._dev = args, model, dev
        self._data = build_dataset(
            "plain",
            str(run.folder / "decode"),
            dev.src_lang,
            dev.trg_lang,
            "test",
            dev.tokenizer,
            dev.sequence_encoder,
            dev.has_prompt,
        )
        # `predict` logs the shortest output length that was asked for, but does not hand it on to the search.
        prediction.search = partial(prediction.search, min_output_length=run.length)

    def decode(self, beam_size: int) -> Sequence[Sequence[object]]:
        args = self._args.test._replace(beam_size=beam_size)
        *_, tokens, _, _ = prediction.predict(
            self._model, self._data, self._args.device, n_gpu=0, args=args, autocast=self._args.autocast
        )
        return list(tokens)

    def validation_loss(self) -> float:
        self._model.eval()
        batches = self._dev.make_iter(
            self._args.test.batch_size,
            pad_index=self._model.pad_index,
            eos_index=self._model.eos_index,
        )
        summed, tokens = 0.0, 0
        with torch.no_grad():
            for batch in batches:
                batch.sort_by_src_length()
                summed += self._model(return_type="loss", **vars(batch))[0].item()
                tokens += batch.ntokens
        return summed / tokens


class WatchedLoader:
    """JoeyNMT's loader of training batches, of which the session sees every step."""

    def __init__(self, loader: Any, session: Session) -> None:
        self.batch_sampler = loader.batch_sampler
        self._loader, self._session = loader, session

    def __iter__(self) -> Iterator[Any]:
        return self._session.watched(self._loader, lambda batch: (batch.ntokens, batch.nseqs))


def main() -> None:
    run = Run.read(Path(sys.argv[1]))
    session = Session("JoeyNMT", "joeynmt", run)
    config = load_config(sys.argv[2]) | {"random_seed": run.seed}
    Path(config["model_dir"]).mkdir(parents=True, exist_ok=True)
    args = parse_global_args(config, mode="train")
    model, train, dev, _ = prediction.prepare(args, rank=0, mode="train")
    trainer = TrainManager(
        rank=0,
        model=model,
        model_dir=args.model_dir,
        device=args.device,
        autocast=args.autocast,
        seed=args.seed,
        train_args=args.train,
        dev_args=set_validation_args(args.test),
    )
    make_iter = train.make_iter
    train.make_iter = lambda **options: WatchedLoader(make_iter(**options), session)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    session.begin(JoeyNMT(args, model, dev, run), parameters)
    trainer.train_and_validate(train_data=train, valid_data=dev)


if __name__ == "__main__":
    main()
