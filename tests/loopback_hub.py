"""A Hugging Face Hub on this machine, for the unmodified `datasets` and `huggingface_hub`.

python tests/loopback_hub.py FOLDER                    serves every FOLDER/owner/name as the data set owner/name
python tests/loopback_hub.py owner/name=FOLDER ...     serves FOLDER as the data set owner/name

and prints the HF_ENDPOINT to set (and an HF_HOME, so that nothing mixes with the real cache) until it is interrupted.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

Files = Mapping[str, bytes]


@dataclass
class Repository:
    """A data set: its commits, the branches that name some of them, and how it misbehaves."""

    commits: dict[str, Files] = field(default_factory=dict)
    branches: dict[str, str] = field(default_factory=dict)
    gated: bool = False
    forbidden: bool = False  # the data set is there, and its files are refused
    truncated: bool = False  # data files stop half-way, and the connection closes

    def push(self, files: Files, branch: str = "main") -> str:
        """Add a commit and move the branch to it. The same files give the same commit id."""
        content = json.dumps({path: hashlib.sha1(data).hexdigest() for path, data in sorted(files.items())})
        commit = hashlib.sha1(content.encode()).hexdigest()
        self.commits[commit] = dict(files)
        self.branches[branch] = commit
        return commit


class LoopbackHub:
    """The server. `requests` lists what was asked for: ("GET", "/api/datasets/owner/name"), ..."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[tuple[str, str]] = []
        self.status: int | None = None  # answer everything with this
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def add(self, name: str, files: Files) -> Repository:
        repository = self.repositories.setdefault(name, Repository())
        repository.push(files)
        return repository

    def close(self) -> None:
        """Stop answering: connections are then refused."""
        self._server.shutdown()
        self._server.server_close()

    def _handler(hub) -> type[BaseHTTPRequestHandler]:  # noqa: N805 - `self` is the request below
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_HEAD(self) -> None:
                self.do_GET()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.answer(json.loads(body or b"{}"))

            def do_GET(self) -> None:
                self.answer({})

            def answer(self, body: dict) -> None:
                path = unquote(urlsplit(self.path).path)
                hub.requests.append((self.command, path))
                if hub.status is not None:
                    return self.send(hub.status, b"")
                found = re.fullmatch(r"(?:/api)?/datasets/([^/]+/[^/]+)(/.*)?", path)
                repository = hub.repositories.get(found[1]) if found else None
                if not found or repository is None:
                    return self.refuse(404, "RepoNotFound")
                if path.startswith("/api/"):
                    return self.api(found[1], repository, found[2] or "/revision/main", body)
                resolve = re.fullmatch(r"/resolve/([^/]+)/(.+)", found[2] or "")
                commit = resolve and self.commit(repository, resolve[1])
                if not resolve or not commit:
                    return self.refuse(404, "RevisionNotFound")
                if repository.gated or repository.forbidden:
                    return self.refuse(*self.denial(repository))
                data = repository.commits[commit].get(resolve[2])
                if data is None:
                    return self.refuse(404, "EntryNotFound", commit)
                cut = repository.truncated and not resolve[2].endswith(".md")
                self.send(200, data, {"ETag": f'"{hashlib.sha1(data).hexdigest()}"', "X-Repo-Commit": commit}, cut)

            def api(self, name: str, repository: Repository, rest: str, body: dict) -> None:
                kind, revision, folder = (rest.strip("/").split("/", 2) + ["", ""])[:3]
                commit = self.commit(repository, revision or "main")
                if not commit:
                    return self.refuse(404, "RevisionNotFound")
                files = repository.commits[commit]
                if kind == "revision":
                    siblings = [{"rfilename": path} for path in files]
                    return self.send_json({"id": name, "sha": commit, "siblings": siblings, "gated": repository.gated})
                if repository.gated or repository.forbidden:
                    return self.refuse(*self.denial(repository))
                if kind == "tree":
                    start = f"{folder.rstrip('/')}/" if folder else ""
                    recursive = "recursive=true" in self.path.lower()
                    return self.send_json(entries(files, start, recursive))
                if kind == "paths-info":
                    everything = {entry["path"]: entry for entry in entries(files, "", True)}
                    return self.send_json([everything[path] for path in body.get("paths", []) if path in everything])
                return self.refuse(404, "EntryNotFound")

            def commit(self, repository: Repository, revision: str) -> str | None:
                commit = repository.branches.get(revision, revision)
                return commit if commit in repository.commits else None

            def denial(self, repository: Repository) -> tuple[int, str]:
                return (401, "GatedRepo") if repository.gated else (403, "")

            def refuse(self, status: int, code: str, commit: str = "") -> None:
                self.send(status, b"", {"X-Error-Code": code, "X-Error-Message": code, "X-Repo-Commit": commit})

            def send_json(self, content: object) -> None:
                self.send(200, json.dumps(content).encode(), {"Content-Type": "application/json"})

            def send(
                self, status: int, data: bytes, headers: Mapping[str, str] | None = None, cut: bool = False
            ) -> None:
                begin, end, size = 0, len(data), len(data)
                headers = dict(headers or {})
                asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
                if status == 200 and asked:
                    begin, end = int(asked[1]), min(int(asked[2]) + 1 if asked[2] else size, size)
                    status, headers["Content-Range"] = 206, f"bytes {begin}-{end - 1}/{size}"
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(end - begin)}).items():
                    if value:
                        self.send_header(name, value)
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(data[begin : (begin + end) // 2 if cut else end])
                    if cut:
                        self.close_connection = True

        return Handler


def entries(files: Files, start: str, recursive: bool) -> list[dict]:
    """What the Hub lists below a folder (`start` is "" or ends with a slash): folders, then files."""
    below = [path for path in files if path.startswith(start)]
    folders = {"/".join(path.split("/")[:depth]) for path in below for depth in range(1, path.count("/") + 1)}
    listed = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in sorted(folders)]
    for path in below:
        oid = hashlib.sha1(files[path]).hexdigest()
        listed.append({"type": "file", "oid": oid, "size": len(files[path]), "path": path})
    inside = [entry for entry in listed if entry["path"].startswith(start)]
    return [entry for entry in inside if recursive or "/" not in entry["path"][len(start) :]]


def read_folder(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but hidden ones, by its path there."""
    paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
    found = {path.relative_to(folder).as_posix(): path for path in paths}
    return {name: path.read_bytes() for name, path in found.items() if not name.startswith(".")}


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        raise SystemExit(__doc__)
    hub = LoopbackHub()
    for argument in sys.argv[1:]:
        name, separator, folder = argument.partition("=")
        roots = {name: Path(folder)} if separator else {f"{p.parent.name}/{p.name}": p for p in Path(name).glob("*/*/")}
        for name, root in roots.items():
            commit = hub.add(name, read_folder(root)).branches["main"]
            print(f"{name} at {commit}", file=sys.stderr)
    print(f"export HF_ENDPOINT={hub.endpoint} HF_HOME={tempfile.mkdtemp(prefix='loopback-hub-')}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        hub.close()


if __name__ == "__main__":
    main()
