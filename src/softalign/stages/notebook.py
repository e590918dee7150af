"""Run a notebook from start to end and keep what it shows, as .ipynb and as .html, in reports/notebooks/.

python -m softalign.stages.notebook 00_start_here
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat

from softalign.data.atomic import replace_text
from softalign.errors import UserError, reported
from softalign.paths import Layout, project_root

CELL_SECONDS = 600  # a cell that runs longer is stuck


def main(arguments: Sequence[str] | None = None) -> None:
    with reported():
        layout = Layout(project_root())
        name = parse(arguments)
        notebook = read_notebook(layout.root / "notebooks", name)
        execute(notebook, layout.root / "notebooks", name)
        for path in write(notebook, layout.reports / "notebooks", name):
            print(path)


def parse(arguments: Sequence[str] | None) -> str:
    """The notebook's name, without folder and suffix."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="a file of notebooks/, without .ipynb")
    return str(parser.parse_args(arguments).name)


def read_notebook(folder: Path, name: str) -> nbformat.NotebookNode:
    """Read notebooks/<name>.ipynb. Raises `UserError` where it is missing or damaged."""
    path = folder / f"{name}.ipynb"
    if not path.is_file():
        known = ", ".join(sorted(found.stem for found in folder.glob("*.ipynb"))) or "none"
        raise UserError(f"no notebook {name!r}", str(folder), f"known: {known}")
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (ValueError, nbformat.ValidationError) as error:
        raise UserError(
            f"not a notebook: {str(error).splitlines()[0]}", str(path), "restore it, e.g. with git"
        ) from None
    return notebook


def execute(notebook: nbformat.NotebookNode, folder: Path, name: str) -> None:
    """Run all cells in place, in `folder`, with this Python.

    Raises `UserError` with the number of the cell that failed and the error's last line.
    """
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    # Not the kernel that happens to be registered as "python3", which may belong to another environment.
    manager = AsyncKernelManager()
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", "--log-level=ERROR"]
    # The package that is running now, wherever the notebook lies: PYTHONPATH=src means another folder from there.
    package = str(Path(__file__).resolve().parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    manager._kernel_spec = KernelSpec(argv=command, env={"PYTHONPATH": path})
    client = NotebookClient(
        notebook,
        km=manager,
        timeout=CELL_SECONDS,
        record_timing=False,  # the same notebook gives the same file
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except CellExecutionError as error:
        raise _failure(notebook, name, f"{error.ename}: {error.evalue}") from None
    except (CellTimeoutError, DeadKernelError) as error:
        raise _failure(notebook, name, str(error).strip().splitlines()[0]) from None


def _failure(notebook: nbformat.NotebookNode, name: str, reason: str) -> UserError:
    ran = [number for number, cell in enumerate(notebook.cells, start=1) if cell.get("execution_count")]
    where = f"notebooks/{name}.ipynb, cell {ran[-1] if ran else 1}"
    return UserError(f"a cell failed: {reason}", where, "open it with `make lab` and run it there")


def write(notebook: nbformat.NotebookNode, folder: Path, name: str) -> list[Path]:
    """Write <name>.ipynb and <name>.html into `folder`; both are made before either is replaced."""
    contents = {f"{name}.ipynb": nbformat.writes(notebook) + "\n", f"{name}.html": to_html(notebook)}
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in contents.items():
        replace_text(folder / file, content)
    return [folder / file for file in contents]


def to_html(notebook: nbformat.NotebookNode) -> str:
    """The notebook as one page that needs no network: no widgets, no MathJax, figures inside."""
    from nbconvert import HTMLExporter

    exporter: Any = HTMLExporter(template_name="lab", mathjax_url="", require_js_url="", jquery_url="")
    body, _ = exporter.from_notebook_node(notebook)
    return str(body)


if __name__ == "__main__":
    main()
