import numpy as np
import pytest
from sacrebleu.metrics import BLEU, CHRF
from sacrebleu.significance import PairedTest

from softalign.evaluation.references import reference_streams
from softalign.evaluation.rouge import mean_score
from softalign.evaluation.scores import METRICS, ItemStatistics, item_statistics
from softalign.evaluation.significance import (
    bootstrap_interval,
    count_blocks,
    exchanged_differences,
    exchanges,
    holm,
    percentile_interval,
    randomisation_p_value,
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


def bootstrap_p_value(baseline, candidate, samples, seed):
    a, b = resampled_scores([baseline, candidate], samples, seed)
    return two_sided_p_value(b - a)


def randomisation(baseline, candidate, trials, seed):
    """The p-value, and the differences that it counts."""
    exchanged = exchanged_differences(*exchanges([baseline, candidate], trials, seed))
    return randomisation_p_value(candidate.corpus_score() - baseline.corpus_score(), exchanged), exchanged


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


@pytest.mark.parametrize(("items", "samples"), [(7, 50), (1, 3), (64, 33)])
def test_blocks_of_counts_are_those_of_all_draws_at_once(items, samples, monkeypatch):
    draws = np.random.default_rng(5).integers(items, size=(samples, items))
    expected = [np.bincount(row, minlength=items) for row in draws]
    for block in (1, 5 * items, 4_000_000):
        monkeypatch.setattr("softalign.evaluation.significance._BLOCK", block)
        blocks = list(count_blocks(items, samples, 5))
        assert max(map(len, blocks)) <= max(1, block // items)
        np.testing.assert_array_equal(np.concatenate(blocks), expected)


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


@pytest.fixture(scope="module")
def mixed(two_systems):
    """Pairs of systems, from a clear difference to none: the better one writes every item, every second, ..."""
    worse, better, references = two_systems
    pairs = []
    for step in (1, 2, 3, 5):
        candidate = [better[i] if i % step == 0 else worse[i] for i in range(len(better))]
        pairs.append((worse, candidate))
    pairs.append(([better[i] if i % 2 else worse[i] for i in range(len(better))], better[:60] + worse[60:]))
    return pairs, references


def sacrebleu_p_value(name, metric, baseline, candidate, references, test, samples):
    systems = [("a", baseline), ("b", candidate)]
    _, found = PairedTest(systems, {name: metric}, reference_streams(references), test, n_samples=samples)()
    return next(value for key, value in found.items() if key != "System")[1].p_value


@pytest.mark.parametrize(("name", "metric"), [("bleu", BLEU()), ("chrf", CHRF())])
def test_approximate_randomisation_is_that_of_sacrebleu(mixed, name, metric):
    pairs, references = mixed
    p_values, tied = [], []
    for baseline, candidate in pairs:
        a, b = (item_statistics(texts, references, [name])[name] for texts in (baseline, candidate))
        expected = sacrebleu_p_value(name, metric, baseline, candidate, references, "ar", 400)
        p_value, exchanged = randomisation(a, b, 400, SACREBLEU_SEED)  # the same seed, the same picks
        ties = np.isclose(np.abs(exchanged), abs(b.corpus_score() - a.corpus_score()), rtol=0, atol=1e-9).sum()
        assert p_value == pytest.approx(expected + ties / 401, abs=1e-12)  # it does not count the ties
        tied.append(ties)
        p_values.append(p_value)
    assert tied.count(0) >= 3  # the very same number there
    assert min(p_values) < 0.05 and max(p_values) > 0.2  # both ends are seen


@pytest.mark.parametrize(("name", "metric"), [("bleu", BLEU()), ("chrf", CHRF())])
def test_the_bootstrap_p_value_is_sacrebleus_but_for_the_tail_that_it_leaves_out(mixed, name, metric):
    pairs, references = mixed
    for baseline, candidate in pairs:
        a, b = (item_statistics(texts, references, [name])[name] for texts in (baseline, candidate))
        expected = sacrebleu_p_value(name, metric, baseline, candidate, references, "bs", 1000)
        low, high = resampled_scores([a, b], 1000, SACREBLEU_SEED)
        sizes = np.abs(high - low)
        counted = (sizes - sizes.mean() > abs(b.corpus_score() - a.corpus_score())).sum()
        assert (1 + counted) / 1001 == pytest.approx(expected, abs=0.002)  # it sums in float32
        if expected < 0.05:  # a clear difference: it counts one tail of two that are about equal
            noise = 4 * np.sqrt(2 * expected / 1000)
            assert bootstrap_p_value(a, b, 1000, SACREBLEU_SEED) == pytest.approx(2 * expected, abs=0.005 + noise)


@pytest.mark.parametrize("metric", METRICS)
def test_an_exchange_scores_as_the_exchanged_outputs_do(two_systems, metric):
    worse, better, references = two_systems
    a, b = (item_statistics(texts, references, [metric])[metric] for texts in (worse, better))
    _, exchanged = randomisation(a, b, 3, seed=7)
    picks = np.random.default_rng(7).integers(2, size=(3, len(worse)), dtype=bool)
    for difference, picked in zip(exchanged, picks, strict=True):
        outputs = [(y, x) if pick else (x, y) for x, y, pick in zip(worse, better, picked, strict=True)]
        scores = [
            item_statistics(texts, references, [metric])[metric].corpus_score() for texts in zip(*outputs, strict=True)
        ]
        assert difference == pytest.approx(scores[1] - scores[0], abs=1e-9)


def test_randomisation_of_few_items_is_the_exact_test():
    # Four items: of the 16 ways to exchange them those count whose mean is as far from 0 as the one that was found.
    a, b = np.zeros(4), np.array([0.4, 0.3, 0.2, -0.1])
    signs = np.array(np.meshgrid(*[[-1, 1]] * 4)).reshape(4, -1)
    exact = np.mean(np.abs(signs.T @ b) >= b.sum() - 1e-12)
    p_value, _ = randomisation(means(a), means(b), 20_000, seed=0)
    assert exact == 4 / 16
    assert p_value == pytest.approx(exact, abs=0.015)


def test_blocks_do_not_change_the_picks(two_systems, monkeypatch):
    worse, better, references = two_systems
    a, b = (item_statistics(texts, references, ["chrf"])["chrf"] for texts in (worse, better))
    _, whole = randomisation(a, b, 100, seed=1)
    monkeypatch.setattr("softalign.evaluation.significance._BLOCK", 40 * len(better))
    np.testing.assert_array_equal(randomisation(a, b, 100, seed=1)[1], whole)


def test_swapping_the_arms_mirrors_the_differences_and_keeps_the_p_values(two_systems):
    worse, better, references = two_systems
    a, b = (item_statistics(texts, references, ["chrf"])["chrf"] for texts in (worse, better))
    assert bootstrap_p_value(a, b, 200, 0) == bootstrap_p_value(b, a, 200, 0)
    (forth, there), (back, here) = randomisation(a, b, 200, 0), randomisation(b, a, 200, 0)
    assert forth == back
    np.testing.assert_allclose(there, -here)


def test_an_arm_does_not_differ_from_itself(two_systems):
    _, better, references = two_systems
    statistics = item_statistics(better, references, ["bleu"])["bleu"]
    assert bootstrap_p_value(statistics, statistics, 100, 0) == 1
    assert randomisation(statistics, statistics, 100, 0)[0] == 1


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


def test_randomisation_p_value_by_hand():
    assert randomisation_p_value(2.0, np.array([1.0, -2.0, 2.0, 0.5])) == 3 / 5
    assert randomisation_p_value(2.0, np.array([2.0 - 1e-12, 1.0])) == 2 / 3  # equal but for rounding
    assert randomisation_p_value(-3.0, np.array([1.0, -2.0, 2.0, 0.5])) == 1 / 5  # never 0


@pytest.mark.parametrize("test", [bootstrap_p_value, lambda *arguments: randomisation(*arguments)[0]])
def test_p_values_are_calibrated_when_nothing_differs(test):
    # 400 pairs of arms whose items have the same distribution: p < 0.1 in about a tenth of them.
    generator = np.random.default_rng(5)
    p_values = [test(*(means(values) for values in generator.random((2, 80))), 200, trial) for trial in range(400)]
    small = np.array([np.mean(np.array(p_values) < level) for level in (0.1, 0.5)])
    assert 0.06 < small[0] < 0.15
    assert 0.42 < small[1] < 0.58


def test_refuses_arms_scored_on_different_items():
    with pytest.raises(ValueError, match="the same items"):
        resampled_scores([means(np.ones(3)), means(np.ones(4))], 100, 0)
    with pytest.raises(ValueError, match="the same items"):
        exchanges([means(np.ones(3)), means(np.ones(4))], 100, 0)
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
