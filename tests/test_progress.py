import pytest

from softalign import progress as module
from softalign.progress import progress


def test_nothing_is_printed_before_two_seconds(capsys):
    for form in ("auto", "rich", "plain", "none"):
        with progress("decoding", 2, form) as advance:
            advance(1)
            advance(1)
    assert capsys.readouterr() == ("", "")


def test_lines_where_no_terminal_is(capsys, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    with progress("decoding", 3) as advance:
        advance(1)
        advance(2)  # the next line is not due yet
    assert capsys.readouterr().err == "decoding: 1 of 3\n"


def test_a_bar_in_a_terminal(capsys, monkeypatch):
    monkeypatch.setattr(module, "PATIENCE", 0.0)
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("decoding", 3, "rich") as advance:
        advance(3)
    shown = capsys.readouterr()
    assert "decoding" in shown.err and shown.out == ""


def test_the_bar_is_taken_away_after_an_error():
    with pytest.raises(RuntimeError), progress("decoding", 3, "rich"):
        raise RuntimeError
