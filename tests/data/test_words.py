"""What is done to distinct words gives what would have been done to the texts."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.config import CleaningConfig, TokenizerConfig
from softalign.data.cleaning import clean_text
from softalign.data.tokenizer import Tokenizer
from softalign.data.words import Words

CLEANING = CleaningConfig(max_source_words=9, max_target_words=9)
SENTENCES = ["Der Hund isst 12 Äpfel .", "it's the dog's , isn't it ?", "Der Hund der Hunde", "sie isst 1,5 Äpfel"]


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.train(SENTENCES, TokenizerConfig(vocabulary_size=300, min_frequency=1))


def test_words_by_hand() -> None:
    words = Words.of(pa.array(["a b a", "c", "b"]))
    assert words.distinct == ["a", "b", "c"]
    assert words.lengths.tolist() == [3, 1, 1]
    joined = words.joined([[1], [], [3, 4]], 2)
    assert [rows.to_pylist() for rows in joined] == [[[1, 1], [3, 4]], [[]]]


@given(
    st.lists(st.text() | st.sampled_from(SENTENCES) | st.text("a1.' ’</s>ß\u00a0\u0308"), min_size=1), st.integers(1, 4)
)
def test_the_ids_of_a_cleaned_text_are_those_of_its_words(tokenizer: Tokenizer, texts: list[str], size: int) -> None:
    texts = [clean_text(text, CLEANING) for text in texts]
    words = Words.of(pa.array(texts, pa.string()))
    joined = words.joined(tokenizer.encode_batch(words.distinct), size)
    assert [ids for rows in joined for ids in rows.to_pylist()] == tokenizer.encode_batch(texts)
    assert words.lengths.tolist() == [text.count(" ") + 1 for text in texts]
