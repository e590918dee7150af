"""OpenNMT-py 3.5.1: its own model, iterator, training loop and search. Runs in its environment, not in softalign's.

python -m benchmarks.peers.opennmt_worker <run.json> <OpenNMT-py's configuration>
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

# `onmt.transforms` imports every transform when it is itself imported, and with them these, which only transforms that
# are not used here need.
for name, members in {"spacy": (), "fasttext": (), "ahocorasick": (), "rapidfuzz": ("fuzz", "process")}.items():
    absent = ModuleType(name)
    for member in members:
        setattr(absent, member, None)
    sys.modules[name] = absent

from onmt.constants import CorpusTask, DefaultTokens
from onmt.inputters import build_vocab
from onmt.inputters.dynamic_iterator import build_dynamic_dataset_iter
from onmt.model_builder import build_model
from onmt.opts import train_opts, translate_opts
from onmt.trainer import build_trainer
from onmt.translate import GNMTGlobalScorer, Translator
from onmt.utils.misc import set_random_seed
from onmt.utils.optimizers import Optimizer
from onmt.utils.parse import ArgumentParser

from benchmarks.peers.session import Run, Session

CPU = -1


class OpenNMT:
    """Decoding and validation with the model that is being trained."""

    def __init__(self, options: Any, vocabularies: Any, model: Any, trainer: Any, run: Run) -> None:
        self._options, self._vocabularies, self._model, self._trainer = options, vocabularies, model, trainer
        self._run = run
        self._sources = (run.folder / "decode.source").read_text(encoding="utf-8").splitlines()
        self._validation = build_dynamic_dataset_iter(options, {}, vocabularies, task=CorpusTask.VALID)

    def decode(self, beam_size: int) -> Sequence[Sequence[object]]:
        options = _translation_options(beam_size, self._run)
        self._model.eval()
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            translator = Translator.from_opt(
                self._model,
                self._vocabularies,
                options,
                self._options,
                global_scorer=GNMTGlobalScorer.from_opt(options),
                out_file=nowhere,
                report_score=False,
            )
            batches = build_dynamic_dataset_iter(
                options, {}, self._vocabularies, task=CorpusTask.INFER, src=self._sources
            )
            _, found = translator._translate(batches)
        self._model.train()
        return [best.split(" ") for best, *_ in found]

    def validation_loss(self) -> float:
        return float(self._trainer.validate(self._validation).xent())


def _translation_options(beam_size: int, run: Run) -> Any:
    parser = ArgumentParser()
    translate_opts(parser)
    options = parser.parse_args(["-model", "of-the-trainer", "-src", "decode.source"])
    options.gpu = CPU
    options.beam_size = beam_size
    options.batch_size = run.decoding_batch
    options.min_length = options.max_length = run.length
    options.max_length_ratio = 0  # else it would cut short sources' outputs
    ArgumentParser.validate_translate_opts(options)
    return options


def _training_options(path: str) -> Any:
    parser = ArgumentParser()
    train_opts(parser)
    options = parser.parse_args(["-config", path])
    ArgumentParser.validate_train_opts(options)
    ArgumentParser.update_model_opts(options)
    ArgumentParser.validate_model_opts(options)
    ArgumentParser.validate_prepare_opts(options)
    return options


def main() -> None:
    run = Run.read(Path(sys.argv[1]))
    session = Session("OpenNMT-py", "OpenNMT-py", run)
    options = _training_options(sys.argv[2])
    set_random_seed(run.seed, False)
    vocabularies = build_vocab(options, {"src": [], "tgt": []})
    model = build_model(options, options, vocabularies, None, CPU)
    optimizer = Optimizer.from_opt(model, options)
    trainer = build_trainer(options, CPU, model, vocabularies, optimizer)
    padding = vocabularies["tgt"][DefaultTokens.PAD]

    def sizes(item: Any) -> tuple[int, int]:
        target = item[0]["tgt"][:, 1:, 0]  # without BOS
        return int(target.ne(padding).sum()), len(target)

    batches = build_dynamic_dataset_iter(options, {}, vocabularies)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    session.begin(OpenNMT(options, vocabularies, model, trainer, run), parameters)
    trainer.train(session.watched(batches, sizes), options.train_steps, options.save_checkpoint_steps)


if __name__ == "__main__":
    main()
