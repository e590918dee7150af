"""The typed configuration from plain containers, as YAML and checkpoints hold them, and back."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from typing import Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from softalign.config import SHIFTED_TESTS, SOURCES, Config
from softalign.errors import UserError, unknown


def typed(plain: dict[str, Any]) -> Config:
    """A `Config` from plain containers. Raises `UserError` for a key that is unknown or a value of the wrong type."""
    _check_keys(plain, Config, "")
    data = plain.get("data", {})
    shifted = data.get("shifted_tests", {})
    if not isinstance(shifted, dict):
        raise UserError(
            f"expected sets by name, found {shifted!r}", "data.shifted_tests", "or ~data.shifted_tests for none"
        )
    schemas = {"data.source": _schema(data.get("source"), SOURCES, "data.source")}
    for name, test in shifted.items():
        schemas[f"data.shifted_tests.{name}"] = _schema(test, SHIFTED_TESTS, f"data.shifted_tests.{name}")
    where = ""  # what is being merged
    try:
        merged = OmegaConf.merge(OmegaConf.structured(Config), plain)
        for where, schema in schemas.items():
            part = OmegaConf.merge(OmegaConf.structured(schema), OmegaConf.select(merged, where))
            OmegaConf.update(merged, where, part, merge=False)
        where = ""
        missing = OmegaConf.missing_keys(merged)
        if missing:
            raise UserError(
                f"no value for {', '.join(sorted(missing))}", "configuration", "give it one in conf/ or as an override"
            )
        config = OmegaConf.to_object(merged)
    except OmegaConfBaseException as error:
        key = ".".join(part for part in (where, getattr(error, "full_key", None)) if part)
        raise UserError(
            str(error).strip().splitlines()[0], key or "configuration", "give a value of the right type"
        ) from None
    assert isinstance(config, Config)
    return config


def to_dict(part: Any) -> dict[str, Any]:
    """A part of the configuration as plain containers, for YAML, JSON and checkpoints."""
    return asdict(part)


def training_part(config: Config) -> dict[str, Any]:
    """What a trained model depends on: the keys that dvc.yaml tracks for `train`, the data and the seed."""
    content = to_dict(config)
    del content["data"]["shifted_tests"]  # which training never sees
    trainer = {key: content["trainer"][key] for key in ("accelerator", "cuda_graphs", "precision", "threads")}
    return {key: content[key] for key in ("data", "model", "optimization", "seed")} | {"trainer": trainer}


def _schema(part: Any, kinds: dict[str, type], where: str) -> type:
    """The one of `kinds` that `part` is. Raises `UserError` for another kind, or for a key that its kind lacks."""
    kind = part.get("kind") if isinstance(part, dict) else None
    if kind not in kinds:
        raise UserError(f"unknown kind {kind!r}", f"{where}.kind", f"known: {', '.join(kinds)}")
    _check_keys(part, kinds[kind], where)
    return kinds[kind]


def _check_keys(mapping: Any, schema: type, where: str) -> None:
    if not isinstance(mapping, dict):
        raise UserError(f"expected keys and values, found {mapping!r}", where or "configuration", "correct the file")
    known = {field.name: field for field in fields(schema)}
    for key, value in mapping.items():
        if key not in known:
            raise unknown("key", str(key), where or "top level of the configuration", list(known))
        default = known[key].default_factory
        if isinstance(default, type) and is_dataclass(default):
            _check_keys(value, default, f"{where}.{key}".lstrip("."))
