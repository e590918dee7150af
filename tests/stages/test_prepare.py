"""The prepare stage as a command."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from project import copy_project, run

from softalign.stages.prepare import summary


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_project(tmp_path_factory.mktemp("a project"))


def test_without_raw_data_it_says_what_to_run_first(project: Path) -> None:
    failed = run(project, "python", "-m", "softalign.stages.prepare", "task=summarization", check=False)
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "run the download stage first" in failed.stderr
    assert "python -m softalign.stages.download" in failed.stderr
    assert not (project / "data" / "prepared" / "summarization").exists()


def test_raw_data_becomes_prepared_data(project: Path) -> None:
    raw = project / "data" / "raw" / "translation"
    raw.mkdir(parents=True)
    for start, split in enumerate(("train", "validation", "test")):
        numbers = range(100 * start, 100 * start + 100)
        pq.write_table(
            pa.table({"source": [f"Zahl {n}" for n in numbers], "target": [f"number {n}" for n in numbers]}),
            raw / f"{split}.parquet",
        )
    (raw / "provenance.json").write_text(json.dumps({"data": "phrasebook", "revision": None}))
    done = run(project, "python", "-m", "softalign.stages.prepare", "task=translation")
    assert "train: 100 of 100 rows kept" in done.stdout
    report = json.loads((project / "data" / "prepared" / "translation" / "report.json").read_text())
    assert report["splits"]["test"]["kept"] == 100
    for line in summary(report):
        assert line in done.stdout
