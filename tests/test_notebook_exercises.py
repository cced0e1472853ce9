"""The folded solutions of every notebook really run, after the notebook, with small parameters."""

from __future__ import annotations

from pathlib import Path

import nbformat
import papermill
import pytest
import yaml
from test_notebooks_static import PATHS, read, solutions

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.full
@pytest.mark.timeout(420)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_solutions_run_and_print(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = read(path)
    codes = solutions(path)
    del notebook.cells[-1]  # the metrics of a small run
    notebook.cells += [nbformat.v4.new_code_cell(code) for code in codes]
    for cell in notebook.cells:
        cell.pop("id", None)
    notebook.nbformat_minor = 4
    nbformat.write(notebook, tmp_path / "with_solutions.ipynb")
    case = yaml.safe_load((ROOT / "tests" / "notebooks" / f"{path.stem}.yaml").read_text(encoding="utf-8"))
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    done = papermill.execute_notebook(
        tmp_path / "with_solutions.ipynb",
        tmp_path / "executed.ipynb",
        parameters=case.get("parameters") or {},
        kernel_name="python3",
        cwd=path.parent,
        start_timeout=120,
        execution_timeout=300,
        progress_bar=False,
    )
    for cell in done.cells[-len(codes) :]:
        printed = "".join(output.get("text", "") for output in cell.outputs if output.get("name") == "stdout")
        assert printed.strip(), cell.source
