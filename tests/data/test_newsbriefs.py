"""The newsbriefs corpus: one hand-checked brief per mechanism, and what must hold for all of them."""

from __future__ import annotations

import random
import re
from collections import Counter

import pytest

from softalign.config import EmbeddedSource
from softalign.data import newsbriefs
from softalign.data.corpus import Example
from softalign.data.newsbriefs import BACKGROUND, EVENTS, brief
from softalign.data.newsbriefs.grammar import Event, Line, derive
from softalign.data.newsbriefs.mechanisms import casualties, described, lines, located

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
NUMBERS = {word: value for value, word in enumerate(ONES)}
NUMBERS |= {ten: 10 * n for n, ten in enumerate(TENS, 2)}
NUMBERS |= {f"{ten}-{ONES[d]}": 10 * n + d for n, ten in enumerate(TENS, 2) for d in range(1, 10)}


def source(rows: int = 300, seed: int = 7) -> EmbeddedSource:
    return EmbeddedSource(corpus="newsbriefs", seed=seed, train_rows=rows, validation_rows=20, test_rows=40)


@pytest.fixture(scope="module")
def splits() -> dict[str, list[Example]]:
    return newsbriefs.generate(source())


@pytest.fixture(scope="module")
def examples(splits: dict[str, list[Example]]) -> list[Example]:
    return [example for rows in splits.values() for example in rows]


def plain(word: str) -> str:
    """A word without its case and punctuation; a number, however it is written, as digits."""
    word = word.lower().strip(".,;:'\"").removesuffix("'s").replace(",", "")
    return str(NUMBERS.get(word, word))


def links(example: Example) -> list[tuple[str, str]]:
    words, summary = example.source.split(), example.target.split()
    pairs = [pair.split("-") for pair in example.alignment.split()]
    return [(words[int(i)], summary[int(j)]) for i, j in pairs]


def derived(fact: tuple[Line, ...], line: int, roles: dict[str, str], **fixed: str | int) -> Example:
    """A brief of a plain event with one fact, told by one line, and nothing else."""
    event = Event("blast", roles, lines(("A boiler [burst].", "A boiler [exploded]@fact.")), {"fact": fact})
    choice = {"main": 0, "fact": line}
    return derive(
        event, random.Random(0), choice=choice, fixed={k.replace("_", "~"): v for k, v in fixed.items()}
    ).example


def test_plain_fact() -> None:
    example = derived(located("the blast"), 0, {"place": "town"}, place="Hartwick")
    assert example.source == "A boiler burst. The blast was in Hartwick."
    assert example.target == "A boiler exploded in Hartwick."
    assert links(example) == [("burst.", "exploded"), ("Hartwick.", "Hartwick.")]
    assert example.alignment == "2-2 7-4"


def test_corrected_place_is_the_one_of_the_summary() -> None:
    example = derived(located("the blast"), 4, {"place": "town"}, place="Hartwick", place_="Millford")
    assert example.source == (
        "A boiler burst. At first Millford was named as the scene of the blast. That was a mistake: it was Hartwick."
    )
    assert example.target == "A boiler exploded in Hartwick."
    assert links(example)[-1] == ("Hartwick.", "Hartwick.")


def test_final_count_and_not_the_first() -> None:
    example = derived(casualties("people", "hurt"), 1, {"count": "count"}, count=42, count_=17)
    assert re.search(r"(17|seventeen) people hurt\.", example.source, re.IGNORECASE)
    assert re.search(r"was (42|forty-two)\.$", example.source)
    assert example.target == "A boiler exploded, with 42 people injured."
    assert {plain(a) for a, b in links(example) if b == "42"} == {"42"}


def test_sum_aligns_both_parts_with_the_total() -> None:
    example = derived(casualties("people", "hurt"), 3, {"count": "count"}, count=12, count_a=5)
    assert re.fullmatch(r"A boiler burst\. Five women and (7|seven) men were hurt\.", example.source)
    assert example.target == "A boiler exploded, with 12 people injured."
    assert [plain(a) for a, b in links(example) if b == "12"] == ["5", "7"]


def test_small_numbers_are_words_in_a_summary() -> None:
    example = derived(casualties("people", "hurt"), 0, {"count": "count"}, count=9)
    assert example.source.endswith("Nine people were hurt.")
    assert example.target == "A boiler exploded, leaving nine people injured."
    assert ("Nine", "nine") in links(example)


def test_subset_uses_a_greater_number() -> None:
    made = [derived(casualties("people", "hurt"), 5, {"count": "count"}, count=30) for _ in range(2)]
    assert made[0] == made[1]
    whole = re.search(r"leaving 30 of (\d+) people injured", made[0].target)
    assert whole and int(whole.group(1)) > 30


def test_description_resolves_to_a_name() -> None:
    event = Event(
        "post",
        {"who": "person", "job": "job"},
        lines(("The club [looked] for a head.", "@!who will lead the club, which had [sought] a head.")),
        {"who": described("The board", "chose")},
    )
    fixed = {"who": "Karin Holt", "who~": "Tom Berg", "job": "engineer", "job~": "nurse"}
    example = derive(event, random.Random(0), choice={"main": 0, "who": 1}, fixed=fixed).example
    assert example.source == (
        "The club looked for a head. Two names were on the list: Tom Berg, a nurse, and Karin Holt, an engineer. "
        "The board chose the engineer."
    )
    assert example.target == "Karin Holt will lead the club, which had sought a head."
    assert ("Karin", "Karin") in links(example) and ("Holt,", "Holt") in links(example)
    swapped = derive(event, random.Random(0), choice={"main": 0, "who": 2}, fixed=fixed).example
    assert swapped.target.startswith("Engineer Karin Holt will lead")
    assert [a for a, b in links(swapped) if b == "Engineer"] == ["engineer,", "engineer."]


def test_decision_and_not_the_proposal() -> None:
    council = next(event for event in EVENTS if event.name == "council")
    choice = {"main": 2, "where": None, "site": None, "price": None}
    fixed = {"plan": "a library", "plan~": "a tram line", "day": "Friday"}
    example = derive(council, random.Random(0), choice=choice, fixed=fixed).example
    assert example.source == (
        "The mayor had proposed a tram line. The council would not have it and on Friday approved a library."
    )
    assert example.target == "The council approved a library, against the mayor, on Friday."


def test_hosts_and_visitors_refer_to_the_teams() -> None:
    match = next(event for event in EVENTS if event.name == "match")
    fixed = {"home": "Hartwick Rovers", "guest": "Millford United", "day": "Sunday"}
    winners = []
    for main in (0, 1):
        made = derive(match, random.Random(0), choice={"main": main, "where": None, "goal": None}, fixed=fixed)
        assert made.example.source.startswith("Hartwick Rovers played at home to Millford United on Sunday.")
        winners.append(made.example.target)
    assert winners == [
        "Hartwick Rovers beat Millford United on Sunday.",
        "Millford United beat Hartwick Rovers on Sunday.",
    ]


def test_pronoun_follows_the_person() -> None:
    event = Event(
        "post",
        {"who": "person"},
        lines(("{who} [left]; {who.they} had kept {who.their} word.", "{who.title} has [gone].")),
        {},
    )
    for name, report, summary in (
        ("Karin Holt", "Karin Holt left; she had kept her word.", "Ms Holt has gone."),
        ("Tom Berg", "Tom Berg left; he had kept his word.", "Mr Berg has gone."),
    ):
        example = derive(event, random.Random(0), fixed={"who": name}).example
        assert (example.source, example.target) == (report, summary)
        assert example.alignment == "1-1 2-3"


def test_same_seed_same_splits_and_other_seed_others(splits: dict[str, list[Example]]) -> None:
    assert newsbriefs.generate(source()) == splits
    assert newsbriefs.generate(source(seed=8))["train"] != splits["train"]


def test_no_report_occurs_twice(examples: list[Example]) -> None:
    assert max(Counter(example.source for example in examples).values()) == 1


def test_lengths(examples: list[Example]) -> None:
    assert all(30 <= len(example.source.split()) <= 120 for example in examples)
    assert all(8 <= len(example.target.split()) <= 20 for example in examples)


def test_alignment_in_range_sorted_and_distinct(examples: list[Example]) -> None:
    for example in examples:
        pairs = [tuple(map(int, pair.split("-"))) for pair in example.alignment.split()]
        assert pairs == sorted(set(pairs))
        assert all(i < len(example.source.split()) and j < len(example.target.split()) for i, j in pairs)


def test_names_and_numbers_are_aligned_with_themselves(examples: list[Example]) -> None:
    """Every name and number of a summary comes from its own place in the report; sums alone from two numbers."""
    sums = 0
    for example in examples:
        origins: dict[int, list[str]] = {}
        words, summary = example.source.split(), example.target.split()
        for i, j in (map(int, pair.split("-")) for pair in example.alignment.split()):
            origins.setdefault(j, []).append(plain(words[i]))
        for j, word in enumerate(summary):
            if plain(word).isdigit():
                if set(origins.get(j, [])) != {plain(word)}:
                    assert sum(map(int, origins[j])) == int(plain(word)), example
                    sums += 1
            elif word[0].isupper() and j:
                assert set(origins.get(j, [])) == {plain(word)}, (word, example)
    assert sums > 0


def test_other_links_join_a_word_with_itself_or_with_a_listed_paraphrase(examples: list[Example]) -> None:
    wordings = {
        (plain(a), plain(b))
        for event in EVENTS
        for line in (*event.main, *(line for fact in event.facts.values() for line in fact))
        for a in " ".join(re.findall(r"\[([^\]]+)\]", " ".join(line.report))).split()
        for b in " ".join(re.findall(r"\[([^\]]+)\]", line.summary)).split()
    }
    for example in examples:
        for a, b in links(example):
            same = plain(a) == plain(b) or (plain(a).isdigit() and plain(b).isdigit())
            assert same or (plain(a), plain(b)) in wordings, (a, b, example)


def test_decoys_stay_out_of_the_summary() -> None:
    rng = random.Random(3)
    for _ in range(300):
        made = brief(rng)
        summary = {plain(word) for word in made.example.target.split()}
        for key, value in made.decoys.items():
            if key.endswith(("+", "~a")):
                continue  # the whole of "30 of 45", and a part of a sum
            for word in str(value).split():
                if word[0].isupper() and word != "The" or word.isdigit():
                    assert plain(word) not in summary, (key, value, made.example)


def test_lead_and_copy_are_weak(examples: list[Example]) -> None:
    """Unigram F1 of the first words, as many as the summary has, and of the whole report."""

    def f1(candidate: list[str], reference: list[str]) -> float:
        common = sum((Counter(map(plain, candidate)) & Counter(map(plain, reference))).values())
        return 2 * common / (len(candidate) + len(reference))

    pairs = [(example.source.split(), example.target.split()) for example in examples]
    assert sum(f1(report[: len(summary)], summary) for report, summary in pairs) / len(pairs) < 0.4
    assert sum(f1(report, summary) for report, summary in pairs) / len(pairs) < 0.4


def test_grammar_is_well_formed() -> None:
    """Every line and aside renders; brackets stand on both sides or on none; facts are used by every main line."""
    assert len({event.name for event in EVENTS}) == len(EVENTS) >= 20
    for event in EVENTS:
        for line in (*event.main, *(line for fact in event.facts.values() for line in fact)):
            both = "[" in " ".join(line.report), "[" in line.summary
            assert both[0] == both[1], (event.name, line)
        for line in event.main:
            assert set(re.findall(r"@!?(\w+)", line.summary)) == set(event.facts), (event.name, line)
        for number in range(len(event.main)):
            for fact, told in event.facts.items():
                for index in range(len(told)):
                    derive(event, random.Random(0), asides=len(event.asides), choice={"main": number, fact: index})
    derive(EVENTS[0], random.Random(0), background=BACKGROUND, words=10_000)


def test_text_is_clean(examples: list[Example]) -> None:
    for example in examples:
        for text in (example.source, example.target):
            assert not re.search(r"[{}\[\]<>|@~]|  |\s[.,;]|\.\.", text), text
            assert text == text.strip() and text.endswith(".")
            assert not re.search(r"(^|\. )[a-z0-9]", re.sub(r"(^|\. )\d[\d,]{2,}", "", text)), text


def test_events_vocabulary_and_derivations_are_many() -> None:
    rng = random.Random(11)
    made = [brief(rng).example for _ in range(1500)]
    assert len({example.template.split(":")[0] for example in made}) == len(EVENTS)
    assert len({example.template for example in made}) > 800
    assert len({plain(word) for example in made for word in example.source.split()}) > 4000
