from __future__ import annotations

import threading

import pytest

from softalign.data.revisions import NAME, RevisionLock
from softalign.errors import UserError
from softalign.paths import Layout

A, B = "a" * 40, "b" * 40


def project(root):
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / "dvc.yaml").touch()
    return root


def test_what_is_set_is_held_and_explained(tmp_path):
    lock = RevisionLock.of(Layout(project(tmp_path)))
    assert lock.get("owner/one") is None
    lock.set("owner/one", A)
    lock.set("owner/two", B)
    again = RevisionLock.of(Layout(tmp_path))
    assert (again.get("owner/one"), again.get("owner/two")) == (A, B)
    text = (tmp_path / NAME).read_text()
    assert text.startswith("# ") and text.endswith(f"owner/one: {A}\nowner/two: {B}\n")


def test_a_temporary_experiment_tells_the_project_and_trusts_its_own_copy_first(tmp_path):
    root = project(tmp_path)
    copy = root / ".dvc" / "tmp" / "exps" / "tmpabc"
    copy.mkdir(parents=True)
    project(copy)
    lock = RevisionLock.of(Layout(copy))
    RevisionLock.of(Layout(root)).set("owner/known", A)
    assert lock.get("owner/known") == A
    lock.set("owner/new", B)
    assert RevisionLock.of(Layout(root)).get("owner/new") == B
    assert f"owner/new: {B}" in (copy / NAME).read_text()
    (copy / NAME).write_text(f"owner/known: {B}\n")  # an old commit, with the revision of its time
    assert lock.get("owner/known") == B


def test_tasks_that_download_side_by_side_lose_no_entry(tmp_path):
    project(tmp_path)
    threads = [
        threading.Thread(target=RevisionLock.of(Layout(tmp_path)).set, args=(f"owner/{number}", A))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(RevisionLock.of(Layout(tmp_path)).get(f"owner/{number}") == A for number in range(12))


@pytest.mark.parametrize("content", ["- a\n", "owner/name: 3\n", "a: b: c\n", "text"])
def test_a_file_that_is_no_lock_file_is_refused(tmp_path, content):
    (tmp_path / NAME).write_text(content)
    with pytest.raises(UserError, match=f"data set: commit.*{NAME}"):
        RevisionLock.of(Layout(tmp_path)).get("owner/name")
