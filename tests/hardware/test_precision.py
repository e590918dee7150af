"""Which number format a training computes in."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from project import ROOT

from softalign.composition import compose
from softalign.config import ModelConfig
from softalign.hardware.precision import SMALLEST_EMBEDDING, multiplies_bf16, resolved_precision, training_precision
from softalign.paths import Layout


def pretend(monkeypatch: pytest.MonkeyPatch, **capabilities: Any) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"architecture": "x86_64", "avx2": True} | capabilities)


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({}, "fp32"), ({"amx_bf16": True}, "bf16"), ({"avx512_bf16": True}, "bf16"), ({"avx512_bf16": False}, "fp32")],
)
def test_auto_is_what_the_processor_multiplies(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], expected: str
) -> None:
    pretend(monkeypatch, **capabilities)
    assert resolved_precision("auto", torch.device("cpu")) == expected


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_is_asked_for_is_done_whatever_the_processor(monkeypatch: pytest.MonkeyPatch, precision: str) -> None:
    for found in (False, True):
        pretend(monkeypatch, amx_bf16=found)
        assert resolved_precision(precision, torch.device("cpu")) == precision


def test_a_small_model_trains_in_fp32_on_a_cpu_unless_bf16_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, avx512_bf16=True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    cpu, gpu = torch.device("cpu"), torch.device("cuda")
    small, large = (
        ModelConfig(embedding_size=size, hidden_size=64) for size in (SMALLEST_EMBEDDING - 1, SMALLEST_EMBEDDING)
    )
    assert training_precision("auto", cpu, small) == "fp32"
    assert training_precision("auto", cpu, large) == "bf16"
    assert training_precision("bf16", cpu, small) == training_precision("auto", gpu, small) == "bf16"


def test_a_control_with_as_many_parameters_trains_in_the_format_of_its_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, avx512_bf16=True)
    arm, control = (compose(Layout(ROOT), [f"model={name}"]).model for name in ("bahdanau", "vanilla-as_bahdanau"))
    assert arm.hidden_size < SMALLEST_EMBEDDING < control.hidden_size  # else the test would say nothing
    for model in (arm, control):
        assert training_precision("auto", torch.device("cpu"), model) == "fp32"


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_a_gpu_by_its_generation(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    assert multiplies_bf16(torch.device("cuda")) is expected


def test_torch_names_its_capabilities_as_expected() -> None:
    known = torch.cpu.get_capabilities()
    if known["architecture"] == "x86_64":
        assert {"amx_bf16", "avx512_bf16"} <= known.keys()
