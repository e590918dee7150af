"""What went wrong with the Hub, in one line: from the errors of httpx, huggingface_hub and datasets."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator

from softalign.config import HubSource
from softalign.data.atomic import disk_full
from softalign.data.revisions import NAME as LOCK_NAME
from softalign.errors import UserError

INSTEAD = (
    "connect to the network, set HF_ENDPOINT to a mirror, or use the embedded data (data=phrasebook, data=newsbriefs) "
    "or your own files (data=files); under DVC, `data:` of params.yaml names them for each task"
)


def explain(source: HubSource, revision: str | None, error: Exception, first_contact: bool = False) -> UserError:
    """The `UserError` that says what `error`, raised while `revision` was resolved or read, means.

    `first_contact`: nothing was reached before, so a broken connection is an unreachable Hub and not an interrupted
    download.
    """
    from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )
    from huggingface_hub.utils import httpx  # whichever of httpx and httpx2 it was built on

    chain = list(_chain(error))
    text = _line(error)
    name = source.id

    def caused_by(*kinds: type[BaseException]) -> bool:
        return any(isinstance(link, kinds) for link in chain)

    for link in chain:
        if isinstance(link, UserError):
            return link
        if isinstance(link, OSError) and (
            link.errno in (errno.ENOSPC, errno.EDQUOT) or "Not enough disk space" in str(link)
        ):
            return disk_full(f"{name}, while it was written to {_cache()}")
    if caused_by(GatedRepoError) or "gated dataset" in text:
        return UserError(
            f"the data set {name} is gated",
            endpoint(),
            f"accept its terms at {endpoint()}/datasets/{name}, log in with `hf auth login` or HF_TOKEN, and try again",
        )
    if caused_by(RevisionNotFoundError):
        return UserError(
            f"the data set {name} has no revision {revision}",
            endpoint(),
            f"correct data.source.revision, or delete the line {name} in {LOCK_NAME} to take the newest",
        )
    if caused_by(OfflineModeIsEnabled):
        return unreachable(name, "HF_HUB_OFFLINE is set", revision)
    if caused_by(HFValidationError):
        return UserError(f"{name!r} is no name of a data set", "data.source.id", "write it as owner/name")
    if caused_by(RepositoryNotFoundError, DatasetNotFoundError):
        return UserError(
            f"the data set {name} does not exist, or is private",
            endpoint(),
            "correct data.source.id, or log in with `hf auth login` or HF_TOKEN",
        )
    if first_contact:
        return unreachable(name, text, revision)
    if caused_by(httpx.TransportError, ConnectionError, TimeoutError, HfHubHTTPError) or "Consistency check" in text:
        return UserError(
            f"the download of {name} was interrupted: {_line(chain[-1])}",
            endpoint(),
            "run the same command again; if it stays so, " + INSTEAD,
        )
    where = f"{endpoint()}, config {source.config}, revision {revision}"
    if isinstance(error, DatasetGenerationError):
        return UserError(
            f"a file of the data set {name} cannot be read: {_line(chain[-1])}",
            where,
            "set data.source.revision to a commit whose files are whole, or repair a copy and use data=files",
        )
    return UserError(
        f"the data set {name} cannot be read: {text}",
        where,
        "correct data.source; a data set needs Parquet, JSON, CSV or text files, for scripts are not run",
    )


def unreachable(name: str, reason: str, revision: str | None = None) -> UserError:
    """The error for a data set that is not in the cache while the Hub does not answer."""
    which = f"{name} at revision {revision}" if revision else name
    return UserError(
        f"cannot reach the Hugging Face Hub for the data set {which}, which is not in the cache: {reason}",
        endpoint(),
        INSTEAD,
    )


def endpoint() -> str:
    """The Hub that is asked: HF_ENDPOINT, as huggingface_hub read it when it was imported."""
    from huggingface_hub import constants

    return constants.ENDPOINT


def _cache() -> str:
    import datasets

    return os.fspath(datasets.config.HF_DATASETS_CACHE)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
