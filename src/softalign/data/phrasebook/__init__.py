"""The embedded corpus `phrasebook`: German sentences with their English translations and gold word alignments.

`python -m softalign.stages.download task=translation` writes it. Bottom up: `synchronous` (words, links, text),
`morphology`, `lexicon` (the CSV files here), `numbers`, `noun_phrases`, `verb_groups`, `clauses` build what they are
told to; `phrase_grammar`, `clause_grammar` and `sentence_grammar` draw what to build. See docs/data/phrasebook.md.
"""

from __future__ import annotations

from softalign.config import EmbeddedSource
from softalign.data import corpus
from softalign.data.corpus import Example
from softalign.data.phrasebook.sentence_grammar import sentence


def generate(source: EmbeddedSource) -> dict[str, list[Example]]:
    """The splits train, validation and test for the seed and the numbers of rows of `source`.

    Raises `UserError` as `corpus.generate` does.
    """
    return corpus.generate(sentence, source.seed, source.train_rows, source.validation_rows, source.test_rows)
