"""What happens to the text before anything is learned from it, with a count of everything that is taken out."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Literal, NamedTuple, cast

from softalign.config import CleaningConfig
from softalign.errors import UserError

Form = Literal["NFC", "NFKC"]


SEEN = ("train", "validation")  # what an arm learns from, and what its checkpoint is chosen by


class Pair(NamedTuple):
    """One row: a source, its target, and what belongs to them."""

    source: str
    target: str
    references: tuple[str, ...]  # the target first; more where the data has several
    alignment: str = ""  # Pharaoh pairs "i-j" of 0-based whitespace words, source first; "" where there is none


@dataclass
class Counts:
    """Where the rows of a split went: read = empty + too_long + untrained_length + duplicate + leaked + kept."""

    read: int = 0
    empty: int = 0  # no word in the source or in the target
    too_long: int = 0  # more words than cleaning.max_source_words or max_target_words
    untrained_length: int = 0  # training and validation alone: outside train_min_source_words … train_max_source_words
    duplicate: int = 0  # the same source and target stood in the split before
    leaked: int = 0  # the source occurs in training (for validation rows: or in test; for shifted ones: in validation)
    kept: int = 0
    truncated: int = 0  # of those kept: sources that were cut

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def clean_text(text: str, config: CleaningConfig) -> str:
    """`text` in the Unicode form of `config`, lower-cased if it says so, one space between words and none around.

    Cleaning twice is cleaning once.
    """
    form = cast(Form, config.unicode_form)
    text = unicodedata.normalize(form, text)
    if config.lowercase:
        text = unicodedata.normalize(form, text.lower())
    return " ".join(text.split())


def cut_source(source: str, config: CleaningConfig) -> tuple[str, bool]:
    """A cleaned source, cut where `config` says so, and whether it was."""
    words = source.split(" ")
    if config.long_sources == "truncate" and len(words) > config.max_source_words:
        return " ".join(words[: config.max_source_words]), True
    return source, False


def clean_pair(pair: Pair, config: CleaningConfig) -> tuple[Pair, bool]:
    """The cleaned pair, its alignment pointing at the same words as before, and whether the source was truncated.

    References that are empty or repeat another are left out, so that an empty target gives way to the next
    reference. Raises `ValueError` where the alignment is malformed or points outside the sentences.
    """
    source, target = clean_text(pair.source, config), clean_text(pair.target, config)
    alignment = pair.alignment
    if alignment:
        alignment = _realigned(pair, source, target, config)
    source, truncated = cut_source(source, config)
    if truncated:
        alignment = " ".join(link for link in alignment.split() if int(link.split("-")[0]) < config.max_source_words)
    references = tuple(
        dict.fromkeys(text for text in (target, *(clean_text(r, config) for r in pair.references)) if text)
    )
    return Pair(source, references[0] if references else "", references, alignment), truncated


def has_trained_length(words: int, config: CleaningConfig) -> bool:
    """Whether a source of so many words is one that training is given."""
    low, high = config.train_min_source_words, config.train_max_source_words
    return (low is None or words >= low) and (high is None or words <= high)


class Cleaner:
    """Cleans the splits of one data set, and knows what it has seen, so that nothing leaks from one into another.

    Splits must come in the order training, test, validation. A source that occurs in training is taken out of the
    other two, and one that occurs in test out of validation. Sources are compared after cleaning, as models see them.
    Shifted test sets come last, in any order, or later by themselves once `remember` has been told of the others.
    """

    ORDER = ("train", "test", "validation")

    def __init__(self, config: CleaningConfig) -> None:
        self._config = config
        self._sources: dict[str, set[bytes]] = {}
        self.counts: dict[str, Counts] = {}

    def clean(self, split: str, pairs: Iterable[Pair]) -> Iterator[Pair]:
        """The pairs of `split` that stay, cleaned, in order; `counts[split]` fills while they are drawn.

        Raises `UserError` for a malformed alignment, and at the end where no row is left.
        """
        done = tuple(self._sources)
        if split in self.ORDER and self.ORDER[: len(done) + 1] != (*done, split):
            raise ValueError(f"{split} after {done}: the order is {self.ORDER}")
        others = [self._sources[other] for other in (done if split in self.ORDER else SEEN)]
        counts = self.counts[split] = Counts()
        sources = self._sources.setdefault(split, set())
        seen: set[bytes] = set()
        for row, pair in enumerate(pairs):
            counts.read += 1
            try:
                pair, truncated = clean_pair(pair, self._config)
            except ValueError as error:
                raise UserError(str(error), f"{split}, row {row}", "correct or remove the alignment") from None
            if not pair.source or not pair.target:
                counts.empty += 1
                continue
            if self._too_long(pair):
                counts.too_long += 1
                continue
            if split in SEEN and not has_trained_length(pair.source.count(" ") + 1, self._config):
                counts.untrained_length += 1
                continue
            key = _digest(pair.source)
            if any(key in other for other in others):
                counts.leaked += 1
                continue
            both = _digest(pair.source, pair.target)
            if both in seen:
                counts.duplicate += 1
                continue
            sources.add(key)
            seen.add(both)
            counts.kept += 1
            counts.truncated += truncated
            yield pair
        if not counts.kept:
            raise _nothing_left(split, counts, self._config)

    def remember(self, split: str, sources: Iterable[str]) -> None:
        """Take the sources of a split that was cleaned before, so that they are found in shifted test sets."""
        self._sources[split] = {_digest(source) for source in sources}

    def _too_long(self, pair: Pair) -> bool:
        too_many_words = pair.source.count(" ") + 1 > self._config.max_source_words
        return too_many_words or pair.target.count(" ") + 1 > self._config.max_target_words


def _realigned(pair: Pair, source: str, target: str, config: CleaningConfig) -> str:
    """The links of `pair` between the words of the cleaned texts; a word that became several passes on its links."""
    source_words, target_words = pair.source.split(), pair.target.split()
    links = {_link(text) for text in pair.alignment.split()}
    for i, j in links:
        if i >= len(source_words) or j >= len(target_words):
            raise ValueError(
                f"the alignment '{i}-{j}' points outside {len(source_words)} source"
                f" and {len(target_words)} target words"
            )
    if len(source_words) != len(source.split()) or len(target_words) != len(target.split()):
        source_places, target_places = _places(source_words, source, config), _places(target_words, target, config)
        links = {(new_i, new_j) for i, j in links for new_i in source_places[i] for new_j in target_places[j]}
    return " ".join([f"{i}-{j}" for i, j in sorted(links)])


@lru_cache(maxsize=1 << 14)  # the same few links occur in every row
def _link(text: str) -> tuple[int, int]:
    i, dash, j = text.partition("-")
    if not (dash and i.isdecimal() and j.isdecimal()):
        raise ValueError(f"the alignment {text!r} is not a pair like 0-2")
    return int(i), int(j)


def _places(words: Sequence[str], cleaned: str, config: CleaningConfig) -> Sequence[range]:
    """For each raw word the words of `cleaned` that it became: NFKC turns some characters into spaces."""
    if len(words) == len(cleaned.split()):
        return [range(i, i + 1) for i in range(len(words))]
    places, start = [], 0
    for word in words:
        end = start + len(clean_text(word, config).split())
        places.append(range(start, end))
        start = end
    return places


def _digest(*texts: str) -> bytes:
    """16 bytes that stand for the texts: a million of them take a tenth of the memory of the texts."""
    return hashlib.blake2b("\0".join(texts).encode(), digest_size=16).digest()


def _nothing_left(split: str, counts: Counts, config: CleaningConfig) -> UserError:
    remedies = {
        "empty": "name the columns that hold the text in data.source",
        "too_long": (
            f"raise data.cleaning.max_source_words (now {config.max_source_words}) "
            f"or max_target_words (now {config.max_target_words})"
        ),
        "untrained_length": (
            f"lower data.cleaning.train_min_source_words (now {config.train_min_source_words}) "
            f"or raise train_max_source_words (now {config.train_max_source_words})"
        ),
        "duplicate": "check the data",
        "leaked": "name another split or file in data.source: its sources all occur in the others",
    }
    taken = {reason: getattr(counts, reason) for reason in remedies}
    remedy = (
        remedies[max(taken, key=lambda reason: taken[reason])]
        if counts.read
        else "check data.source: the split is empty"
    )
    numbers = ", ".join(f"{number} {reason.replace('_', ' ')}" for reason, number in taken.items())
    return UserError(f"no row of the {split} split is left", f"{counts.read} read: {numbers}", remedy)
