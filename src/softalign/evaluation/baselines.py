"""What a system without any learning scores: the first words of the source, or all of it."""

from __future__ import annotations

from collections.abc import Sequence


def lead(sources: Sequence[str], words: int) -> list[str]:
    """lead-n: the first n white-space words of each source."""
    return [" ".join(source.split()[:words]) for source in sources]


def baseline_outputs(sources: Sequence[str], lead_words: int) -> dict[str, list[str]]:
    """The outputs of each baseline by its name: `copy`, and `lead` where `lead_words` is positive."""
    outputs = {"copy": list(sources)}
    if lead_words > 0:
        outputs["lead"] = lead(sources, lead_words)
    return outputs
