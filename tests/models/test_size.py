"""Parameters are counted without a model in memory, and a control is matched to its arm within one step of its size."""

from __future__ import annotations

from dataclasses import replace

import pytest
from small_models import ARMS, ARMS_AND_CELLS, CELLS, small_config

from softalign.config import ModelConfig
from softalign.errors import UserError
from softalign.models.seq2seq import Seq2Seq
from softalign.models.size import matched_hidden_size, parameter_count


def real_count(config: ModelConfig, vocabulary: int) -> int:
    model = Seq2Seq(config, vocabulary, vocabulary, shared_vocabulary=True)
    return sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize(("fusion", "cell"), ARMS_AND_CELLS)
def test_the_count_is_that_of_the_model(fusion: str, cell: str, tied: bool) -> None:
    config = small_config(fusion, cell, tie_embeddings=tied, layers=2)
    assert parameter_count(config, vocabulary=11) == real_count(config, 11)


def test_a_count_by_hand() -> None:
    """Elman cells in one direction: two embeddings and the output layer, two cells, the bridge, the readout."""
    v, e, h = 11, 4, 6
    vocabulary = 3 * v * e + v
    cell = h * e + h * h + 2 * h
    bridge = h * h + h
    readout = e * (h + e) + e
    config = small_config("vanilla", bidirectional=False, tie_embeddings=False)
    assert parameter_count(config, vocabulary=v) == vocabulary + 2 * cell + bridge + readout


@pytest.mark.parametrize("fusion", ARMS)
def test_the_vocabularys_share_is_the_same_in_every_arm(fusion: str) -> None:
    """So that arms matched for one vocabulary are matched for all."""
    arm, vanilla = small_config(fusion), small_config("vanilla")
    share = parameter_count(arm, 300) - parameter_count(arm, 8)
    assert share == parameter_count(vanilla, 300) - parameter_count(vanilla, 8)


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize(("fusion", "cell"), ARMS_AND_CELLS)
def test_a_control_comes_as_near_as_its_sizes_allow(fusion: str, cell: str, norm: bool) -> None:
    """No even size is nearer, by the parameters of real models with another vocabulary."""
    arm = small_config(fusion, cell, layer_norm=norm)
    control = small_config("vanilla", cell, layer_norm=norm)
    size = matched_hidden_size(control, arm)
    off = {
        even: abs(real_count(replace(control, hidden_size=even), 13) - real_count(arm, 13)) for even in range(2, 25, 2)
    }
    assert off[size] == min(off.values())
    assert size in range(6, 23)  # the arm's own size is 6, and the search did not end at an edge


@pytest.mark.parametrize("cell", CELLS)
def test_a_control_of_itself_keeps_its_size(cell: str) -> None:
    for options in ({}, {"bidirectional": False, "hidden_size": 7}, {"encoder_size": 10}):
        config = small_config("vanilla", cell, **options)
        assert matched_hidden_size(replace(config, hidden_size=300), config) == config.hidden_size


def test_sizes_that_the_directions_and_heads_cannot_share_are_left_out() -> None:
    arm = small_config("bahdanau", "gru", hidden_size=26)
    headed = small_config("multiply", "gru", score="multi_head", heads=3)
    assert matched_hidden_size(headed, arm) % 6 == 0
    one_way = small_config("vanilla", "gru", bidirectional=False)
    assert {matched_hidden_size(one_way, replace(arm, hidden_size=size)) % 2 for size in range(20, 40, 2)} == {0, 1}


def test_arms_with_other_embeddings_cannot_be_matched() -> None:
    with pytest.raises(UserError, match="model.embedding_size is 4 for one and 5 for the other"):
        matched_hidden_size(small_config("vanilla"), small_config("bahdanau", embedding_size=5))


def test_arms_without_a_deep_output_cannot_be_matched() -> None:
    """The output layer has a column for each entry of the state: a match would hold for one vocabulary alone."""
    plain = small_config(deep_output=False)
    with pytest.raises(UserError, match="vanilla cannot match the parameters of bahdanau with model.deep_output=false"):
        matched_hidden_size(small_config("vanilla", deep_output=False), plain)
