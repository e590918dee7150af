"""An arm that was trained for a few seconds, and one that was hardly trained, evaluated as the stage does it."""

import json
import math
from dataclasses import dataclass, replace

import numpy as np
import pytest
import sacrebleu
import torch
from tiny_arm import WORDS, tiny_config, train_tiny, write_toy_data

from softalign.config import CleaningConfig, DataConfig, EmbeddedSource, TaskConfig, TokenizerConfig
from softalign.data.batching import collate
from softalign.data.prepared import load_prepared, prepare
from softalign.data.probes.recall import lag_of
from softalign.data.provenance import write_raw
from softalign.data.revisions import RevisionLock
from softalign.data.sources import load
from softalign.errors import UserError
from softalign.evaluation.arm import load_arm, trained_on
from softalign.evaluation.evaluate import assemble_scores, decode, score_targets, summary, write_test
from softalign.evaluation.scores import METRICS, item_statistics, metrics_of
from softalign.evaluation.significance import bootstrap_interval
from softalign.evaluation.split import Split, split_of
from softalign.hardware import precision
from softalign.paths import Layout
from softalign.training.identity import training_of


@dataclass
class Evaluated:
    scores: dict
    predictions: list
    attention: list
    test: Split


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    layout = Layout(tmp_path_factory.mktemp("project"))
    write_toy_data(layout, tiny_config("bahdanau"))
    return layout


def evaluated(layout, config, steps):
    run = train_tiny(layout, config, steps)
    data = load_prepared(layout.prepared(config.task.name), config.data)
    arm = load_arm(run / "train" / "best.ckpt", data, config)
    test = split_of(data.splits["test"])
    outputs = decode(arm, test, config, "arm")
    likelihoods = score_targets(arm, test, data, config, "arm")
    statistics = item_statistics(outputs.texts, test.references, metrics_of(config.task.headline_metric))
    training = training_of(run / "train", trained_on(run / "train", data).fingerprint)
    scores = assemble_scores(arm, test, outputs, statistics, likelihoods, config, "arm", training)
    write_test(run / "test", arm, test, outputs, statistics, likelihoods, scores, config)
    assert "perplexity" in summary("arm", scores, config)
    return Evaluated(
        scores=json.loads((run / "test" / "scores.json").read_text(encoding="utf-8")),
        predictions=[json.loads(line) for line in (run / "test" / "predictions.jsonl").open(encoding="utf-8")],
        attention=json.loads((run / "test" / "attention.json").read_text(encoding="utf-8")),
        test=test,
    )


@pytest.fixture(scope="module")
def trained(layout):
    return evaluated(layout, tiny_config("bahdanau"), steps=250)


@pytest.fixture(scope="module")
def hardly_trained(layout):
    return evaluated(layout, tiny_config("vanilla"), steps=3)


def test_a_trained_arm_translates(trained):
    test = trained.scores["test"]
    assert test["bleu"] > 70 and test["exact_match"] > 50 and 1 < test["perplexity"] < 2
    assert test["n_rows"] == len(trained.test)


def test_scores_are_those_of_the_predictions_on_disk(trained):
    predictions = [record["prediction"] for record in trained.predictions]
    references = [record["references"] for record in trained.predictions]
    expected = sacrebleu.corpus_bleu(predictions, [[several[0] for several in references]]).score
    assert trained.scores["test"]["bleu"] == pytest.approx(expected)
    for metric in METRICS:
        statistics = item_statistics(predictions, references, [metric])[metric]
        interval = bootstrap_interval(statistics, 100, 0.95, 0)
        assert trained.scores["test"][metric] == pytest.approx(interval.score)
        assert trained.scores["intervals"][metric] == pytest.approx({"low": interval.low, "high": interval.high})
    assert set(trained.scores["signatures"]) == set(METRICS)


def test_predictions_are_in_test_order(trained):
    assert [record["row"] for record in trained.predictions] == list(range(len(trained.test)))
    assert [record["source"] for record in trained.predictions] == trained.test.source
    for record in trained.predictions:
        assert record["source_words"] == record["target_words"] == len(record["source"].split())
        assert record["target"] == " ".join(WORDS[word] for word in record["source"].split())
        assert record["log_probability"] <= 0 <= record["negative_log_likelihood"]
        if record["prediction"] == record["target"]:
            assert record["log_probability"] == pytest.approx(-record["negative_log_likelihood"], abs=1e-3)


def test_what_search_computed_in_is_written_beside_what_was_asked_for(layout, monkeypatch):
    monkeypatch.setattr(precision, "multiplies_bf16", lambda device: True)
    config = tiny_config("bahdanau")
    config = replace(config, seed=5, decoding=replace(config.decoding, precision="auto"))
    settings = evaluated(layout, config, steps=1).scores["settings"]
    assert settings["search_precision"] == "bf16"
    assert settings["decoding"]["precision"] == "auto"


def test_search_has_the_precision_asked_for_and_nothing_else_has(layout, trained):
    config = tiny_config("bahdanau")
    config = replace(config, decoding=replace(config.decoding, precision="bf16"))
    data = load_prepared(layout.prepared(config.task.name), config.data)
    best = layout.run(config.task.name, config.model.name, config.seed) / "train" / "best.ckpt"
    arm = load_arm(best, data, config)
    assert {parameter.dtype for parameter in arm.model.parameters()} == {torch.float32}
    assert arm.searcher.decoder.embedding.weight.dtype == torch.bfloat16
    assert trained.scores["settings"]["search_precision"] == "fp32"


def test_perplexity_is_that_of_the_likelihoods_on_disk(trained):
    total = sum(record["negative_log_likelihood"] for record in trained.predictions)
    words = sum(len(record["target"].split()) + 1 for record in trained.predictions)
    assert trained.scores["test"]["perplexity"] == pytest.approx(math.exp(total / words))
    assert trained.scores["gap"]["test_perplexity"] == trained.scores["test"]["perplexity"]
    assert set(trained.scores["gap"]) == {"train_perplexity", "validation_perplexity", "test_perplexity"}


def test_the_gap_is_between_the_splits_that_it_names(layout, trained):
    """Sentence by sentence: the sum of the likelihoods over the words and ends of sentences of each split."""
    config = tiny_config("bahdanau")
    data = load_prepared(layout.prepared(config.task.name), config.data)
    run = layout.run(config.task.name, config.model.name, config.seed)
    model = load_arm(run / "train" / "best.ckpt", data, config).model
    found = {}
    for name in ("train", "validation"):
        split = split_of(data.splits[name], sample=len(data.splits["validation"]))
        with torch.no_grad():
            loss = sum(float(model.negative_log_likelihood(collate([row]))) for row in split.rows)
        found[name] = math.exp(loss / sum(len(target.split()) + 1 for target in split.target))
        assert trained.scores["gap"][f"{name}_perplexity"] == pytest.approx(found[name], rel=1e-4)
    assert found["train"] != pytest.approx(found["validation"], rel=1e-3)


def test_attention_finds_the_gold_alignment(trained, hardly_trained):
    alignment = trained.scores["alignment"]
    assert alignment["links"] == sum(len(target.split()) for target in trained.test.target)
    assert alignment["diagonal_error_rate"] == alignment["reachable_error_rate"] == 0  # word by word
    assert alignment["error_rate"] < 0.5
    assert alignment["entropy"] < alignment["entropy_uniform"]
    links = [record["links"]["attention"] for record in trained.predictions]
    right, predicted, gold = np.sum(links, axis=0)
    assert [own[1:] for own in links] == [[record["target_words"]] * 2 for record in trained.predictions]  # one a word
    assert alignment["error_rate"] == pytest.approx(1 - 2 * right / (predicted + gold))
    assert hardly_trained.scores["alignment"] is None
    assert not any("links" in record for record in hardly_trained.predictions)


def test_attention_maps_have_a_token_for_each_row_and_column(trained, hardly_trained):
    assert len(trained.attention) == 2
    for example in trained.attention:
        weights = np.array(example["weights"])
        assert weights.shape == (len(example["target_tokens"]), len(example["source_tokens"]))
        assert example["source_tokens"][-1] == example["target_tokens"][-1] == "</s>"
        np.testing.assert_allclose(weights.sum(axis=1), 1, atol=0.01)
        source = trained.test.source[example["row"]]
        assert "".join(example["source_tokens"][:-1]).replace("▁", " ").strip() == source
    assert hardly_trained.attention == []


def test_buckets_cover_the_test_set_and_are_the_same_for_every_arm(trained, hardly_trained):
    for arm in (trained, hardly_trained):
        assert sum(bucket["rows"] for bucket in arm.scores["by_length"]) == len(arm.test)
        for timings in ("scoring_by_length", "decoding_by_length"):
            spans = [(timing["low"], timing["high"]) for timing in arm.scores["cost"][timings]]
            assert spans == [(bucket["low"], bucket["high"]) for bucket in trained.scores["by_length"]]
        assert arm.scores["cost"]["decode_sentences_per_second"] > 0


def test_exact_match_belongs_to_the_embedded_corpora(layout, hardly_trained):
    assert hardly_trained.scores["test"]["exact_match"] is not None
    from softalign.config import FilesSource

    config = tiny_config("vanilla")
    config = replace(config, data=replace(config.data, source=FilesSource(path="x")))
    run = layout.run("translation", "vanilla", 1)
    data = load_prepared(layout.prepared("translation"))
    arm = load_arm(run / "train" / "best.ckpt", data, config)
    test = split_of(data.splits["test"])
    outputs = replace(decode(arm, test, config, "arm"), texts=[""] * len(test))  # and nothing but empty predictions
    statistics = item_statistics(outputs.texts, test.references)
    likelihoods = score_targets(arm, test, data, config, "arm")
    scores = assemble_scores(arm, test, outputs, statistics, likelihoods, config, "arm", {})
    assert scores["test"]["exact_match"] is None
    assert [scores["test"][metric] for metric in METRICS] == [0] * 5


def test_data_without_gold_alignment_has_no_error_rate(layout, trained):
    config = tiny_config("bahdanau")
    data = load_prepared(layout.prepared("translation"))
    run = layout.run("translation", "bahdanau", 1)
    arm = load_arm(run / "train" / "best.ckpt", data, config)
    test = split_of(data.splits["test"])
    without = replace(test, alignment=[""] * len(test))
    outputs, targets = decode(arm, test, config, "arm"), score_targets(arm, without, data, config, "arm")
    statistics = item_statistics(outputs.texts, test.references)
    assert assemble_scores(arm, without, outputs, statistics, targets, config, "arm", {})["alignment"] is None


def test_a_sample_of_a_split_is_fixed_and_in_order(layout):
    train = load_prepared(layout.prepared("translation")).splits["train"]
    sample = split_of(train, sample=20)
    everything = split_of(train)
    assert len(sample) == 20 and split_of(train, sample=20) == sample
    places = [everything.source.index(source) for source in sample.source]
    assert places == sorted(places)
    assert split_of(train, sample=10_000) == everything


def test_refuses_what_was_not_trained_or_trained_on_other_data(layout, trained, tmp_path):
    data = load_prepared(layout.prepared("translation"))
    with pytest.raises(UserError, match="nothing has been trained"):
        trained_on(layout.run("translation", "absent", 1) / "train", data)
    (tmp_path / "failure.json").touch()
    with pytest.raises(UserError, match=r"the training has diverged \(.*failure.json\): there is nothing to evaluate"):
        trained_on(tmp_path, data)
    train = layout.run("translation", "bahdanau", 1) / "train"
    assert trained_on(train, data).model == "bahdanau"
    with pytest.raises(UserError, match="trained on other data"):
        trained_on(train, replace(data, report=data.report | {"fingerprint": "other"}))


def test_an_arm_is_probed(trained, hardly_trained):
    for arm, attends in ((trained, True), (hardly_trained, False)):
        probes = arm.scores["probes"]
        assert probes["recall_by_lag"] is None
        assert probes["gradient_norm"][0]["low"] == 0 and all(bucket["norm"] > 0 for bucket in probes["gradient_norm"])
        assert sum(bucket["tokens"] for bucket in probes["gradient_norm"]) == sum(map(len, arm.test.source_ids))
        assert [probes["state_norm"][side][0]["states"] for side in ("encoder", "decoder")] == 2 * [len(arm.test)]
        assert (probes["attention_entropy"] is not None) == attends
    assert trained.scores["probes"]["attention_entropy"] == pytest.approx(
        {"entropy": trained.scores["alignment"]["entropy"], "uniform": trained.scores["alignment"]["entropy_uniform"]}
    )


def test_an_arm_for_recall_from_its_corpus_to_its_scores(tmp_path, monkeypatch):
    monkeypatch.setattr("softalign.evaluation.probes.SAMPLE", 10)  # which the marked values of all rows do not heed
    config = tiny_config("bahdanau")
    source = EmbeddedSource(corpus="recall", seed=1, train_rows=60, validation_rows=10, test_rows=40)
    cleaning = CleaningConfig(max_source_words=200, max_target_words=1)
    tokenizer = TokenizerConfig(vocabulary_size=320)
    config = replace(
        config,
        task=TaskConfig(name="recall", headline_metric="exact_match"),
        data=DataConfig(name="recall", source=source, cleaning=cleaning, tokenizer=tokenizer),
    )
    layout = Layout(tmp_path)
    splits, origin = load(source, [tmp_path], RevisionLock(()))
    write_raw(splits, origin, "recall", layout.raw("recall"))
    prepare(layout.raw("recall"), layout.prepared("recall"), config.data, "none")
    found = evaluated(layout, config, steps=2)
    assert set(found.scores["intervals"]) == {"exact_match", "token_accuracy"} and "bleu" not in found.scores["test"]
    interval = found.scores["intervals"]["exact_match"]
    assert interval["low"] <= found.scores["test"]["exact_match"] <= interval["high"] < 50  # after two steps
    probes, lags = found.scores["probes"], [lag_of(text) for text in found.test.source]
    assert probes["recall_by_lag"][-1]["high"] == probes["gradient_norm"][-1]["high"] == max(lags)
    assert sum(bucket["tokens"] for bucket in probes["gradient_norm"]) == len(lags)
    assert found.scores["alignment"]["links"] == len(lags)
