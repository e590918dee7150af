"""What the libraries raise when a disk is full or a connection breaks, which no server on this machine can cause."""

from __future__ import annotations

import errno

import pytest
from datasets.exceptions import DatasetGenerationError
from huggingface_hub.utils import httpx

from softalign.config import HubSource
from softalign.data.hub_errors import explain
from softalign.errors import UserError

SOURCE = HubSource(id="owner/name", config="de-en")


def caused(outer: Exception, inner: Exception) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        caused(DatasetGenerationError("An error occurred"), OSError(errno.EDQUOT, "Disk quota exceeded")),
        OSError("Not enough disk space. Needed: 3.00 GiB (download: 1.00 GiB, generated: 2.00 GiB)"),
    ],
)
def test_a_full_disk_names_the_cache(error):
    assert str(explain(SOURCE, "main", error)).startswith(
        "no space left on disk (owner/name, while it was written to /"
    )


@pytest.mark.parametrize(
    "error",
    [
        httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
        caused(DatasetGenerationError("An error occurred"), httpx.ReadTimeout("timed out")),
        caused(RuntimeError("streaming"), ConnectionResetError("reset by peer")),
        OSError("Consistency check failed: file should be of size 10 but has size 5"),
    ],
)
def test_a_broken_connection_is_an_interrupted_download_once_the_hub_was_reached(error):
    assert str(explain(SOURCE, "main", error)).startswith("the download of owner/name was interrupted: ")
    assert str(explain(SOURCE, "main", error, first_contact=True)).startswith("cannot reach the Hugging Face Hub")


def test_a_users_error_inside_passes_through():
    inner = UserError("a NUL byte", "row 3")
    assert explain(SOURCE, "main", caused(DatasetGenerationError("An error occurred"), inner)) is inner


def test_anything_else_names_the_data_set_and_the_last_cause():
    error = caused(DatasetGenerationError("An error occurred"), ValueError("row 7 is odd\nand more"))
    line = str(explain(SOURCE, "abc", error))
    assert line.startswith("a file of the data set owner/name cannot be read: row 7 is odd (")
    assert "config de-en, revision abc" in line
