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


@pytest.mark.parametrize("size", [-1, 0, 100, 259])
def test_a_vocabulary_too_small_is_refused(size: int) -> None:
    with pytest.raises(UserError, match=r"vocabulary of -?\d+ is too small.*set 260 or more"):
        Tokenizer.train(TEXTS, TokenizerConfig(vocabulary_size=size))


def test_a_vocabulary_that_the_text_cannot_fill_is_smaller() -> None:
    assert len(Tokenizer.train(["abc"], TokenizerConfig(vocabulary_size=5000, min_frequency=2))) == 259


@pytest.mark.parametrize("content", [None, b"", b"{}", b"\xff"])
def test_a_broken_file_is_refused(content: bytes | None, tmp_path) -> None:
    path = tmp_path / "tokenizer.json"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match="prepare stage"):
        Tokenizer.load(path)
