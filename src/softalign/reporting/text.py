"""Text of the data, made fit to be shown: an untrained model writes bytes that no page and no font can hold."""


def printable(text: str) -> str:
    """`text` with a replacement character for every control character; white space becomes a space."""
    return "".join(
        " " if character.isspace() else character if character.isprintable() else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )
