"""The report as a reader gets it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from synthetic_runs import Reported, report_of

from softalign.errors import UserError
from softalign.paths import Layout
from softalign.reporting import report, results, sentences, tables
from softalign.reporting.arm_scores import LENGTH_COLUMNS
from softalign.reporting.report import to_csv
from softalign.reporting.summary import plain, read_results, summary_table

VOID = {"meta", "br", "img", "link", "hr", "input"}


class Page(HTMLParser):
    """Collects what a page asks for from elsewhere, and whether its tags are closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.text: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "srcset", "data") and not (value or "").startswith(("#", "data:")):
                self.outside.append(f"{tag} {name}={value}")
            if name == "id" and value:
                self.ids.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


@pytest.fixture(scope="module")
def written(one_seed: Reported) -> Path:
    return one_seed.write()


@pytest.fixture(scope="module")
def page(written: Path) -> Page:
    page = Page()
    page.feed((written / "index.html").read_text(encoding="utf-8"))
    return page


def test_every_file_is_there(written: Path) -> None:
    names = {str(path.relative_to(written)) for path in written.rglob("*") if path.is_file()}
    assert {
        "claims.json",
        "results.json",
        "metrics.json",
        "report.md",
        "index.html",
        "plots/loss_curves.csv",
        "plots/quality_by_length.csv",
        "figures/translation-loss-curves.png",
        "figures/translation-loss-curves.svg",
    } <= names


def test_the_page_asks_for_nothing_from_elsewhere(page: Page, written: Path) -> None:
    assert page.open == []
    assert page.outside == []
    html = (written / "index.html").read_text(encoding="utf-8")
    assert "@import" not in html and "<script" not in html
    assert not re.findall(r"url\((?!#)", html)
    assert '<meta name="viewport" content="width=device-width' in html
    assert "prefers-color-scheme: dark" in html
    assert len(page.ids) == len(set(page.ids))


def test_every_table_scrolls_in_its_own_box(written: Path) -> None:
    html = (written / "index.html").read_text(encoding="utf-8")
    assert html.count("<table") == len(re.findall(r'<div class="scroll"[^>]*>\s*<table', html)) > 10


def test_the_text_of_the_data_cannot_break_the_page(tmp_path: Path) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=("vanilla", "bahdanau"), rows=6)
    run = reported.tasks[0].of("bahdanau")[0]
    for row in run.predictions:
        row["prediction"] = "<script>alert(1)</script> a | b & 5 < 6"
    reported.write()
    html = (reported.layout.reports / "index.html").read_text(encoding="utf-8")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    markdown = (reported.layout.reports / "report.md").read_text(encoding="utf-8")
    assert "a \\| b" in markdown


def test_both_reports_say_the_same_numbers(page: Page, written: Path, one_seed: Reported) -> None:
    markdown = (written / "report.md").read_text(encoding="utf-8")
    text = " ".join(" ".join(page.text).split())
    record = next(r for r in one_seed.results["comparisons"] if r["metric"] == "bleu" and r["candidate"] == "bahdanau")
    difference = tables.score(record["difference"], signed=True)
    for content in (text, markdown):
        assert f"a difference of {difference}" in content
        for claim in one_seed.claims["claims"]:
            assert claim["statement"] in content, claim
            for sentence in claim["rules"]:
                assert sentence in content
        assert "seed variation not covered" in content
        assert "0123456789ab" in content  # the commit


def test_markdown_tables_have_as_many_cells_as_headings(written: Path) -> None:
    lines = (written / "report.md").read_text(encoding="utf-8").split("\n")
    for number, line in enumerate(lines):
        if line.startswith("| ---") or line.startswith("| ---:"):
            cells = len(re.split(r"(?<!\\)\|", line))
            row = number - 1
            while row < len(lines) and lines[row].startswith("|"):
                assert len(re.split(r"(?<!\\)\|", lines[row])) == cells, lines[row]
                row += 1
            assert row > number + 1 or not lines[row].strip()


def test_markdown_shows_figures_that_exist(written: Path) -> None:
    linked = re.findall(r"!\[[^]]*\]\(([^)]+)\)", (written / "report.md").read_text(encoding="utf-8"))
    assert linked
    assert all((written / path).is_file() for path in linked)


def test_samples_are_spread_over_the_lengths_and_mark_foreign_words(one_seed: Reported) -> None:
    task = one_seed.tasks[0]
    samples = report.choose_samples(task, 3)
    lengths = [len(sample.source.split()) for sample in samples]
    assert lengths == sorted(lengths) and lengths[0] < lengths[-1]
    assert [arm for arm, _ in samples[0].outputs] == ["vanilla", "multiply", "bahdanau"]
    for sample in samples:
        for _, words in sample.outputs:
            assert all(known == (word in sample.references[0].split()) for word, known in words)
    assert len(report.choose_samples(task, 1000)) == len(task.items)
    assert report.choose_samples(task, 0) == []


def test_the_caveats_follow_the_data(one_seed: Reported, two_seeds: Reported) -> None:
    assert sentences.ONE_SEED in caveats(one_seed)
    assert {sentences.SEVERAL_SEEDS, sentences.TWO_SEEDS} <= set(caveats(two_seeds))
    assert sentences.TWO_SEEDS not in caveats(one_seed)
    assert any("80 % of all repetitions" in line for line in caveats(one_seed))
    assert any("p (Holm) is below 0.05" in line for line in caveats(one_seed))
    assert sentences.EMBEDDED in caveats(one_seed)


def test_whose_loss_still_fell_is_told_as_shortly_as_can_be(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)

    def told(still: Callable[[dict[str, Any]], bool]) -> list[str]:
        for run in results["runs"]:
            run["cost"]["flattened"] = not still(run)
        lines = sentences.caveats(results, one_seed.claims["claims"])
        return [line.rpartition("may help: ")[2] for line in lines if "last quarter" in line]

    assert told(lambda run: False) == []
    assert told(lambda run: True) == ["all runs."]
    assert told(lambda run: run["task"] == "translation") == ["all of translation."]
    some = told(lambda run: run["task"] == "translation" or run["model"] == "vanilla")
    assert some == ["all of translation, summarization vanilla 1."]
    results["runs"], results["tasks"] = [], {}
    assert told(lambda run: True) == []


def caveats(reported: Reported) -> list[str]:
    return sentences.caveats(reported.results, reported.claims["claims"])


def test_a_trial_on_a_handful_of_rows_says_first_that_it_is_one(one_seed: Reported) -> None:
    results = copy.deepcopy(one_seed.results)
    for task, kept in (("translation", sentences.FEW_ROWS), ("summarization", 216)):
        results["tasks"][task]["prepared"]["splits"]["train"]["kept"] = kept
    assert sentences.trial(results) == sentences.A_TRIAL.format("216 training rows for summarization")
    results["tasks"]["summarization"]["prepared"]["splits"]["train"]["kept"] = sentences.FEW_ROWS
    assert sentences.trial(results) is None
    results["tasks"]["translation"]["test_items"] = sentences.FEW_ITEMS - 1
    assert sentences.trial(results) == sentences.A_TRIAL.format("49 test items for translation")


def test_a_level_has_no_sign_and_is_told_beside_what_it_is_held_against() -> None:
    effect = {
        "arm": "vanilla",
        "against": "halfway",
        "task": "recall",
        "quantity": "exact match at the longest lags, points",
        "effect": 26.6,
        "low": 16.7,
        "high": 36.5,
        "neutral": 52.5,
        "p_holm": 0.013,
    }
    claim = {"id": "C3", "statement": "RNNs capture it", "verdict": "refuted", "missing": [], "effect": effect}
    said = sentences.finding(claim | {"rows": [{"applies": True, "verdict": "refuted"}]})
    assert said.endswith(
        "vanilla against halfway (52.5) on recall: 26.6 (exact match at the longest lags, points), interval 16.7 … 36.5"
        ", corrected p 0.013."
    )


def test_a_bootstrap_too_coarse_for_the_number_of_comparisons_is_named(one_seed: Reported) -> None:
    assert not [line for line in caveats(one_seed) if "bootstrap_samples" in line]
    few = one_seed.results | {"bootstrap": one_seed.results["bootstrap"] | {"samples": 100}}
    (line,) = [line for line in sentences.caveats(few, one_seed.claims["claims"]) if "bootstrap_samples" in line]
    assert line.startswith("100 resamples give no p-value below 0.020") and "C2" in line and "C11" not in line


def test_several_seeds_are_told_apart_in_the_page(two_seeds: Reported) -> None:
    two_seeds.write()
    html = (two_seeds.layout.reports / "index.html").read_text(encoding="utf-8")
    assert "pooled over seeds 1, 2" in html
    assert "seed by seed" in html


@pytest.mark.parametrize("models", [("vanilla",), ("multiply", "bahdanau")])
def test_a_report_without_opponents_is_a_report(tmp_path: Path, models: tuple[str, ...]) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=models, rows=6)
    reported.write()
    assert "not decided" in (reported.layout.reports / "index.html").read_text(encoding="utf-8")


def test_plots_have_their_columns_with_rows_and_without(one_seed: Reported) -> None:
    for rows, columns in (
        (results.loss_curves(one_seed.tasks), results.LOSS_COLUMNS),
        (one_seed.results["by_length"], LENGTH_COLUMNS),
    ):
        header = ",".join(columns)
        assert rows and all(list(row) == list(columns) for row in rows)
        assert to_csv(rows, columns).splitlines()[0] == header
        assert to_csv([], columns) == f"{header}\n"


def test_a_failure_leaves_the_earlier_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reported = report_of(tmp_path, tasks=("translation",), models=("vanilla",), rows=6)

    def write() -> None:
        reported.write()

    write()
    (reported.layout.reports / "notebooks").mkdir()
    before = {path: path.read_bytes() for path in reported.layout.reports.rglob("*") if path.is_file()}
    monkeypatch.setattr(report, "to_csv", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write()
    monkeypatch.undo()
    monkeypatch.setattr(report, "replace_text", lambda *_: (_ for _ in ()).throw(UserError("no space left on disk")))
    with pytest.raises(UserError):
        write()
    after = {path: path.read_bytes() for path in reported.layout.reports.rglob("*") if path.is_file()}
    assert after == before
    assert (reported.layout.reports / "notebooks").is_dir()


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (None, False, "–"),
        (973856, False, "973,856"),
        (12, False, "12"),
        (66.283, True, "+66.3"),
        (-1.066, True, "−1.07"),
        (-0.0, True, "0"),
        (0.0421, False, "0.042"),
        (3.14e17, False, "3.1e+17"),
    ],
)
def test_numbers_are_written_with_as_many_digits_as_mean_something(value: float, signed: bool, text: str) -> None:
    assert tables.number(value, signed) == text


def test_the_summary_is_short_and_aligned(one_seed: Reported) -> None:
    lines = summary_table(one_seed.results).split("\n")
    assert len(lines) == 13
    assert max(map(len, lines)) <= 80
    assert "bahdanau" in lines[5] and "supported" in lines[5]


def test_plain_tables_align_names_left_and_numbers_right() -> None:
    table = tables.Table("caption", ["arm", "n"], [["a", "5"], ["long", "100"]])
    assert plain(table) == "caption\narm     n\n----  ---\na       5\nlong  100"


def test_no_results_yet_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no results yet.*dvc repro"):
        read_results(Layout(tmp_path))
