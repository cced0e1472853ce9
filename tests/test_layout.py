"""The house stands as it was drawn: imports go down, modules are small, the two package lists agree."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "lib" / "ohlora"
# From the bottom up: a package imports only what stands before it.
ORDER = [
    "config",
    "weights",
    "database",
    "images",
    "portraits",
    "stylegan",
    "labeling",
    "recommend",
    "llm",
    "rag",
    "companion",
    "plots",
    "evaluation",
]
MODULES = sorted(LIBRARY.rglob("*.py"))


def package_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imported_packages(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively; write the whole name"
            names = [
                f"{node.module}.{alias.name}" if node.module == "ohlora" else str(node.module) for alias in node.names
            ]
        found |= {name.split(".")[1] for name in names if name.startswith("ohlora.")}
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_imports_go_down(path: Path) -> None:
    own = package_of(path)
    if own == "__init__":
        return
    above = [name for name in imported_packages(path) if name != own and ORDER.index(name) > ORDER.index(own)]
    assert not above, f"{path.relative_to(LIBRARY)} imports {above}, which stand above {own}"
    if own not in ("evaluation", "plots"):
        assert not imported_packages(path) & {"evaluation", "plots"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_modules_are_short_and_explained(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert ast.get_docstring(ast.parse(text)), "a module says in its first line what it is for"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(LIBRARY)))
def test_public_functions_are_typed_and_documented(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{path.name}:{node.lineno} {node.name} has no docstring"
            if any("njit" in ast.unparse(decorator) for decorator in node.decorator_list):
                continue  # numba infers the types of a kernel; its docstring gives the shapes
            assert node.returns is not None, f"{path.name}:{node.lineno} {node.name} has no return type"
            untyped = [
                argument.arg for argument in node.args.args + node.args.kwonlyargs if argument.annotation is None
            ]
            assert not untyped, f"{path.name}:{node.lineno} {node.name}: no types for {untyped}"


def test_profile_name_is_never_branched_on() -> None:
    for path in MODULES:
        assert "profile.name ==" not in path.read_text(encoding="utf-8"), path


def test_environment_equals_pyproject() -> None:
    sys.path.insert(0, str(ROOT / "scripts"))
    from write_environment import environment

    assert yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8")) == environment()


def test_committed_files_are_small() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.exists():
            assert path.stat().st_size <= 60_000_000, name


def test_nothing_unpickles() -> None:
    for path in [*MODULES, *sorted((ROOT / "scripts").glob("*.py"))]:
        text = path.read_text(encoding="utf-8")
        # pickletools only decodes opcodes: the reader of other people's files uses it.
        for forbidden in (
            r"import pickle\b",
            r"from pickle\b",
            r"pickle\.load",
            "allow_pickle=True",
            "weights_only=False",
        ):
            assert not re.search(forbidden, text), f"{path.name} has {forbidden}"


def test_importing_is_quiet_and_light() -> None:
    """Importing the library starts no network, no training and no heavy framework."""
    code = (
        "import sys, ohlora.config, ohlora.rag, ohlora.llm;"
        "heavy = ('transformers', 'trl', 'mediapipe', 'xllamacpp');"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
