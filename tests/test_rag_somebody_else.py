"""What is told of somebody else does not surely answer a question about the user."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from companion_parts import LetterEmbedder

from ohlora.rag import MessageLog
from ohlora.rag.relevance import CosineRelevance
from ohlora.rag.somebody_else import asks_about_self, tells_of_somebody_else


@pytest.mark.parametrize(
    "text",
    [
        "ma pal rory's allergic to dogs and he's went and got a dug",
        "my manager deb's on keto and wont shut up abt it",
        "aoife's doing the camino in june. fair play, couldnt be me",
        "지호는 여친이랑 벌써 200일이래 부럽다",
        "친구는 뮌헨 간다는데 같이 보면 좋겠다",
        "팀원분 아들이 벌써 초등학생이래",
    ],
)
def test_it_is_known_who_else_is_spoken_of(text: str) -> None:
    assert tells_of_somebody_else(text)


@pytest.mark.parametrize(
    "text",
    [
        "i'm allergic to penicillin",
        "it's moved to the 21st now",
        "talk's been shifted to saturday",
        "나 엄마랑 부산 가",
        "목표는 경희대 한의대인데 택도 없음",
        "my sister and i are going to jeju",
        "my friends call me Bex",
        "친구가 나한테 기타 줬어",
        "수술은 13일이래",
        "exam's coming up on friday",
        "동기부여가 안돼서",
        "가족여행은 7월 20일",
        "",
    ],
)
def test_what_may_be_about_the_user_is_not_taken_for_another(text: str) -> None:
    assert not tells_of_somebody_else(text)


@pytest.mark.parametrize(
    ("question", "own"),
    [
        ("what am i allergic to", True),
        ("나 강아지 몇마리 키운댔지", True),
        ("what's my sister allergic to?", False),
        ("내 친구 어디 간다 했지", False),
        ("what does she eat", False),
        ("who gave me my watch", False),
        ("내 시계 누가 줬지", False),
        ("몇 시야?", False),
    ],
)
def test_questions_about_the_user_alone_are_known(question: str, own: bool) -> None:
    assert asks_about_self(question) == own


class Sure(CosineRelevance):
    """Sure of whatever lies nearest."""

    def shares(self, read: np.ndarray) -> np.ndarray:
        return np.ones(len(read), np.float32)


def test_what_another_is_said_to_have_comes_with_a_doubt(tmp_path: Path) -> None:
    with MessageLog(
        tmp_path / "messages.sqlite", LetterEmbedder(), Sure(), lambda: datetime(2026, 3, 2, tzinfo=UTC)
    ) as log:
        log.add("me", "t1", "my manager deb is on the keto diet")
        assert log.find("me", "which diet is my manager deb on, the keto diet?").sure
        assert not log.find("me", "which diet am i on, the keto diet?").sure
