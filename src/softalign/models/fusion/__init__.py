"""Fusions: where the context enters the decoder. Each arm is one class of a file here and one file of conf/model.

Notation everywhere: N = B * Q rows of decoder state, Q per sentence (one in training, the beam in search; a sentence's
rows stand side by side), B sentences, S source length, T target length, E embedding size, H hidden size, M memory size.
"""

from softalign.models.fusion.bahdanau import Bahdanau
from softalign.models.fusion.base import FUSIONS, Attending, Fusion, FusionStep, Unrolled, register
from softalign.models.fusion.cgru import ConditionalGRU
from softalign.models.fusion.concat import Concat
from softalign.models.fusion.gated import GatedBoth, GatedSource, GatedTarget
from softalign.models.fusion.luong import Luong, LuongInputFeeding
from softalign.models.fusion.multiply import Multiply, MultiplyGate, MultiplyNorm, MultiplyOutput, MultiplyResidual
from softalign.models.fusion.pointer import Pointer, PointerCoverage
from softalign.models.fusion.vanilla import Vanilla

__all__ = [
    "FUSIONS",
    "Attending",
    "Bahdanau",
    "Concat",
    "ConditionalGRU",
    "Fusion",
    "FusionStep",
    "GatedBoth",
    "GatedSource",
    "GatedTarget",
    "Luong",
    "LuongInputFeeding",
    "Multiply",
    "MultiplyGate",
    "MultiplyNorm",
    "MultiplyOutput",
    "MultiplyResidual",
    "Pointer",
    "PointerCoverage",
    "Unrolled",
    "Vanilla",
    "register",
]
