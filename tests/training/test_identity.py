from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from softalign.config import Config, NoiseTest
from softalign.errors import UserError
from softalign.training.identity import Identity, git_commit, identify


def test_what_the_weights_depend_on_changes_the_fingerprint(prepared: Path, configured: Callable[..., Config]) -> None:
    config = configured()
    others = [
        configured("vanilla"),
        configured(seed=2),
        configured(lr=0.02),
        configured(precision="bf16"),
        replace(config, task=replace(config.task, name="summarization")),
        replace(config, data=replace(config.data, name="other")),
    ]
    prints = [identify(other, prepared).fingerprint for other in [config, *others]]
    assert len(set(prints)) == len(prints)


def test_what_they_do_not_depend_on_leaves_it(prepared: Path, configured: Callable[..., Config]) -> None:
    config = configured()
    others = [
        replace(config, decoding=replace(config.decoding, beam_size=7)),
        replace(config, evaluation=replace(config.evaluation, length_buckets=2)),
        configured(progress="plain"),
        configured(tracked=True),
    ]
    assert {identify(other, prepared).fingerprint for other in others} == {identify(config, prepared).fingerprint}


def test_other_data_change_the_fingerprint(prepared: Path, tmp_path: Path, configured: Callable[..., Config]) -> None:
    (tmp_path / "report.json").write_text('{"fingerprint": "other", "revision": "abc"}')
    other = identify(configured(), tmp_path)
    assert other.fingerprint != identify(configured(), prepared).fingerprint
    assert (other.data_fingerprint, other.revision) == ("other", "abc")


def test_written_and_read(prepared: Path, tmp_path: Path, configured: Callable[..., Config]) -> None:
    identity = identify(configured(), prepared)
    identity.write(tmp_path / "run.json")
    assert Identity.read(tmp_path / "run.json") == identity
    for damaged in ("{", "{}", "[]", '"a"'):
        (tmp_path / "run.json").write_text(damaged)
        with pytest.raises(UserError, match="not what training wrote .*run.json"):
            Identity.read(tmp_path / "run.json")


@pytest.mark.parametrize("content", [None, "{", "[]", '{"fingerprint": 3}'])
def test_no_prepared_data(tmp_path: Path, configured: Callable[..., Config], content: str | None) -> None:
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    with pytest.raises(UserError, match="prepare"):
        identify(configured(), tmp_path)


def test_git_commit(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-C", str(tmp_path), *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    assert git_commit(tmp_path) is None
    git("init", "-q")
    assert git_commit(tmp_path) is None
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-q", "-m", "one")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD")
    (tmp_path / "file").write_text("two")
    assert git_commit(tmp_path) == git("rev-parse", "HEAD") + "+changes"


def test_a_shifted_test_set_trains_nothing_again(prepared: Path, configured: Callable[..., Config]) -> None:
    config = configured()
    more = replace(config, data=replace(config.data, shifted_tests={"noise": NoiseTest(rate=0.1)}))
    assert identify(more, prepared).fingerprint == identify(config, prepared).fingerprint
