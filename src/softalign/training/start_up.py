"""What a training need not wait for before it begins."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError

UNUSED = ("matplotlib", "scipy")


@contextmanager
def without_unused() -> Iterator[None]:
    """Import Lightning in the block without UNUSED, which take a fifth of the time until a training begins.

    Lightning imports torchmetrics, and that imports both where it finds them, for drawings and for metrics of sound.
    Here it does not find them; after the block they can be imported as ever. What is imported already stays.
    """
    from lightning_utilities.core import imports

    hidden = [name for name in UNUSED if name not in sys.modules]
    find = imports._version

    def version(distribution_name: str) -> str:
        if distribution_name in hidden:
            raise PackageNotFoundError(distribution_name)
        return find(distribution_name)

    imports._version = version
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None, of which typeshed knows nothing: an import fails
    try:
        yield
    finally:
        imports._version = find
        for name in hidden:
            del sys.modules[name]
