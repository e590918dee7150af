"""The notebooks import from the package, define nothing, are committed without outputs, and run."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from contradictions import Text, contradictions, of_html, of_markdown
from project import ROOT, copy_project, run
from synthetic_runs import diverge, write_project

from softalign.errors import UserError
from softalign.stages import notebook

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def code(path: Path) -> list[str]:
    """The code cells as Python, without IPython's own lines."""
    cells = [cell.source for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    return ["\n".join(line for line in source.split("\n") if not line.startswith("%")) for source in cells]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_define_nothing_and_carry_no_outputs(path: Path) -> None:
    for source in code(path):
        defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
        assert not [node.name for node in ast.walk(ast.parse(source)) if isinstance(node, defined)]
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs") and not cell.get("execution_count")


def test_the_two_notebooks_of_the_pipeline_are_there() -> None:
    assert {"00_start_here", "05_claims"} <= {path.stem for path in NOTEBOOKS}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_project(copy_project(tmp_path_factory.mktemp("a notebook") / "project"), rows=20, params=False)
    compare = (sys.executable, "-m", "softalign.stages.compare", "tracking.enabled=false")
    run(folder, *compare, "evaluation.bootstrap_samples=100")
    return folder


@pytest.mark.parametrize("name", ["00_start_here", "05_claims"])
def test_a_notebook_runs_from_start_to_end(project: Path, name: str) -> None:
    done = run(project, sys.executable, "-m", "softalign.stages.notebook", name)
    assert done.stdout.split("\n")[0].endswith(f"reports/notebooks/{name}.ipynb")
    executed = nbformat.read(project / f"reports/notebooks/{name}.ipynb", as_version=4)
    outputs = [output for cell in executed.cells for output in cell.get("outputs", [])]
    assert not [output for output in outputs if output.output_type == "error"]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert contradictions(shown(executed), *(reported(project, name) for name in ("results", "claims"))) == []
    html = (project / f"reports/notebooks/{name}.html").read_text(encoding="utf-8")
    assert 'src="http' not in html and 'href="http' not in html.split("</head>")[0]


def test_where_all_trainings_diverged_the_notebook_of_the_claims_says_so_in_plain_lines(tmp_path: Path) -> None:
    folder = write_project(copy_project(tmp_path / "project"), tasks=("translation",), rows=6, params=False)
    for arm in ("vanilla", "multiply", "bahdanau"):
        diverge(folder, arm, 1)
    params = yaml.safe_load((folder / "params.yaml").read_text())
    (folder / "params.yaml").write_text(yaml.safe_dump(params | {"tasks": ["translation"]}))
    compare = (sys.executable, "-m", "softalign.stages.compare", "tracking.enabled=false")
    run(folder, *compare, "evaluation.bootstrap_samples=100")
    run(folder, sys.executable, "-m", "softalign.stages.notebook", "05_claims")
    executed = nbformat.read(folder / "reports/notebooks/05_claims.ipynb", as_version=4)
    printed = [output.text for output in executed.cells[-1].outputs if output.get("name") == "stdout"]
    assert printed == ["No runs in MLflow.\n"]
    text = shown(executed)
    assert contradictions(text, *(reported(folder, name) for name in ("results", "claims"))) == []
    assert any("diverged" in cell for _, rows in text.tables for row in rows for cell in row)


def shown(notebook: nbformat.NotebookNode) -> Text:
    """What an executed notebook says: its own words, and what its cells display."""
    text = Text()
    for cell in notebook.cells:
        parts = [of_markdown(cell.source)] if cell.cell_type == "markdown" else []
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            parts += [of_markdown(data["text/markdown"])] if "text/markdown" in data else []
            parts += [of_html(data["text/html"])] if "text/html" in data else []
        for part in parts:
            text.add(part)
    return text


def reported(project: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((project / f"reports/{name}.json").read_text(encoding="utf-8"))
    return content


def test_the_first_notebook_takes_an_arm_without_attention(project: Path) -> None:
    notebooks = project / "notebooks"
    content = notebook.read_notebook(notebooks, "00_start_here")
    for cell in content.cells:
        cell.source = cell.source.replace('"model=bahdanau"', '"model=vanilla"').replace("rows=12000", "rows=600")
    notebook.execute(content, notebooks, "00_start_here")
    assert "vanilla looks nowhere: it has no attention" in nbformat.writes(content)


def test_what_a_notebook_says_is_held_against_the_numbers(project: Path) -> None:
    run(project, sys.executable, "-m", "softalign.stages.notebook", "05_claims")
    text = shown(nbformat.read(project / "reports/notebooks/05_claims.ipynb", as_version=4))
    results, claims = reported(project, "results"), reported(project, "claims")
    assert any(" is better than " in line for line in text.prose)
    assert sum("verdict" in columns for columns, _ in text.tables) == 15
    assert sum("better?" in columns for columns, _ in text.tables) == 2
    for claim in claims["claims"]:
        for row in claim["rows"]:
            row["effect"] = None if row["effect"] is None else -row["effect"] - 1
    assert contradictions(text, results, claims)


def written(folder: Path, *cells: str) -> Path:
    (folder / "notebooks").mkdir()
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    nbformat.write(content, folder / "notebooks/mine.ipynb")
    return folder / "notebooks"


def test_a_cell_that_fails_is_named_with_its_error(tmp_path: Path) -> None:
    folder = written(tmp_path, "1", "print('so far')\n{}['missing']", "2")
    content = notebook.read_notebook(folder, "mine")
    with pytest.raises(UserError, match=r"KeyError: 'missing' \(notebooks/mine.ipynb, cell 2\)"):
        notebook.execute(content, folder, "mine")


def test_the_same_notebook_gives_the_same_file(tmp_path: Path) -> None:
    folder = written(tmp_path, "import sys; sys.executable")
    texts = []
    for _ in range(2):
        content = notebook.read_notebook(folder, "mine")
        notebook.execute(content, folder, "mine")
        texts.append(nbformat.writes(content))
    assert texts[0] == texts[1]
    assert sys.executable in texts[0]  # this Python, not whatever kernel is registered


def test_a_notebook_imports_the_package_that_runs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "src")  # as in dvc.yaml; there is no such folder below notebooks/
    folder = written(tmp_path, "import softalign.stages.notebook as running; running.__file__")
    content = notebook.read_notebook(folder, "mine")
    notebook.execute(content, folder, "mine")
    assert str(notebook.__file__) in nbformat.writes(content)


def test_an_unknown_or_damaged_notebook_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path)
    with pytest.raises(UserError, match="no notebook 'other'.*known: mine"):
        notebook.read_notebook(folder, "other")
    (folder / "mine.ipynb").write_text("{}", encoding="utf-8")
    with pytest.raises(UserError, match="not a notebook"):
        notebook.read_notebook(folder, "mine")
    (folder / "mine.ipynb").write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="not a notebook"):
        notebook.read_notebook(folder, "mine")
