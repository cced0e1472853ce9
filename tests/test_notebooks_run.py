"""Every notebook, executed by papermill with small parameters; its metrics lie where they must."""

from __future__ import annotations

import json
from pathlib import Path

import papermill
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
PATHS = sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))


@pytest.mark.timeout(420)
@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_notebook(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    case = yaml.safe_load((ROOT / "tests" / "notebooks" / f"{path.stem}.yaml").read_text(encoding="utf-8"))
    parameters = case.get("parameters") or {}
    known = papermill.inspect_notebook(path)
    assert not set(parameters) - set(known), "papermill only warns of unknown parameters"
    monkeypatch.setenv("OHLORA_OUTPUTS", str(tmp_path))
    papermill.execute_notebook(
        path,
        tmp_path / "executed.ipynb",
        parameters=parameters,
        kernel_name="python3",
        cwd=path.parent,
        start_timeout=120,
        execution_timeout=300,
        progress_bar=False,
    )
    written = json.loads((tmp_path / path.stem / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    for name, (low, high) in case["metrics"].items():
        assert low <= written[name]["value"] <= high, f"{name} = {written[name]['value']}, expected {low} … {high}"
