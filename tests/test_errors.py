"""What a user's mistake, or the machine's, looks like."""

from __future__ import annotations

import errno
import os

import pytest

from softalign.errors import reported


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.ENOTDIR])
def test_a_place_that_cannot_be_read_or_written_is_one_line(number: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped, reported():
        raise OSError(number, os.strerror(number), "/data/outputs")
    assert stopped.value.code == 1
    assert capsys.readouterr().err == (
        f"error: {os.strerror(number)} (/data/outputs): check its permissions, or move what is in the way\n"
    )


def test_a_place_that_only_the_text_names(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), reported():  # as pyarrow does
        raise PermissionError(errno.EACCES, "Failed to open local file '/data/train.arrow'")
    assert capsys.readouterr().err == (
        "error: Failed to open local file '/data/train.arrow': check its permissions, or move what is in the way\n"
    )


def test_other_errors_of_the_system_keep_their_traceback() -> None:
    with pytest.raises(BrokenPipeError), reported():
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")
