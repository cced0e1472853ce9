"""docs/issues_met.md tells only what can be looked up: every entry has its figure and its place in the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ENTRIES = (ROOT / "docs" / "issues_met.md").read_text(encoding="utf-8").split("\n### ")[1:]
FIELDS = ("**Symptom**", "**Cause**", "**Fix**", "**Figure**", "**Where**", "**한국어**")


def test_entries_are_counted() -> None:
    assert [int(entry.split(".")[0]) for entry in ENTRIES] == list(range(1, len(ENTRIES) + 1))
    assert len(ENTRIES) >= 25


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.split("\n")[0])
def test_an_entry_is_complete(entry: str) -> None:
    fields = dict(re.findall(r"^- (\*\*[^*]+\*\*): (.+)$", entry, re.MULTILINE))
    assert tuple(fields) == FIELDS
    assert re.search(r"\d", fields["**Figure**"]), "a figure"
    assert len(re.findall(r"[가-힣]{2}", fields["**한국어**"])) >= 3
    places = re.findall(r"`([\w./]+(?:\.py|\.md|\.toml|\.jsonl|\.json|/)|Makefile)(?: --[\w-]+)?`", fields["**Where**"])
    assert places or "notebook" in fields["**Where**"], "where it is in the code"
    texts = []
    for place in places:
        path = next((root / place for root in (ROOT, ROOT / "lib" / "ohlora") if (root / place).exists()), None)
        assert path is not None, f"{place} does not exist"
        texts.append(path.read_text(encoding="utf-8") if path.is_file() else "")
    for name in re.findall(r"`([A-Za-z_]\w+)`", fields["**Where**"]):
        if name != "Makefile" and not re.fullmatch(r"[0-9a-f]{7}", name):
            assert any(name in text for text in texts), f"{name} is in none of {places}"
