"""What a model and a search may be asked for."""

import subprocess
import sys

import pytest
from small_models import small_config

from softalign.config import DecodingConfig
from softalign.errors import UserError
from softalign.models import options
from softalign.models.attention import SCORES
from softalign.models.cells import CELLS
from softalign.models.fusion import FUSIONS
from softalign.models.options import check_decoding, check_model
from softalign.models.seq2seq import Seq2Seq


def test_checks_do_not_import_torch():
    code = "import softalign.models.options, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_every_name_that_is_allowed_has_its_class():
    assert set(options.FUSIONS) == set(FUSIONS)
    assert set(options.SCORES) == set(SCORES)
    assert set(options.CELLS) == set(CELLS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"fusion": "bahdanu"}, "unknown model.fusion 'bahdanu': known: vanilla, multiply, "),
        ({"score": "cosine"}, "unknown model.score 'cosine': known: dot, scaled_dot, general, additive, location"),
        ({"cell": "rnn"}, "unknown model.cell 'rnn': known: elman, gru, lstm"),
        ({"activation": "gelu"}, "unknown model.activation 'gelu': known: tanh, relu"),
        ({"hidden_size": -4}, "model.hidden_size is -4"),
        ({"deep_output": False, "tie_embeddings": True}, "model.tie_embeddings=true needs an output layer of the emb"),
        ({"embedding_size": 0}, "model.embedding_size is 0"),
        ({"attention_size": -1}, "model.attention_size is -1"),
        ({"layers": 0}, "model.layers is 0"),
        ({"dropout": 1.0}, "model.dropout is 1.0"),
        ({"dropout": -0.1}, "model.dropout is -0.1"),
        ({"dropout": float("nan")}, "model.dropout is nan"),
        ({"hidden_size": 7}, "model.hidden_size is 7, odd"),
        ({"encoder_size": 7}, "model.encoder_size is 7, odd"),
        ({"fusion": "bahdanau", "score": None}, "model.fusion=bahdanau needs a score"),
        ({"fusion": "multiply", "score": None}, "model.fusion=multiply needs a score"),
        ({"fusion": "vanilla", "score": "dot"}, "model.fusion=vanilla has no attention"),
        ({"attention_size": None}, "model.score=additive needs model.attention_size"),
        ({"score": "location", "attention_size": None}, "model.score=location needs model.attention_size"),
        (
            {"fusion": "multiply", "score": "general", "encoder_size": 8},
            "model.fusion=multiply needs memory and hidden",
        ),
        ({"score": "dot", "encoder_size": 8}, "model.score=dot needs memory and hidden"),
        ({"heads": 0}, "model.heads is 0"),
        (
            {"heads": 2},
            "model.heads is 2, and nothing in this model has heads: set model.heads=1, or model.score=multi",
        ),
        (
            {"score": "multi_head", "heads": 4},
            "model.score=multi_head divides the memory's size among its heads, but model.hidden_size is 6 and",
        ),
        ({"score": "multi_head", "heads": 3, "encoder_size": 8}, "but model.encoder_size is 8 and model.heads is 3"),
        ({"self_attention": True, "heads": 5}, "model.self_attention=true divides the memory's size among its heads"),
        ({"fusion": "vanilla", "heads": 2}, "model.heads is 2"),
        ({"fusion": "vanilla", "self_attention": True}, "model.fusion=vanilla reads no memory"),
        (
            {"fusion": "multiply", "score": "multi_head", "encoder_size": 8},
            "model.fusion=multiply needs memory and hidden",
        ),
        ({"fusion": "pointer_coverage", "score": "general"}, "model.fusion=pointer_coverage is defined for one score"),
    ],
)
def test_a_model_that_cannot_be_built_is_refused(values, message):
    config = small_config(**values)
    with pytest.raises(UserError) as error:
        check_model(config)
    assert message in str(error.value)
    with pytest.raises(UserError):
        Seq2Seq(config, 9, 9)


def test_an_arm_that_copies_needs_one_vocabulary():
    with pytest.raises(UserError, match=r"model.fusion=pointer copies .*: set data.tokenizer.shared=true"):
        Seq2Seq(small_config("pointer"), 9, 9, shared_vocabulary=False)


@pytest.mark.parametrize(
    "values",
    [
        {"fusion": "vanilla", "encoder_size": 8},
        {"score": "general", "encoder_size": 8},
        {"hidden_size": 7, "bidirectional": False},
        {"score": "dot", "attention_size": None},
        {"score": "multi_head"},
        {"score": "multi_head", "heads": 4, "encoder_size": 8},
        {"self_attention": True, "heads": 3},
    ],
)
def test_a_model_that_can_be_built_is_not(values):
    check_model(small_config(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"beam_size": 0},
        {"beam_size": -2},
        {"batch_size": 0},
        {"length_penalty": -0.5},
        {"length_penalty": float("nan")},
        {"max_length_ratio": -1.0},
        {"max_length_ratio": float("inf")},
        {"max_length_offset": -1},
        {"max_length_ratio": 0.0, "max_length_offset": 0},
    ],
)
def test_a_search_that_cannot_run_is_refused(values):
    with pytest.raises(UserError, match=f"decoding.{next(iter(values))}"):
        check_decoding(DecodingConfig(**({"beam_size": 2} | values)))
