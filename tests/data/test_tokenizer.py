"""The tokenizer loses nothing, takes nothing for a special token, and knows which word a token belongs to."""

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softalign.config import TokenizerConfig
from softalign.data.tokenizer import BOS, EOS, PAD, SPECIAL_TOKENS, Tokenizer
from softalign.errors import UserError

TEXTS = ["Das Haus ist grün.", "Der Hund sieht das Haus", "Die Katze sieht den Hund, der 12 Jahre alt ist."] * 4


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(TEXTS, TokenizerConfig(vocabulary_size=300))


@given(st.text())
@settings(max_examples=300)
def test_every_text_comes_back(tokenizer: Tokenizer, text: str) -> None:
    ids = tokenizer.encode(text)
    assert tokenizer.decode(ids) == text
    assert not {PAD, BOS, EOS} & set(ids)
    assert all(index < len(tokenizer) for index in ids)


@given(st.lists(st.text(max_size=20), max_size=5))
def test_many_at_once_are_as_one_by_one(tokenizer: Tokenizer, texts: list[str]) -> None:
    rows = tokenizer.encode_batch(texts)
    assert rows == [tokenizer.encode(text) for text in texts]
    assert tokenizer.decode_batch(rows) == texts


@pytest.mark.parametrize("special", SPECIAL_TOKENS)
@pytest.mark.parametrize("pattern", ["{}", "a {} b", "a{}b", "{0}{0}"])
def test_special_tokens_in_a_text_are_text(tokenizer: Tokenizer, special: str, pattern: str, tmp_path) -> None:
    text = pattern.format(special)
    tokenizer.save(tmp_path / "tokenizer.json")
    for each in (tokenizer, Tokenizer.load(tmp_path / "tokenizer.json")):
        assert not {PAD, BOS, EOS} & set(each.encode(text))
        assert not {PAD, BOS, EOS} & set(each.encode_batch([text])[0])
        assert each.decode(each.encode(text)) == text


def test_special_tokens_in_the_training_texts_do_not_become_merges() -> None:
    tokenizer = Tokenizer.train(["<pad><s></s> <pad> <s> </s>"] * 50, TokenizerConfig(vocabulary_size=400))
    assert not {PAD, BOS, EOS} & set(tokenizer.encode("<pad><s></s> <pad> <s> </s>"))


def test_special_ids_stand_for_no_text(tokenizer: Tokenizer) -> None:
    ids = tokenizer.encode("Das Haus")
    assert tokenizer.decode([BOS, *ids, EOS, PAD, PAD]) == "Das Haus"
    assert tokenizer.tokens([PAD, BOS, EOS]) == ["<pad>", "<s>", "</s>"]


def test_the_empty_text_has_no_tokens(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("") == [] and tokenizer.decode([]) == "" and tokenizer.word_spans("") == []


def test_saving_and_loading_change_nothing(tokenizer: Tokenizer, tmp_path) -> None:
    tokenizer.save(tmp_path / "one.json")
    loaded = Tokenizer.load(tmp_path / "one.json")
    loaded.save(tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()
    assert len(loaded) == len(tokenizer)
    assert loaded.encode("Das Haus, grün 😀") == tokenizer.encode("Das Haus, grün 😀")


def test_training_is_deterministic_whatever_the_threads(tmp_path) -> None:
    program = (
        "import random, sys; from pathlib import Path; from softalign.config import TokenizerConfig\n"
        "from softalign.data.tokenizer import Tokenizer; r = random.Random(0)\n"
        "texts = [' '.join(''.join(r.choices('abcdef', k=r.randint(1, 6))) for _ in range(9)) for _ in range(500)]\n"
        "Tokenizer.train(texts, TokenizerConfig(vocabulary_size=600)).save(Path(sys.argv[1]))\n"
    )
    written = []
    for threads, seed in (("1", "1"), ("2", "2")):
        path = tmp_path / f"{threads}.json"
        environment = {
            "RAYON_NUM_THREADS": threads,
            "PYTHONHASHSEED": seed,
            "PYTHONPATH": ":".join(filter(None, sys.path)),
        }
        subprocess.run([sys.executable, "-c", program, str(path)], check=True, env=environment)
        written.append(path.read_bytes())
    assert written[0] == written[1]


def test_a_word_has_the_same_tokens_wherever_it_stands(tokenizer: Tokenizer) -> None:
    assert tokenizer.encode("Haus Haus") == tokenizer.encode("Haus") * 2


def test_tokens_are_readable() -> None:
    tokenizer = Tokenizer.train(["das Haus"] * 5, TokenizerConfig(vocabulary_size=270))
    assert tokenizer.tokens(tokenizer.encode("das Haus")) == ["▁das", "▁Haus"]
    assert tokenizer.tokens(tokenizer.encode("ü"))[-2:] == ["<C3>", "<BC>"]
    with pytest.raises(IndexError, match="no token has the id 5000"):
        tokenizer.tokens([5000])


def test_word_spans_by_hand() -> None:
    tokenizer = Tokenizer.train(["das Haus"] * 5, TokenizerConfig(vocabulary_size=270))
    text = "das Haus, ü 7"
    assert tokenizer.tokens(tokenizer.encode(text)) == ["▁das", "▁Haus", ",", "▁", "<C3>", "<BC>", "▁", "7"]
    assert tokenizer.word_spans(text) == [0, 1, 1, 2, 2, 2, 3, 3]


@given(st.lists(st.text(min_size=1).filter(lambda word: word.split() == [word]), min_size=1, max_size=6))
def test_the_tokens_of_a_word_spell_the_word(tokenizer: Tokenizer, words: list[str]) -> None:
    text = " ".join(words)
    ids, spans = tokenizer.encode(text), tokenizer.word_spans(text)
    assert spans == sorted(spans) and len(spans) == len(ids)
    for index, word in enumerate(words):
        own = [token for token, span in zip(ids, spans, strict=True) if span == index]
        assert tokenizer.decode(own) == word


@given(st.text())
def test_word_spans_of_any_text_are_words_of_it(tokenizer: Tokenizer, text: str) -> None:
    spans = tokenizer.word_spans(text)
    assert len(spans) == len(tokenizer.encode(text))
    assert all(0 <= span < max(1, len(text.split())) for span in spans)


@pytest.mark.parametrize(
    ("kind", "size", "smallest"), [("bpe", -1, 260), ("bpe", 0, 260), ("bpe", 259, 260), ("word", 4, 5)]
)
def test_a_vocabulary_too_small_is_refused(kind: str, size: int, smallest: int) -> None:
    with pytest.raises(UserError, match=rf"vocabulary of {size} is too small.*set {smallest} or more"):
        Tokenizer.train(TEXTS, TokenizerConfig(kind=kind, vocabulary_size=size))
    Tokenizer.train(TEXTS, TokenizerConfig(kind=kind, vocabulary_size=smallest))


def test_a_vocabulary_that_the_text_cannot_fill_is_smaller() -> None:
    assert len(Tokenizer.train(["abc"], TokenizerConfig(vocabulary_size=5000, min_frequency=2))) == 259


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_broken_file_is_refused(content: bytes | None, tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="prepare stage"):
        Tokenizer.load(path)


WORDS = ["the dog sees the cat.", "the cat sees a dog, twice."] * 2 + ["a hapax!"]


@pytest.fixture(scope="module")
def of_words() -> Tokenizer:
    return Tokenizer.train(WORDS, TokenizerConfig(kind="word", vocabulary_size=300, min_frequency=2))


def test_a_vocabulary_of_words_holds_what_occurs_often_enough_and_the_unknown_word(of_words: Tokenizer) -> None:
    names = of_words.tokens(range(len(of_words)))
    assert sorted(names) == sorted(
        [*SPECIAL_TOKENS, "▁the", "▁dog", "▁sees", "▁cat", "▁a", "▁twice", ".", ",", "▁<unk>"]
    )
    assert not of_words.is_lossless


def test_known_words_come_back_with_their_spaces_and_unknown_ones_are_seen(of_words: Tokenizer, tmp_path) -> None:
    of_words.save(tmp_path / "words.json")
    for each in (of_words, Tokenizer.load(tmp_path / "words.json")):
        assert each.decode(each.encode("a cat, the dog.")) == "a cat, the dog."
        assert each.decode(each.encode("the hapax sees the zebra.")) == "the <unk> sees the <unk>."
        assert each.word_spans("the hapax sees.") == [0, 1, 2, 2]
        assert not {PAD, BOS, EOS} & set(each.encode("<pad> <s>"))


def test_the_most_frequent_words_are_kept_where_the_vocabulary_is_full() -> None:
    texts = [f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(400) for _ in range(400 - n)]
    tokenizer = Tokenizer.train(texts, TokenizerConfig(kind="word", vocabulary_size=270, min_frequency=1))
    assert len(tokenizer) == 270
    kept = 270 - len(SPECIAL_TOKENS) - 1
    known = [text for text in dict.fromkeys(texts) if "<unk>" not in tokenizer.decode(tokenizer.encode(text))]
    assert known == list(dict.fromkeys(texts))[:kept]
