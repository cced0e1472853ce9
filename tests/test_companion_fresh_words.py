"""She does not repeat herself: sentences of the conversation, loops, and what is left when nothing is left."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given
from hypothesis import strategies as st

from ohlora.companion.fresh_words import fresh_part, say_freshly
from ohlora.companion.turn import finished_sentences
from ohlora.llm.reply_format import ReplyProgress, stream_reply

TALK = [
    {"role": "user", "content": "hello"},
    {"role": "assistant", "content": "Good to see you. Tell me everything!"},
    {"role": "user", "content": "I passed the exam"},
]


def asked(*replies: str):
    """A model that says these replies one after the other, in pieces of three letters; remembers what it was asked."""
    left, seen = list(replies), []

    def say(messages) -> Iterator[ReplyProgress]:
        seen.append(list(messages))
        raw = left.pop(0)
        return stream_reply(raw[start : start + 3] for start in range(0, len(raw), 3))

    return say, seen


def test_a_sentence_of_the_conversation_is_left_out() -> None:
    say, seen = asked("happy 0.8\nYou passed! Tell me everything! I knew it.\nmemory: add | exam | passed")
    *_, last = say_freshly(say, TALK)
    assert last.text == last.reply.text == "You passed! I knew it."
    assert last.reply.memory.value == "passed" and len(seen) == 1


def test_when_nothing_is_left_she_is_asked_without_the_conversation() -> None:
    say, seen = asked("sad 0.5\ngood to see you\nmemory: none", "happy 0.9\nWell done!\nmemory: none")
    *_, last = say_freshly(say, TALK)
    assert last.text == "Well done!" and last.expression == "happy"
    assert [len(messages) for messages in seen] == [3, 1]


def test_a_word_without_end_ends_the_reply() -> None:
    say, _ = asked("sleepy 0.6\n잠이 안 오는구나. 빗소리부터 " + "쿵" * 100 + "\nmemory: none")
    progress = list(say_freshly(say, TALK[-1:]))
    assert progress[-1].reply is not None and progress[-1].text == "잠이 안 오는구나. 빗소리부터"
    assert len(progress) < 30, "the rest must not be generated"
    say, _ = asked("laughing 0.6\n아 웃겨 " + "ㅋ" * 100 + "\nmemory: none")
    assert list(say_freshly(say, TALK[-1:]))[-1].text == "아 웃겨"


def test_laughing_is_no_loop_and_short_words_may_come_again() -> None:
    say, _ = asked("laughing 0.6\nㅋㅋㅋㅋ 진짜?\nmemory: none")
    *_, last = say_freshly(say, TALK)
    assert last.text == "ㅋㅋㅋㅋ 진짜?"
    say, _ = asked("laughing 0.6\nㅋㅋㅋㅋㅋㅋㅋㅋ 아 웃겨 ㅠㅠㅠㅠㅠㅠ\nmemory: none")
    *_, last = say_freshly(say, TALK)
    assert last.text == "ㅋㅋㅋㅋㅋㅋㅋㅋ 아 웃겨 ㅠㅠㅠㅠㅠㅠ"
    assert fresh_part("Hi! I am here.", {"hi", "iamhere"}) == "Hi!"


@given(st.text(alphabet="ab .!?", max_size=60))
def test_without_a_past_every_text_stays(text: str) -> None:
    assert fresh_part(text, ()) == text.strip()


@given(st.lists(st.sampled_from(["Good to see you.", "Tell me everything!", "I am glad.", "So it goes?"]), min_size=1))
def test_what_is_shown_only_grows(sentences: list[str]) -> None:
    say, _ = asked(f"happy 0.8\n{' '.join(sentences)}\nmemory: none", "happy 0.8\nAll right.\nmemory: none")
    shown = ""
    for progress in say_freshly(say, TALK):
        finished = finished_sentences(progress.text)  # what the chat shows
        assert progress.reply or finished.startswith(shown) or shown.startswith(finished)
        shown = max(shown, finished, key=len)
