"""Write environment.yml (conda) from pyproject.toml, so that the two say the same.

python scripts/write_environment.py
"""

from __future__ import annotations

import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("train", "evaluation", "dev")


def environment() -> dict:
    """The content of environment.yml: Python, pip, and the packages of pyproject.toml with EXTRAS."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    packages = list(project["dependencies"])
    for extra in EXTRAS:
        packages += project["optional-dependencies"][extra]
    return {
        "name": "ohlora",
        "channels": ["conda-forge"],
        "dependencies": ["python=3.11", "pip", {"pip": packages}],
    }


if __name__ == "__main__":
    header = (
        "# Written by scripts/write_environment.py from pyproject.toml; do not edit.\n"
        "# After `conda env create -f environment.yml && conda activate ohlora`:\n"
        "#   pip install --no-deps -e . && pip install --no-deps -r requirements-no-deps.txt\n"
    )
    text = yaml.safe_dump(environment(), sort_keys=False, allow_unicode=True)
    (ROOT / "environment.yml").write_text(header + text, encoding="utf-8")
