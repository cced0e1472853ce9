"""She does not say the same sentence again and again, nor one word without end: a small model likes to do both."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import replace

from ohlora.llm.reply_format import Reply, ReplyProgress, plain_letters

Say = Callable[[Sequence[dict[str, str]]], Iterator[ReplyProgress]]
"""Messages → her reply while it is being written."""

_SENTENCE = re.compile(r"[^.!?~…。]*[.!?~…。]+\s*|[^.!?~…。]+$")
_MAY_LAST = "ㅋㅎㅠㅜㄷㄱ하호~!?.0-9"  # one laughs a little longer, and 1,000,000 has its zeros
_LOOP = re.compile(rf"(.{{0,11}}?[^{_MAY_LAST}])\1{{5,}}|([{_MAY_LAST}]{{1,4}}?)\2{{19,}}")


def say_freshly(say: Say, messages: Sequence[dict[str, str]]) -> Iterator[ReplyProgress]:
    """Her reply without the sentences that she said in the conversation before.

    When nothing is left of it, she is asked once more, without the earlier turns that she would repeat. A word or
    a phrase that comes six times in a row ends the reply before it; laughter and digits may go on a little.

    Args:
        say: asks the language model. messages: the conversation, the user's message last.
    """
    said = {
        plain_letters(sentence)
        for message in messages
        if message["role"] == "assistant"
        for sentence in _SENTENCE.findall(message["content"])
    }
    last = None
    for last in _without_repeats(say(messages), said):
        yield last
    if said and last is not None and last.reply is not None and not last.text:
        yield from _without_repeats(say(messages[-1:]), ())


def fresh_part(text: str, said: Collection[str]) -> str:
    """A text without the sentences whose letters are in ``said``; short ones ("Hi!") may come again."""
    kept = [one for one in _SENTENCE.findall(text) if len(plain_letters(one)) < 6 or plain_letters(one) not in said]
    return "".join(kept).strip()


def _without_repeats(stream: Iterator[ReplyProgress], said: Collection[str]) -> Iterator[ReplyProgress]:
    with closing(stream) as pieces:
        for progress in pieces:
            loop = _LOOP.search(progress.text)
            text = fresh_part(progress.text[: loop.start()] if loop else progress.text, said)
            if loop:
                expression, intensity = progress.expression or "neutral", progress.intensity or 0.5
                ended = Reply(text, expression, intensity, raw=progress.text, valid=False)
                yield ReplyProgress(expression, intensity, text, ended)
                return
            yield replace(progress, text=text, reply=replace(progress.reply, text=text) if progress.reply else None)
