from threading import get_ident

import pytest
import torch
from random_model import random_model, random_rows

from softalign.config import DecodingConfig
from softalign.data.batching import collate
from softalign.decoding import search
from softalign.evaluation.prediction import predict

CPU = torch.device("cpu")


@pytest.fixture(params=[1, 2])
def threads(request, set_threads):
    set_threads(request.param)
    return request.param


@pytest.mark.parametrize("fusion", ["vanilla", "bahdanau"])
def test_predictions_are_in_the_order_of_the_rows(fusion, threads):
    model, rows = random_model(fusion), random_rows(11)
    config = DecodingConfig(beam_size=2, max_length_offset=5, batch_size=4)
    seen = []
    found = predict(model, rows, config, CPU, lambda count: seen.append((count, get_ident())))
    assert sum(count for count, _ in seen) == 11
    assert len({thread for _, thread in seen}) == 2
    assert torch.get_num_threads() == threads
    assert found.seconds > 0
    for row, hypothesis in zip(rows, found.hypotheses, strict=True):
        batch = collate([row])
        (alone,) = search(model, batch.source, batch.source_lengths, config)
        assert hypothesis.tokens == alone.tokens
        assert hypothesis.log_probability == pytest.approx(alone.log_probability, abs=1e-4)


def test_a_failure_stops_both_threads_and_is_told(threads):
    model, rows = random_model("vanilla"), random_rows(40)
    config, seen = DecodingConfig(beam_size=1, max_length_offset=5, batch_size=1), []

    def fail_at_the_third(count: int) -> None:
        seen.append(count)
        if len(seen) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(model.train(), rows, config, CPU, fail_at_the_third)
    assert len(seen) <= 4  # the other thread was at one batch
    assert model.training


def test_the_targets_are_not_looked_at():
    model, rows = random_model("bahdanau"), random_rows(5)
    config = DecodingConfig(beam_size=2, max_length_offset=5, batch_size=3)
    without = [(index, source, []) for index, source, _ in rows]
    tokens = [hypothesis.tokens for hypothesis in predict(model, rows, config, CPU).hypotheses]
    assert tokens == [hypothesis.tokens for hypothesis in predict(model, without, config, CPU).hypotheses]
