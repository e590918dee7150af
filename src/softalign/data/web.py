"""Files of the web: kept in the cache of `datasets` by their address, and held to the bytes that came first."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from softalign.data.hub import within
from softalign.data.revisions import RevisionLock
from softalign.errors import UserError

DOWNLOAD_SECONDS = 60.0  # of a whole file: a test set has a few hundred kB


def is_address(path: str) -> bool:
    """Whether `path` is the address of a file and not a path on this machine."""
    return path.startswith(("http://", "https://"))


@contextmanager
def downloaded(addresses: Sequence[str], lock: RevisionLock) -> Iterator[list[Path]]:
    """The files at `addresses`, each under the last part of its name in a folder of its own, until the block ends.

    What is in the cache needs no network. The lock holds the SHA-256 of each address, as it holds the commits of data
    sets; a first one is locked when the block has ended without an error. After a `UserError` in it, the file is what
    is wrong: its copy leaves the cache, so that the next download may bring a better one.
    Raises `UserError` for a file that is not in the cache and cannot be downloaded, and for one that is not the locked
    one.
    """
    cached = [_cached(address) for address in addresses]
    found = [_sha256(path) for path in cached]
    try:
        for address, digest in zip(addresses, found, strict=True):
            if lock.get(address) not in (None, digest):
                raise UserError(
                    f"the file at {address} is not the one that was read first",
                    f"SHA-256 {digest}, not {lock.get(address)}",
                    f"find out what has changed; to take it as it is, delete its line in {lock}",
                )
        with tempfile.TemporaryDirectory() as folder:
            named = [Path(folder) / str(n) / address.rsplit("/", 1)[-1] for n, address in enumerate(addresses)]
            for path, copy in zip(cached, named, strict=True):  # in the cache it has no suffix, and so no format
                copy.parent.mkdir()
                shutil.copyfile(path, copy)
            yield named
    except UserError:
        for path in cached:
            path.unlink(missing_ok=True)
        raise
    for address, digest in zip(addresses, found, strict=True):
        lock.set(address, digest)


def _cached(address: str) -> Path:
    from datasets import DownloadConfig
    from datasets.utils.file_utils import cached_path

    # use_etag=False: the address alone names the copy, which needs no network then.
    settings = DownloadConfig(use_etag=False, disable_tqdm=True)
    try:
        return Path(within(DOWNLOAD_SECONDS, lambda: cached_path(address, settings)))
    except Exception as error:  # of aiohttp, fsspec, httpx, huggingface_hub or the system
        reason = next(iter(str(error).strip().splitlines()), "") or type(error).__name__
        raise UserError(
            f"cannot download {address}, which is not in the cache: {reason}", "", "connect to the network"
        ) from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
