import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from softalign.evaluation.references import reference_streams
from softalign.evaluation.rouge import mean_score
from softalign.evaluation.scores import METRICS, ItemStatistics, item_statistics
from softalign.evaluation.significance import (
    bootstrap_interval,
    holm,
    paired_bootstrap,
    percentile_interval,
    resampled_scores,
    two_sided_p_value,
)

SACREBLEU_SEED = 12345  # of its own resamples
WORDS = [f"w{i}" for i in range(30)]


def corpus(rows, seed, keep):
    """References, and predictions in which each word survives with probability `keep`."""
    generator = np.random.default_rng(seed)
    references = [list(generator.choice(WORDS, generator.integers(4, 14))) for _ in range(rows)]
    predictions = [[w if generator.random() < keep else str(generator.choice(WORDS)) for w in r] for r in references]
    return [" ".join(p) for p in predictions], [[" ".join(r)] for r in references]


def means(values):
    """Statistics of a metric that is a mean, in points of 100."""
    return ItemStatistics(np.stack([values, np.ones_like(values)], axis=1), mean_score, "")


@pytest.fixture(scope="module")
def two_systems():
    better, references = corpus(120, seed=3, keep=0.85)
    worse, same = corpus(120, seed=3, keep=0.80)
    assert references == same
    return worse, better, references


@pytest.mark.parametrize("metric", METRICS)
def test_a_resample_scores_as_the_drawn_items_do(two_systems, metric):
    _, predictions, references = two_systems
    statistics = item_statistics(predictions, references, [metric])[metric]
    scores = resampled_scores([statistics], samples=3, seed=7)[0]
    draws = np.random.default_rng(7).integers(len(predictions), size=(3, len(predictions)))
    for score, draw in zip(scores, draws, strict=True):
        drawn = item_statistics([predictions[i] for i in draw], [references[i] for i in draw], [metric])[metric]
        assert score == pytest.approx(drawn.corpus_score())


def test_blocks_do_not_change_the_resamples(two_systems, monkeypatch):
    _, predictions, references = two_systems
    statistics = item_statistics(predictions, references, ["bleu"])["bleu"]
    whole = resampled_scores([statistics], samples=50, seed=1)
    monkeypatch.setattr("softalign.evaluation.significance._BLOCK", 7 * len(predictions))
    np.testing.assert_array_equal(resampled_scores([statistics], samples=50, seed=1), whole)


@pytest.mark.parametrize(("name", "metric"), [("bleu", BLEU()), ("chrf", CHRF())])
def test_agrees_with_sacrebleu(two_systems, name, metric):
    worse, better, references = two_systems
    systems = [("worse", worse), ("better", better)]
    _, expected = PairedTest(systems, {name: metric}, reference_streams(references), test_type="bs", n_samples=500)()
    column = next(value for key, value in expected.items() if key != "System")
    for predictions, result in zip((worse, better), column, strict=True):
        statistics = item_statistics(predictions, references, [name])[name]
        # numpy's `choice` draws what `integers` does, so the resamples are the same; sacreBLEU sums them in float32.
        scores = resampled_scores([statistics], 500, SACREBLEU_SEED)[0]
        assert statistics.corpus_score() == pytest.approx(result.score)
        assert scores.mean() == pytest.approx(result.mean, abs=1e-3)
        ordered = np.sort(scores)  # sacreBLEU takes the 13th from either end; the quantile lies between it and the next
        assert (ordered[-13] - ordered[12]) / 2 == pytest.approx(result.ci, abs=1e-3)
        interval = bootstrap_interval(statistics, 500, 0.95, SACREBLEU_SEED)
        assert ordered[12] <= interval.low <= ordered[13] and ordered[-14] <= interval.high <= ordered[-13]


def test_verdict_agrees_with_sacrebleu_on_a_clear_and_on_no_difference(two_systems):
    worse, better, references = two_systems
    shuffled = [better[i] if i % 2 else worse[i] for i in range(len(better))]
    other = [worse[i] if i % 2 else better[i] for i in range(len(better))]
    for baseline, candidate, clear in ((worse, better, True), (shuffled, other, False)):
        systems = [("a", baseline), ("b", candidate)]
        _, expected = PairedTest(systems, {"bleu": BLEU()}, reference_streams(references), "bs", n_samples=500)()
        ours = paired_bootstrap(
            [item_statistics(baseline, references, ["bleu"])["bleu"]],
            [item_statistics(candidate, references, ["bleu"])["bleu"]],
            samples=500,
            confidence=0.95,
            seed=SACREBLEU_SEED,
        )
        assert (ours.p_value < 0.05) is clear
        assert (expected["BLEU"][1].p_value < 0.05) is clear


def test_difference_is_candidate_minus_baseline_and_swapping_mirrors_it(two_systems):
    worse, better, references = two_systems
    a = item_statistics(worse, references, ["chrf"])["chrf"]
    b = item_statistics(better, references, ["chrf"])["chrf"]
    forth, back = paired_bootstrap([a], [b], 200, 0.9, 0), paired_bootstrap([b], [a], 200, 0.9, 0)
    assert forth.difference == pytest.approx(b.corpus_score() - a.corpus_score())
    assert forth.difference > 0
    assert (back.difference, back.low, back.high) == pytest.approx((-forth.difference, -forth.high, -forth.low))
    assert back.p_value == forth.p_value


def test_an_arm_does_not_differ_from_itself(two_systems):
    _, better, references = two_systems
    statistics = item_statistics(better, references, ["bleu"])["bleu"]
    same = paired_bootstrap([statistics], [statistics], 100, 0.95, 0)
    assert (same.difference, same.low, same.high, same.p_value) == (0, 0, 0, 1)


def test_p_value_by_hand():
    assert two_sided_p_value(np.ones(99)) == 2 / 100  # never 0
    assert two_sided_p_value(np.array([-1.0, 1, 1, 1, 1, 1, 1, 1, 1])) == 2 * 2 / 10
    assert two_sided_p_value(np.array([1.0, -1.0])) == 1.0
    assert two_sided_p_value(np.zeros(5)) == 1.0


def test_percentile_interval_by_hand():
    assert percentile_interval(np.arange(101.0), 0.9) == pytest.approx((5, 95))


def test_interval_of_a_mean_matches_the_normal_approximation():
    values = np.random.default_rng(0).random(400)
    interval = bootstrap_interval(means(values), 2000, 0.95, seed=1)
    half = 1.96 * 100 * values.std() / np.sqrt(len(values))
    assert interval.score == pytest.approx(100 * values.mean())
    assert (interval.low, interval.high) == pytest.approx((interval.score - half, interval.score + half), abs=0.2)


def test_p_value_is_calibrated_when_nothing_differs():
    # 400 pairs of arms whose items have the same distribution: p < 0.1 in about a tenth of them.
    generator = np.random.default_rng(5)
    p_values = []
    for trial in range(400):
        a, b = generator.random((2, 80))
        p_values.append(paired_bootstrap([means(a)], [means(b)], 200, 0.95, seed=trial).p_value)
    small = np.array([np.mean(np.array(p_values) < level) for level in (0.1, 0.5)])
    assert 0.06 < small[0] < 0.15
    assert 0.42 < small[1] < 0.58


def test_several_seeds_are_averaged():
    generator = np.random.default_rng(2)
    a, b, c = (means(generator.random(50)) for _ in range(3))
    result = paired_bootstrap([a], [b, c], 100, 0.95, 0)
    assert result.difference == pytest.approx((b.corpus_score() + c.corpus_score()) / 2 - a.corpus_score())
    scores = resampled_scores([a, b, c], 100, 0)
    assert (result.low, result.high) == pytest.approx(percentile_interval(scores[1:].mean(axis=0) - scores[0], 0.95))


def test_refuses_arms_scored_on_different_items():
    with pytest.raises(ValueError, match="the same items"):
        paired_bootstrap([means(np.ones(3))], [means(np.ones(4))], 100, 0.95, 0)
    with pytest.raises(ValueError, match="the same items"):
        bootstrap_interval(means(np.ones(0)), 100, 0.95, 0)


def test_holm_by_hand():
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1 are 0.04, 0.06, 0.06, 0.04; none may be below the one before it.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.9, 0.6]) == [1.0, 1.0]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_holm_rejects_what_the_step_down_procedure_rejects():
    # Holm's own wording: go through the p-values in order, stop at the first with p_(i) >= α / (m - i + 1).
    generator = np.random.default_rng(1)
    for size in (1, 2, 3, 8):
        for values in generator.random((50, size)) ** 4:
            rejected = set()
            for i, place in enumerate(np.argsort(values)):
                if values[place] >= 0.05 / (size - i):
                    break
                rejected.add(int(place))
            assert {i for i, p in enumerate(holm(values)) if p < 0.05} == rejected


@pytest.mark.parametrize("wrong", [[0.5, np.nan], [-0.1], [1.2]])
def test_holm_refuses_what_is_no_p_value(wrong):
    with pytest.raises(ValueError, match="between 0 and 1"):
        holm(wrong)
