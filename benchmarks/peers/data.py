"""The token sequences that softalign trains on, as the text files that the peers read.

A token is written as `t` and its id, so that no toolkit splits, lowercases or otherwise touches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from softalign.data.batching import Row
from softalign.data.encoded import EncodedSplit
from softalign.data.prepared import Prepared
from softalign.data.tokenizer import SPECIAL_TOKENS

SPLITS = ("train", "validation")


def export(prepared: Prepared, folder: Path, sentences: int) -> int:
    """Write <split>.<side>, <side>.vocabulary and decode.source, and return how many sentences there are to decode.

    Those are the first `sentences` of the test split. Special tokens are in neither sequences nor vocabularies: every
    toolkit adds its own.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split in SPLITS:
        rows = _rows(prepared, split)
        _write(folder / f"{split}.source", (_line(source) for _, source, _ in rows))
        _write(folder / f"{split}.target", (_line(target) for _, _, target in rows))
    decoded = _rows(prepared, "test")[:sentences]
    _write(folder / "decode.source", (_line(source) for _, source, _ in decoded))
    for side, tokenizer in (("source", prepared.source_tokenizer), ("target", prepared.target_tokenizer)):
        _write(folder / f"{side}.vocabulary", (_token(index) for index in range(len(SPECIAL_TOKENS), len(tokenizer))))
    return len(decoded)


def _rows(prepared: Prepared, split: str) -> list[Row]:
    rows = EncodedSplit.from_table(prepared.splits[split])
    return [rows[row] for row in range(len(rows))]


def _line(ids: Iterable[int]) -> str:
    return " ".join(map(_token, ids))


def _token(index: int) -> str:
    return f"t{index}"


def _write(path: Path, lines: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)
