"""Text that is fit to be shown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from softalign.reporting.text import printable


def test_letters_stay_and_control_characters_go() -> None:
    assert printable("Straße\x00\x1b[0m\tüber\u2028日本") == "Straße\ufffd\ufffd[0m über 日本"


@given(st.text())
def test_the_length_stays_and_all_is_printable(text: str) -> None:
    shown = printable(text)
    assert len(shown) == len(text)
    assert shown.isprintable()
