"""Kinds of task. The name of a task of conf/task begins with its kind: `translation_short` is a translation."""

KINDS = ("translation", "summarization", "recall", "copy", "reverse")


def kind_of(task: str) -> str:
    """The kind of a task of this name."""
    return task.partition("_")[0]
