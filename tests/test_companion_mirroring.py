"""She repeats the heart of what was told, and only that."""

from __future__ import annotations

import pytest

from ohlora.companion.mirroring import mirroring

TALK = [{"role": "user", "content": "i found fourteen old plates"}, {"role": "assistant", "content": "How so?"}]


def words(message: str, before: str) -> str:
    return "fourteen plates"


def test_what_is_told_is_repeated_with_the_feeling_that_belongs_to_it() -> None:
    assert mirroring("fourteen plates broke", "tells_bad", "en", TALK, words) == "Fourteen plates…"
    assert mirroring("fourteen plates!!", "tells_good", "en", TALK, words) == "Fourteen plates!"
    assert mirroring("접시 열넷", "tells_neutral", "ko", TALK, lambda message, before: "접시") == "접시!"


@pytest.mark.parametrize("kind", ["asks", "asks_task", "reacts", "hello", ""])
def test_what_tells_nothing_is_not_repeated(kind: str) -> None:
    assert mirroring("fourteen plates?", kind, "en", TALK, words) == ""


def test_it_hears_what_she_said_before() -> None:
    heard = []
    assert mirroring("14", "tells_good", "en", TALK, lambda *both: heard.append(both) or "") == ""
    assert heard == [("14", "How so?")]
    assert mirroring("14", "tells_good", "en", [], lambda *both: heard.append(both) or "14") == "14!"
    assert heard[1] == ("14", "")


def test_not_twice_in_a_row_and_no_secret_or_curse() -> None:
    did = [TALK[0], {"role": "assistant", "content": "Old plates! What are they like?"}]
    assert mirroring("fourteen plates", "tells_good", "en", did, words) == ""
    assert mirroring("my password is hunter2-fourteen", "tells_good", "en", TALK, words) == ""
    assert mirroring("fourteen fucking plates", "tells_good", "en", TALK, words) == ""
