"""`python -m softalign generate`: a line of output for each line of input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from project import copy_project, run
from tiny_arm import tiny_config, train_tiny, write_toy_data

from softalign.__main__ import generated, trained
from softalign.errors import UserError
from softalign.paths import Layout
from softalign.stages import evaluate
from softalign.stages.by_hand import run_name


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout(tmp_path)
    write_toy_data(layout, tiny_config("multiply"))
    return layout


def test_a_line_gives_what_the_stage_evaluate_found_for_it(layout: Layout) -> None:
    config = tiny_config("bahdanau")
    folder = train_tiny(layout, config, steps=60)
    evaluate.main.__wrapped__(config, layout)
    lines = (folder / "test" / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    evaluated = [json.loads(line) for line in lines]
    found = list(generated([item["source"] for item in evaluated], config, layout))
    assert found == [item["prediction"] for item in evaluated]
    assert len(set(found)) > 1


def test_an_empty_line_stays_empty_and_in_its_place(layout: Layout) -> None:
    config = tiny_config("multiply")
    train_tiny(layout, config, steps=20)
    first, nothing, blank, last = generated(["eins zwei", "", "  ", "drei"], config, layout)
    assert (nothing, blank) == ("", "")
    assert [first, last] == list(generated(["eins zwei", "drei"], config, layout))


def test_lines_that_are_cut_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layout, config = Layout(tmp_path), tiny_config("multiply")
    cleaning = replace(config.data.cleaning, long_sources="truncate", max_source_words=7)
    cutting = replace(config, data=replace(config.data, cleaning=cleaning))
    write_toy_data(layout, cutting)
    train_tiny(layout, cutting, steps=20)
    short, long, longer = generated(
        [f"eins zwei drei vier fünf eins drei{rest}" for rest in ("", " zwei", " vier drei")], cutting, layout
    )
    assert short == long == longer
    assert capsys.readouterr().err.splitlines()[-1] == (
        "warning: lines cut to 7 words (data.cleaning.max_source_words), as in training: 2"
    )


def test_lines_before_one_that_cannot_be_read_are_answered(layout: Layout) -> None:
    config = tiny_config("multiply")
    train_tiny(layout, config, steps=20)

    def lines() -> Iterator[str]:
        yield from ["eins zwei", "drei"]
        raise UserError("not UTF-8", "standard input, line 3", "convert it")

    found = []
    with pytest.raises(UserError, match="line 3"):
        for text in generated(lines(), config, layout):
            found.append(text)
    assert found == list(generated(["eins zwei", "drei"], config, layout))


def test_line_breaks_that_an_arm_has_learned_stay_off_the_output(
    layout: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_tiny(layout, tiny_config("multiply"), steps=1)
    monkeypatch.setattr("softalign.generation.generate", lambda *_: ["one\ntwo\r", "three"])
    assert list(generated(["eins zwei", "drei"], tiny_config("multiply"), layout)) == ["one two", "three"]


def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path: Path) -> None:
    copy_project(tmp_path)
    script = (
        "import softalign.__main__ as command; command.generated = lambda *_: map(str, range(10**6)); "
        "command.main(['generate'])"
    )
    ended = run(tmp_path, "sh", "-c", f'python -c "{script}" | head -1')
    assert (ended.stdout, ended.stderr) == ("0\n", "")


def test_a_training_by_hand_is_found_by_its_settings(layout: Layout) -> None:
    config = replace(tiny_config("multiply"), seed=7)
    by_hand = Layout(layout.root, by_hand=run_name(config))
    train_tiny(by_hand, config, steps=1)
    assert trained(config, layout) == by_hand.run("translation", "multiply", 7) / "train"
    other = replace(config, optimization=replace(config.optimization, lr=0.001))
    with pytest.raises(UserError, match="has not been trained with these settings"):
        trained(other, layout)


def test_what_is_not_utf8_is_refused_with_its_line(tmp_path: Path) -> None:
    copy_project(tmp_path)
    script = "from softalign.__main__ import read_lines; from softalign.errors import reported\n"
    script += "with reported(): print(list(read_lines()))"
    failed = run(tmp_path, "python", "-c", script, check=False, stdin=b"ganz gut\nschlecht \xff\n")
    assert failed.returncode == 1
    assert failed.stderr.splitlines() == ["error: not UTF-8 (standard input, line 2): convert it, e.g. with iconv"]


def test_without_data_one_line_says_what_to_do(tmp_path: Path) -> None:
    copy_project(tmp_path)
    failed = run(tmp_path, "python", "-m", "softalign", "generate", "model=multiply", check=False, stdin=b"Ja.\n")
    assert failed.returncode == 1
    assert failed.stderr.startswith("error: no prepared data") and len(failed.stderr.splitlines()) == 1
