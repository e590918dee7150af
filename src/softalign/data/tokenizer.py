"""Byte-level byte-pair encoding (Sennrich et al. 2016; bytes as the alphabet: Radford et al. 2019), or whole words.

With byte pairs every byte is a token of its own, so that no text is ever unknown and every text comes back unchanged.
With words, as in models from before 2016, what is rare in the training split is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import tokenizers
from tokenizers import decoders, models, pre_tokenizers, trainers

from softalign.config import TokenizerConfig
from softalign.errors import UserError

PAD, BOS, EOS = 0, 1, 2
SPECIAL_TOKENS = ("<pad>", "<s>", "</s>")
UNKNOWN = "\N{LATIN CAPITAL LETTER G WITH DOT ABOVE}<unk>"  # as the byte-level alphabet spells " <unk>"
FIXED = {"bpe": (256, "bytes"), "word": (1, "<unk>")}  # what every vocabulary has beside the special tokens


class Tokenizer:
    """Text to token ids and back. Without loss where `is_lossless`: `decode(encode(text)) == text` for every text.

    A space is put before every text, and taken off again by `decode`, so that a word has the same tokens at the start
    of a sentence as inside it. The ids PAD, BOS and EOS stand for no text: the batch adds them, and a text that
    contains "</s>" is encoded as the four characters that it is.
    """

    def __init__(self, backend: tokenizers.Tokenizer) -> None:
        self._backend = backend
        # Else the library would turn "<pad>" inside a person's text into the id PAD. It does not save this setting.
        self._backend.encode_special_tokens = True

    @classmethod
    def train(cls, texts: Iterable[str], config: TokenizerConfig) -> Tokenizer:
        """Learn the vocabulary from `texts`; the same texts give the same tokenizer.

        It is smaller than `config.vocabulary_size` where the texts hold fewer pairs, or words, that occur
        `config.min_frequency` times; `len` tells its size. Raises `UserError` where it leaves
        no room for a merge or a word.
        """
        count, fixed = FIXED[config.kind]
        smallest = len(SPECIAL_TOKENS) + count + 1
        if config.vocabulary_size < smallest:
            raise UserError(
                f"a vocabulary of {config.vocabulary_size} is too small",
                "data.tokenizer.vocabulary_size",
                f"{count} {fixed} and {len(SPECIAL_TOKENS)} special tokens come first, set {smallest} or more",
            )
        if config.min_frequency < 1:
            raise UserError(
                f"a frequency of {config.min_frequency} is too small",
                "data.tokenizer.min_frequency",
                "set 1 or more",
            )
        if config.kind == "word":
            return cls(_with_vocabulary_of_words(_batched(texts), config))
        backend = _byte_level(models.BPE())
        trainer = trainers.BpeTrainer(
            vocab_size=config.vocabulary_size,
            min_frequency=config.min_frequency,
            show_progress=False,
            special_tokens=list(SPECIAL_TOKENS),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        )
        backend.train_from_iterator(_batched(texts), trainer)
        return cls(backend)

    @classmethod
    def load(cls, path: Path) -> Tokenizer:
        """Read what `save` wrote. Raises `UserError` where the file is missing or is not a tokenizer."""
        try:
            return cls(tokenizers.Tokenizer.from_str(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise UserError("no tokenizer", str(path), "run the prepare stage first") from None
        except Exception as error:  # the library raises bare `Exception` for a file that it cannot read
            raise UserError(f"not a tokenizer: {error}", str(path), "run the prepare stage again") from error

    def save(self, path: Path) -> None:
        """Write the tokenizer as the `tokenizers` library's own JSON."""
        path.write_text(self._backend.to_str(pretty=True) + "\n", encoding="utf-8")

    @property
    def is_lossless(self) -> bool:
        """Whether every text comes back from its ids: true of byte pairs, false of words."""
        return isinstance(self._backend.model, models.BPE)

    def __len__(self) -> int:
        """The size of the vocabulary, special tokens included."""
        return self._backend.get_vocab_size(with_added_tokens=True)

    def encode(self, text: str) -> list[int]:
        """The token ids of `text`, without BOS and EOS; none for the empty text."""
        return self._backend.encode(" " + text, add_special_tokens=False).ids if text else []

    def encode_batch(self, texts: Sequence[str]) -> list[list[int]]:
        """`encode` for many texts, in parallel."""
        encodings = self._backend.encode_batch_fast([" " + text for text in texts], add_special_tokens=False)
        return [encoding.ids if text else [] for text, encoding in zip(texts, encodings, strict=True)]

    def decode(self, ids: Sequence[int]) -> str:
        """The text of `ids`; special ids stand for none, and bytes that are no UTF-8 become U+FFFD."""
        return self._backend.decode(list(ids), skip_special_tokens=True).removeprefix(" ")

    def decode_batch(self, rows: Sequence[Sequence[int]]) -> list[str]:
        """`decode` for many rows, in parallel."""
        texts = self._backend.decode_batch([list(ids) for ids in rows], skip_special_tokens=True)
        return [text.removeprefix(" ") for text in texts]

    def word_spans(self, text: str) -> list[int]:
        """For each token of `encode(text)` the index of the whitespace-separated word that it belongs to.

        A token that is a space alone belongs to the word after it.
        """
        if not text:
            return []
        words = []  # of each character of " " + text
        current, inside = 0, False
        for character in " " + text:
            space = character.isspace()
            current += inside and space
            inside = not space
            words.append(current)
        last = words[-1] if inside else max(0, words[-1] - 1)
        offsets = self._backend.encode(" " + text, add_special_tokens=False).offsets
        return [min(words[end - 1], last) for _, end in offsets]

    def tokens(self, ids: Sequence[int]) -> list[str]:
        """A readable name for each id: "▁" marks a space, and bytes that are only part of a character are in hex."""
        return [self._readable(int(index)) for index in ids]

    def _readable(self, index: int) -> str:
        if index < len(SPECIAL_TOKENS):
            return SPECIAL_TOKENS[index]
        token = self._backend.id_to_token(index)
        if token is None:
            raise IndexError(f"no token has the id {index}: the vocabulary ends at {len(self) - 1}")
        text = self._backend.decoder.decode([token])
        if "\N{REPLACEMENT CHARACTER}" in text:
            return "".join(f"<{_BYTES[character]:02X}>" for character in token)
        return text.replace(" ", "▁")


def _byte_level(model: models.Model) -> tokenizers.Tokenizer:
    backend = tokenizers.Tokenizer(model)
    # The expression splits at spaces and between letters, digits and signs: no token reaches over two words.
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    backend.decoder = decoders.ByteLevel()
    return backend


def _with_vocabulary_of_words(texts: Iterator[list[str]], config: TokenizerConfig) -> tokenizers.Tokenizer:
    """The most frequent words, each a token; all others become UNKNOWN, which reads " <unk>"."""
    backend = _byte_level(models.WordLevel(unk_token=UNKNOWN))
    trainer = trainers.WordLevelTrainer(
        vocab_size=config.vocabulary_size - 1,
        min_frequency=config.min_frequency,
        show_progress=False,
        special_tokens=list(SPECIAL_TOKENS),
    )
    backend.train_from_iterator(texts, trainer)
    # Not one of the special tokens, which `decode` leaves out: what a model does not know should be seen.
    vocabulary = backend.get_vocab()
    backend.model = models.WordLevel(vocabulary | {UNKNOWN: len(vocabulary)}, unk_token=UNKNOWN)
    return backend


def _batched(texts: Iterable[str], size: int = 1000) -> Iterator[list[str]]:
    """The texts as they are learned from, in lists, of which the library counts the words in parallel."""
    iterator = iter(texts)
    while batch := [" " + text for text in islice(iterator, size)]:
        yield batch


def _bytes_of_characters() -> dict[str, int]:
    """Which byte each character of a byte-level token stands for (Radford et al. 2019): the printable ones for
    themselves, the others for 256, 257, ... in order."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}


_BYTES = _bytes_of_characters()
