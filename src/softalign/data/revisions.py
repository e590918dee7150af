"""Which revision of a Hub data set this project holds to, where its configuration names none.

data.lock.yaml, at the project's root and under version control, maps a data set to the commit that the first download
found. It is neither an output nor a dependency of any stage: DVC does not remove it, and an entry that a download adds
leaves every stage up to date. A queued or temporary experiment, which runs in a copy of the project, reads its copy
first (an old commit keeps its revisions) and the project's own next, and writes to both. To move on to a newer
revision, delete the entry and run `dvc repro --force download@<task>`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml
from filelock import FileLock

from softalign.data.atomic import replace_text
from softalign.errors import UserError
from softalign.paths import Layout

NAME = "data.lock.yaml"
HEADER = """\
# The revision of each Hub data set whose configuration names none: written by the first download, held to by later
# ones. Commit it. To take a newer revision, delete its line and run: dvc repro --force download@<task>
"""


@dataclass(frozen=True)
class RevisionLock:
    """The lock files of a project, in the order in which they are asked."""

    paths: tuple[Path, ...]

    @classmethod
    def of(cls, layout: Layout) -> RevisionLock:
        """The lock of the project at `layout.root`, and of the project whose experiment that one is."""
        return cls(tuple(dict.fromkeys((layout.root / NAME, layout.store / NAME))))

    def get(self, data_set: str) -> str | None:
        """The commit that `data_set` is held to, or None. Raises `UserError` for a file that is not a lock file."""
        return next((commit for path in self.paths if (commit := _read(path).get(data_set))), None)

    def set(self, data_set: str, commit: str) -> None:
        """Hold `data_set` to `commit` from now on."""
        for path in self.paths:
            with _exclusive(path):
                entries = _read(path)
                if entries.get(data_set) != commit:
                    entries[data_set] = commit
                    replace_text(path, HEADER + yaml.safe_dump(entries, sort_keys=True))

    def __str__(self) -> str:
        return str(self.paths[0])


def _read(path: Path) -> dict[str, str]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    except (UnicodeDecodeError, yaml.YAMLError):
        content = None
    if not isinstance(content, dict) or not all(isinstance(value, str) for value in content.values()):
        raise UserError(
            "not a list of lines `data set: commit`", str(path), "restore it with git, or delete it to resolve anew"
        )
    return content


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Two tasks may download at once. The guard lies in a folder that git ignores, where there is one."""
    folder = path.parent / ".dvc" / "tmp"
    guard = (folder if folder.is_dir() else path.parent) / f".{path.name}.guard"
    with FileLock(guard):
        yield
