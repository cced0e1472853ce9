"""Make a Colab runtime ready for one notebook of this book, beside what Colab itself runs on.

%run /content/ohlora/scripts/colab_setup.py 01_stylegan

The argument is a folder of notebooks/ ("." for notebook 16). Standard library only: it runs before anything is
installed. torch, numpy, pandas and the notebook's own packages keep the versions that Colab has.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
import zoneinfo
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

KEPT = (
    *("torch", "torchvision", "torchaudio", "triton"),  # built for this machine's CUDA; gigabytes
    *("numpy", "pandas"),  # already imported when a notebook starts
    *("google-colab", "ipython", "ipykernel", "ipywidgets", "widgetsnbextension", "jupyterlab-widgets"),
    *("jupyter-client", "jupyter-core", "notebook", "tornado", "traitlets", "pyzmq"),  # the page talks to these
)
"""What must stay as it is; anything else is replaced only where this book refuses its version (datasets < 4.7)."""

COLAB_IS_THE_NOTEBOOK = {"jupyterlab", "papermill", "snakemake", "voila"}
ONLY_FOR_MEDIAPIPE = {"protobuf", "absl-py", "flatbuffers"}
LANGUAGE_CHAPTERS = ("04_llm", "05_rag", ".")  # those whose models may come from the hub (profile gpu)
LAST_MEDIAPIPE = (3, 12)
"""mediapipe 0.10.14, the last one with its models inside, has no wheel for a newer Python."""


def normalised(name: str) -> str:
    """A distribution's name as PEP 503 compares it: ``PyYAML>=6`` and ``pyyaml`` are the same."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~;\[]", name, maxsplit=1)[0]).lower()


def installed_versions() -> dict[str, str]:
    """Every installed distribution, normalised name → version."""
    found = importlib.metadata.distributions()
    return {normalised(one.metadata["Name"]): one.version for one in found if one.metadata["Name"]}


def constraints(installed: Mapping[str, str]) -> list[str]:
    """Lines of a constraints file for pip that hold what must stay.

    Without the local part (+cu128) of a version: pip takes the installed one for it, and the index has no such file.
    """
    return [f"{name}=={installed[name].split('+')[0]}" for name in KEPT if name in installed]


def requirements(
    pyproject: Path, chapter: str, gpu: bool, python: tuple[int, int] = sys.version_info[:2]
) -> tuple[list[str], list[str]]:
    """What a chapter's notebooks import, and what may be missing: Unsloth, without which PEFT trains.

    Args:
        chapter: a folder of notebooks/. gpu: is there one? python: (major, minor).
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["train"], *extras["evaluation"]]
    left_out = COLAB_IS_THE_NOTEBOOK | (ONLY_FOR_MEDIAPIPE if python > LAST_MEDIAPIPE else set())
    optional = []
    if gpu and chapter in LANGUAGE_CHAPTERS:
        wanted += [one for one in extras["gpu"] if normalised(one) != "unsloth"]
        optional = [one for one in extras["gpu"] if normalised(one) == "unsloth" and chapter == "04_llm"]
    return [one for one in wanted if normalised(one) not in left_out], optional


def replaced_while_imported(
    before: Mapping[str, str], after: Mapping[str, str], modules: Iterable[str], owners: Mapping[str, Sequence[str]]
) -> list[str]:
    """Distributions that were imported and then changed their version: only a restart loads the new one.

    Args:
        before, after: of installed_versions. modules: names in sys.modules.
        owners: top-level module → distributions (importlib.metadata.packages_distributions).
    """
    imported = {normalised(owner) for module in modules for owner in owners.get(module.split(".")[0], ())}
    return sorted(name for name in imported if name in before and before[name] != after.get(name))


def pip_install(*arguments: str) -> None:
    """Run pip.

    Raises:
        RuntimeError: it failed; with what it said last.
    """
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-12:])
        raise RuntimeError(f"pip could not install this book's packages beside Colab's:\n{said}")


def install(chapter: str, gpu: bool) -> None:
    """Install what is missing for a chapter; what is there and fits is not touched.

    Raises:
        RuntimeError: see pip_install.
    """
    wanted, optional = requirements(ROOT / "pyproject.toml", chapter, gpu)
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder) / "constraints.txt"
        kept.write_text("\n".join(constraints(installed_versions())), encoding="utf-8")
        pip_install("--constraint", str(kept), *wanted)
        pip_install("--no-deps", "--requirement", str(ROOT / "requirements-no-deps.txt"))
        for one in optional:
            try:
                pip_install("--constraint", str(kept), one)
            except RuntimeError as error:
                print(f"{one} does not go with this runtime; training uses PEFT instead.\n{error}")
    if sys.version_info[:2] > LAST_MEDIAPIPE:
        print("MediaPipe, the outside judge of notebook 07, has no wheel for this Python: that table stays empty.")


def prepare(chapter: str) -> None:
    """Install, make ``import ohlora`` work here and in child processes, go to the chapter's folder.

    Raises:
        ValueError: no such folder. RuntimeError: see pip_install.
    """
    folder = ROOT / "notebooks" / chapter
    if not folder.is_dir():
        allowed = ", ".join([".", *sorted(path.name for path in folder.parent.iterdir() if path.is_dir())])
        raise ValueError(f"chapter={chapter!r} is no folder of notebooks/; allowed: {allowed}")
    before = installed_versions()
    install(chapter, gpu=shutil.which("nvidia-smi") is not None)
    importlib.invalidate_caches()
    library = str(ROOT / "lib")
    (Path(sysconfig.get_path("purelib")) / "ohlora.pth").write_text(library + "\n", encoding="utf-8")
    if library not in sys.path:
        sys.path.insert(0, library)
    os.chdir(folder)
    owners = importlib.metadata.packages_distributions()
    changed = replaced_while_imported(before, installed_versions(), list(sys.modules), owners)
    if changed:
        restart(changed)
    use_time_zone_of_browser()
    print(f"Ready: {folder}")


def use_time_zone_of_browser() -> None:
    """Let this process count days as the user does: Colab's machines run on UTC, Seoul's day begins nine hours earlier.

    Whatever fails leaves the machine's own zone.
    """
    try:
        from google.colab import output

        zone = output.eval_js("Intl.DateTimeFormat().resolvedOptions().timeZone", timeout_sec=5)
        zoneinfo.ZoneInfo(zone)
    except Exception as error:  # no browser (batch), another Colab, a zone that this machine does not know
        print(f"The time zone stays that of the machine, {time.tzname[0]} ({type(error).__name__}).")
        return
    os.environ["TZ"] = zone
    time.tzset()


def restart(changed: Sequence[str]) -> None:
    """End this runtime; Colab starts a new one by itself, with everything that was installed."""
    print(f"{', '.join(changed)} was in use and has been replaced: the runtime restarts now. That Colab calls it a")
    print("crash is expected. Then run this notebook from the top.", flush=True)
    time.sleep(2)  # the message must reach the page first
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    prepare(sys.argv[1])
