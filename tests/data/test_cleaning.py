"""What is taken out and why, and that what stays still means the same."""

import unicodedata
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from softalign.config import CleaningConfig
from softalign.data.cleaning import Cleaner, Pair, clean_pair, clean_text
from softalign.errors import UserError

CONFIG = CleaningConfig(max_source_words=5, max_target_words=4)


def pair(source: str, target: str, references: Sequence[str] = (), alignment: str = "") -> Pair:
    return Pair(source, target, tuple(references), alignment)


def kept(cleaner: Cleaner, split: str, pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    return [(each.source, each.target) for each in cleaner.clean(split, pairs)]


def test_text_by_hand() -> None:
    text = "  Ein\u00a0Cafe\u0301 \t\n heißt\u2003ﬁn  "
    assert clean_text(text, CONFIG) == "Ein Café heißt ﬁn"
    assert clean_text(text, CleaningConfig(unicode_form="NFKC", lowercase=True)) == "ein café heißt fin"


@given(st.text(), st.sampled_from(["NFC", "NFKC"]), st.booleans())
def test_cleaning_twice_is_cleaning_once(text: str, form: str, lowercase: bool) -> None:
    config = CleaningConfig(unicode_form=form, lowercase=lowercase)
    cleaned = clean_text(text, config)
    assert clean_text(cleaned, config) == cleaned
    assert " ".join(cleaned.split()) == cleaned
    assert unicodedata.is_normalized(form, cleaned)  # type: ignore[arg-type]


def test_alignments_follow_words_that_nfkc_splits() -> None:
    config = CleaningConfig(unicode_form="NFKC", max_source_words=9, max_target_words=9)
    raw = pair("x a\u00a8b c", "A  B", alignment="0-0 1-0 2-1")  # U+00A8 is a space and a combining diaeresis
    cleaned, _ = clean_pair(raw, config)
    assert cleaned.source == "x a \u0308b c"
    assert cleaned.alignment == "0-0 1-0 2-0 3-1"


@given(
    st.lists(st.text(min_size=1, max_size=4).filter(lambda word: word.split() == [word]), min_size=1, max_size=6),
    st.lists(st.sampled_from([" ", "\t", "\u00a0", "  ", "\u2003\n"]), min_size=6, max_size=6),
    st.sampled_from(["NFC", "NFKC"]),
    st.booleans(),
)
def test_links_point_at_the_same_words_as_before(words: list[str], gaps: list[str], form: str, lowercase: bool) -> None:
    config = CleaningConfig(unicode_form=form, lowercase=lowercase, max_source_words=99, max_target_words=99)
    source = "".join(gap + word for gap, word in zip(gaps, words, strict=False))
    target = " ".join(f"t{index}" for index in range(len(words)))
    alignment = " ".join(f"{index}-{index}" for index in range(len(words)))
    cleaned, _ = clean_pair(pair(source, target, alignment=alignment), config)
    linked: dict[int, list[int]] = {index: [] for index in range(len(words))}
    for link in cleaned.alignment.split():
        i, j = map(int, link.split("-"))
        linked[j].append(i)
    spelled = {j: " ".join(cleaned.source.split()[i] for i in places) for j, places in linked.items()}
    assert spelled == {j: clean_text(word, config) for j, word in enumerate(words)}


def test_links_come_sorted_and_once() -> None:
    cleaned, _ = clean_pair(pair(" a  b", "x y", alignment="1-1 0-1  0-0 01-1"), CONFIG)
    assert cleaned.alignment == "0-0 0-1 1-1"


def test_truncation_drops_the_links_of_what_is_cut() -> None:
    config = CleaningConfig(max_source_words=2, max_target_words=9, long_sources="truncate")
    cleaned, truncated = clean_pair(pair("a b c", "x y", alignment="0-0 1-1 2-1"), config)
    assert (cleaned.source, cleaned.alignment, truncated) == ("a b", "0-0 1-1", True)
    assert clean_pair(pair("a b", "x"), config)[1] is False


@pytest.mark.parametrize("alignment", ["0-5", "7-0", "0", "a-b", "0-", "-1-0", "0:0"])
def test_an_alignment_that_makes_no_sense_is_refused(alignment: str) -> None:
    with pytest.raises(UserError, match=r"alignment .*train, row 1"):
        kept(Cleaner(CONFIG), "train", [pair("a", "b"), pair("c d", "e f", alignment=alignment)])


def test_every_reason_is_counted() -> None:
    cleaner = Cleaner(CONFIG)
    rows = [
        pair("a b", "x"),
        pair(" \u00a0", "x"),  # empty
        pair("a", ""),  # empty
        pair("a b c d e f", "x"),  # too long
        pair("a", "v w x y z"),  # too long
        pair("a b c d e", "w x y z"),  # just short enough
        pair("a  b", "x "),  # duplicate once cleaned
        pair("a b", "y"),  # same source, other target: kept
    ]
    assert kept(cleaner, "train", rows) == [("a b", "x"), ("a b c d e", "w x y z"), ("a b", "y")]
    assert cleaner.counts["train"].as_dict() == {
        "read": 8, "empty": 2, "too_long": 2, "untrained_length": 0, "duplicate": 1, "leaked": 0, "kept": 3,
        "truncated": 0,
    }  # fmt: skip


def test_nothing_leaks_from_one_split_into_another() -> None:
    cleaner = Cleaner(CONFIG)
    kept(cleaner, "train", [pair("a", "x"), pair("too many words in this one", "x")])
    assert kept(cleaner, "test", [pair("a ", "other"), pair("b", "x"), pair("b", "x"), pair("b", "y")]) == [
        ("b", "x"),
        ("b", "y"),
    ]
    assert kept(cleaner, "validation", [pair("a", "x"), pair("b", "z"), pair("c", "x")]) == [("c", "x")]
    test, validation = cleaner.counts["test"], cleaner.counts["validation"]
    assert (test.read, test.leaked, test.duplicate, test.kept) == (4, 1, 1, 2)
    assert (validation.read, validation.leaked, validation.duplicate, validation.kept) == (3, 2, 0, 1)


def test_lengths_that_training_is_kept_from_stay_in_the_test_set() -> None:
    config = CleaningConfig(max_source_words=5, max_target_words=4, train_min_source_words=2, train_max_source_words=3)
    rows = [pair(source, "x") for source in ("a", "a b", "a b c", "a b c d")]
    cleaner = Cleaner(config)
    assert kept(cleaner, "train", rows) == [("a b", "x"), ("a b c", "x")]
    assert kept(cleaner, "test", rows) == [("a", "x"), ("a b c d", "x")]  # not seen, so not leaked
    assert kept(cleaner, "validation", [*rows, pair("e f", "x"), pair("e", "x")]) == [("e f", "x")]
    assert kept(cleaner, "longer_ones", [pair("z", "x"), pair("v w x y", "x")]) == [("z", "x"), ("v w x y", "x")]
    left_out = {split: counts.untrained_length for split, counts in cleaner.counts.items()}
    assert left_out == {"train": 2, "test": 0, "validation": 3, "longer_ones": 0}
    with pytest.raises(UserError, match=r"5 read: .*5 untrained length.*train_max_source_words \(now 3\)"):
        kept(Cleaner(config), "train", [pair("a", "x")] * 5)


def test_a_shifted_set_has_nothing_that_was_trained_or_chosen_on_and_may_share_rows_with_the_test_set() -> None:
    everywhere = [pair("a", "x"), pair("b", "x"), pair("c", "x"), pair("d", "x")]
    cleaner = Cleaner(CONFIG)
    for split, source in (("train", "a"), ("test", "b"), ("validation", "c")):
        kept(cleaner, split, [pair(source, "x")])
    assert kept(cleaner, "other", everywhere) == [("b", "x"), ("d", "x")]
    assert cleaner.counts["other"].leaked == 2
    assert kept(cleaner, "yet_another", everywhere) == [("b", "x"), ("d", "x")]
    later = Cleaner(CONFIG)
    later.remember("train", ["a"])
    later.remember("validation", ["c"])
    assert kept(later, "other", everywhere) == [("b", "x"), ("d", "x")]


def test_leaks_are_found_in_the_text_that_models_see() -> None:
    cleaner = Cleaner(CleaningConfig(max_source_words=2, max_target_words=4, long_sources="truncate", lowercase=True))
    kept(cleaner, "train", [pair("A b c", "x")])
    assert kept(cleaner, "test", [pair("a B d", "y"), pair("d", "y")]) == [("d", "y")]
    assert cleaner.counts["train"].truncated == 1
    assert cleaner.counts["test"].leaked == 1


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b", "a b c"]), st.sampled_from(["", "x", "x y", "x y z"]))))
def test_the_counts_add_up(rows: list[tuple[str, str]]) -> None:
    cleaner = Cleaner(CleaningConfig(max_source_words=2, max_target_words=2))
    kept(cleaner, "train", [pair("a", "train")])
    rows = [*rows, ("never seen", "x")]
    staying = kept(cleaner, "test", [pair(*row) for row in rows])
    counts = cleaner.counts["test"]
    assert counts.read == len(rows)
    assert counts.read == counts.empty + counts.too_long + counts.duplicate + counts.leaked + counts.kept
    expected = dict.fromkeys((s, t) for s, t in rows if s in ("b", "never seen") and t in ("x", "x y"))
    assert staying == list(expected)


def test_references_are_cleaned_like_the_target() -> None:
    cleaned, _ = clean_pair(pair("a", " x ", [" x ", "y\u00a0z", "", "x", "e\u0301"]), CONFIG)
    assert cleaned.target == "x" and cleaned.references == ("x", "y z", "é")
    cleaned, _ = clean_pair(pair("a", "", ["", "second"]), CONFIG)
    assert cleaned.target == "second" and cleaned.references == ("second",)
    assert clean_pair(pair("a", "x"), CONFIG)[0].references == ("x",)


@pytest.mark.parametrize(
    ("rows", "setting"),
    [
        ([], "data.source"),
        ([pair("", "x")], "columns"),
        ([pair("a b c d e f", "x")], "data.cleaning.max_source_words"),
        ([pair("known", "x")], "data.source"),
    ],
)
def test_no_row_left_says_which_setting_to_change(rows: list[Pair], setting: str) -> None:
    cleaner = Cleaner(CONFIG)
    kept(cleaner, "train", [pair("known", "x")])
    with pytest.raises(UserError, match=rf"no row of the test split is left \({len(rows)} read: .*{setting}"):
        kept(cleaner, "test", rows)


def test_splits_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="order"):
        kept(Cleaner(CONFIG), "validation", [pair("a", "x")])
