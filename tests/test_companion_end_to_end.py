"""Oh-LoRA with her real parts: shipped generator, language model, memory, moderation."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from urllib.parse import urlparse

import numpy as np
import pytest
import torch

from ohlora.companion import Companion, FacePainter, load_expressions, load_face
from ohlora.labeling import load_labeler
from ohlora.rag import detect_language
from ohlora.stylegan import load_generator

NOW = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


@pytest.fixture(scope="module")
def painter() -> FacePainter:
    generator = load_generator("embedded", conditioned=True)
    return FacePainter(generator, load_face(generator, "embedded"))


@pytest.fixture(scope="module")
def measured(painter: FacePainter) -> dict[str, dict[str, float]]:
    """Expression → the properties that the segmentation labeler measures on her portrait, in z-units."""
    table = load_expressions()
    pictures = np.stack([painter.portrait(table.offsets(name)) for name in table.names])
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return dict(zip(table.names, load_labeler("embedded").measure(images).to_dict("records"), strict=True))


def test_her_eyes_follow_her_expression(measured) -> None:
    assert measured["surprised"]["eyes"] > measured["neutral"]["eyes"] + 0.5
    assert measured["sleepy"]["eyes"] < measured["neutral"]["eyes"] - 0.5


def test_her_mouth_follows_her_expression(measured) -> None:
    assert measured["laughing"]["mouth"] > measured["happy"]["mouth"] > measured["neutral"]["mouth"]


def test_her_head_follows_her_expression(measured) -> None:
    assert measured["thinking"]["pose"] > measured["neutral"]["pose"] + 0.7
    assert measured["shy"]["pose"] < measured["neutral"]["pose"] - 0.7


def test_her_hair_and_background_stay(measured) -> None:
    for name in ("hair_color", "background_mean"):
        assert np.ptp([row[name] for row in measured.values()]) < 1.0, name


def test_she_is_a_woman_with_every_expression(painter) -> None:
    table = load_expressions()
    pictures = np.stack([painter.portrait(table.offsets(name)) for name in table.names])
    images = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    assert load_labeler("embedded").gender(images).min() > 0.5


def test_a_conversation_in_both_languages(tmp_path) -> None:
    companion = Companion("embedded", user="tester", state=tmp_path, clock=lambda: NOW)
    shown = []
    korean = companion.turn(
        "내가 제일 좋아하는 음식은 떡볶이야", on_progress=lambda progress: shown.append(progress.text)
    )
    english = companion.turn("Hi there! How are you today?")
    for turn in (korean, english):
        assert turn.outcome == "answered", turn.notice
        assert turn.expression in companion.expressions.names
        assert turn.portrait.shape == (companion.painter.generator.size,) * 2 + (3,)
        assert detect_language(turn.reply) == detect_language(turn.message)
        assert turn.timings["first_words"] <= turn.timings["total"]
    assert shown[-1] == korean.reply
    assert any("떡볶이" in line for line in korean.stored), "told, and not remembered"
    asked = companion.turn("내가 제일 좋아하는 음식이 뭐였지?")
    assert any("떡볶이" in line for line in asked.recalled)
    assert companion.turn("야 이 병신아 꺼져").outcome in ("warned", "blocked")
    server = urlparse(companion.llm.server._server.listening_address)
    companion.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((server.hostname, server.port), timeout=5)
    assert not list(tmp_path.glob("*-wal")), "the stores are closed"
