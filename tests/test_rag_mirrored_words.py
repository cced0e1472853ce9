"""Which words of a message a listener repeats."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohlora.rag import load_message_reader, load_mirrored_words
from ohlora.rag.mirrored_words import SURE, WEIGHTS, MirroredWords, sayable_words
from ohlora.rag.mirrored_words_training import (
    MirroredMessage,
    TrainingSettings,
    load_mirrored_messages,
    mirrored_metrics,
    train_mirrored_words,
)
from ohlora.rag.tagged_words import likeliest_runs
from ohlora.weights import WeightsError, load_weights


@pytest.fixture(scope="module")
def mirrored() -> MirroredWords:
    return load_mirrored_words(load_message_reader())


@pytest.mark.parametrize(
    ("message", "before", "expected"),
    [
        ("his name is Biscuit and hes a menace", "Tell me about him!", "Biscuit"),
        ("for the opening night we baked 300 croissants", "What did you do?", "300 croissants"),
        ("나 어제 산 새 자전거 벌써 고장 났어", "왜?", "새 자전거"),
        ("면접이 다섯 시야", "언제야?", "다섯 시"),
    ],
)
def test_the_heart_of_what_is_told(mirrored: MirroredWords, message: str, before: str, expected: str) -> None:
    (found,) = mirrored.find_all([(message, before)])
    assert found.words == expected


@pytest.mark.parametrize(
    ("message", "before"),
    [("thanks!", "You did well."), ("ㅋㅋㅋㅋ", "정말?"), ("what would you do?", "Hm."), ("너는?", "난 밤이 좋아."),
     ("good night", "Sleep well."), ("🎉🎉", "Hooray!"), ("?", "Hm."), ("i", "")],
)  # fmt: skip
def test_nothing_is_repeated_where_nothing_is_told(mirrored: MirroredWords, message: str, before: str) -> None:
    assert mirrored.find(message, before) == ""


@pytest.mark.parametrize(
    ("message", "marked", "expected"),
    [
        ("이제 진짜 접는다", "진짜 접", "진짜 접는다"), ("14살이었어", "14", "14살"),
        ("수리비 20만 원이래", "20만", "20만 원"), ("고객센터는 전화도 안 받아", "고객센터는 전화", ""),
        ("비 오는데 우산 안 가져왔어", "비 오는데 우산", ""), ("나는 INFP라서 기 빨려", "INFP", "INFP"),
        ("서러운 쪽..", "서러운", "서러운 쪽"), ("lost by 0.02 sec", "0.02", "0.02"),
        ("디토!! 백 번은 들은 듯", "디토!! 백 번", "백 번"), ("내 고양이 이름은 두부", "내 고양이", ""),
        ("🎉🎉", "🎉🎉", ""), ("scream lol my neighbors", "my neighbors", ""), ("are you ok?", "ok?", ""),
        ("i work 12 hr shifts", "12 h", "12 hr"),
    ],
)  # fmt: skip
def test_words_are_whole_and_can_be_said_by_her(message: str, marked: str, expected: str) -> None:
    first = message.index(marked)
    assert sayable_words(message, first, first + len(marked)) == expected


@given(st.text("가나이라고는데두 a1?!.🙂\n", max_size=30), st.integers(0, 30), st.integers(0, 30))
def test_what_she_repeats_was_said(text: str, one: int, other: int) -> None:
    first, last = sorted((min(one, len(text)), min(other, len(text))))
    assert sayable_words(text, first, last) in text


@given(st.lists(st.tuples(*[st.floats(0, 1, width=32)] * 2), min_size=1, max_size=30))
def test_a_run_of_tokens_ends_behind_its_beginning_and_is_short(ends: list[tuple[float, float]]) -> None:
    runs = likeliest_runs(np.array(ends, np.float32), 10)
    for first, last, probability in runs:
        assert 0 <= first <= last < len(ends) and last - first < 10 and 0 < probability <= 1.01
    assert [run[2] for run in runs] == sorted((run[2] for run in runs), reverse=True)


def test_any_message_is_read(mirrored: MirroredWords) -> None:
    for message in ("", " ", "가" * 600, "\n\n", "😀" * 300, "a" * 600):
        assert mirrored.find(message) in message


def test_it_is_right_on_messages_that_taught_nothing(mirrored: MirroredWords) -> None:
    rows = load_mirrored_messages(held_out=True)
    assert not {row.message for row in rows} & {
        row.message for row in load_mirrored_messages() if len(row.message) > 12
    }
    found = mirrored_metrics(mirrored, rows)
    assert found["n"] == len(rows) and found["repeats"] > 0.2
    assert found["where_marked"] > 0.8 > found["marked"], "beside repeating anything anywhere"
    assert found["overlap"] > 0.7
    card = load_weights(WEIGHTS)[1]["metrics"]
    assert abs(card["overlap"] - found["overlap"]) < 0.02, "the card is that of these weights"


def test_a_few_messages_are_learned_by_heart(mirrored: MirroredWords) -> None:
    rows = [MirroredMessage("the blue kettle broke", "", "blue kettle"), MirroredMessage("good morning", "", "")] * 8
    taught = train_mirrored_words(mirrored.reader, rows, TrainingSettings(epochs=30))
    kettle, morning = taught.find_all([(row.message, row.before) for row in rows[:2]])
    assert kettle.words == "blue kettle" and kettle.probability > SURE > morning.probability


def test_a_head_of_another_reader_is_refused(mirrored: MirroredWords) -> None:
    class Other:
        name = "another"

    with pytest.raises(WeightsError, match="another reader"):
        load_mirrored_words(Other())
