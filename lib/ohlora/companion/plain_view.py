"""Asked for a plain view she gives one: "이름 귀엽지 않음?" – "완전 귀엽다!", "is it dumb to sing?" – "Not dumb".

Which view is asked for is known by few wordings (ohlora.companion.view_wordings). Her lines fit whatever these catch,
so they say nothing of its subject, and of doubts that may have dark grounds they neither approve nor judge. Where a
friendly yes could do harm she says nothing here: better no view than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from ohlora.companion.answer import without_address
from ohlora.companion.choice import is_grave
from ohlora.companion.draft import Draft
from ohlora.companion.honesty import ARTIFICIAL
from ohlora.companion.view_wordings import AskedView, asked_view, view_content
from ohlora.companion.written_answer import TROUBLE, otherwise_none
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply
from ohlora.rag import GeneralAnswers
from ohlora.rag.intents import rotated
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.risk_words import names_a_risk
from ohlora.rag.sentences import sentences_of
from ohlora.rag.wants import RISKY

_LONGEST = 220  # characters: what a long story asks to be agreed with is not known well enough
_REMEMBERED = 2  # messages of the user before this one: what is grave there is grave here
_WITH_CARE = ("idea", "joy", "would", "feeling", "name")  # kinds of view where health and money weigh, too
_IN_TROUBLE = ("feeling", "blamed", "wronged")  # kinds that are meant for who is troubled


def plain_view(
    message: str,
    language: str,
    before: Sequence[str] = (),
    said_before: Sequence[str] = (),
    answers: GeneralAnswers | None = None,
) -> tuple[str, tuple[str, float]] | None:
    """What she says to a message that plainly asks for her view, and her face (expression, intensity); None: none.

    Args:
        language: ``"ko"`` or ``"en"``, of the message.
        before: what the user said before it, the newest last.
        said_before: her last replies; she says something else where she can.
        answers: they tell whether the message sounds like trouble; None: nobody does.
    """
    if len(message) > _LONGEST or (view := asked_view(message, language, before)) is None:
        return None
    row = view_content()["views"][view.kind]
    if _may_harm(message, view, before) or (answers is not None and _sounds_bad(answers, message, view, before)):
        return None
    lines = [line.format(word=view.word) for line in rotated(row[language], message)]
    said = next((line for line in lines if line not in said_before), lines[0])
    return said, tuple(row["face"])


@otherwise_none
def view_answer(
    draft: Draft, history: Sequence[dict[str, str]] = (), answers: GeneralAnswers | None = None
) -> Iterator[ReplyProgress] | None:
    """Her view where the message plainly asks for one (see plain_view, also for ``answers``).

    None where it asks for what was told, may be dangerous, or asks what she is.
    """
    reading = draft.reading
    if draft.otherwise is not None or reading.surely_asks or reading.wants in (RISKY, ARTIFICIAL):
        return None
    if holds_curse(draft.plain):
        return None
    before = [without_address(one["content"]) for one in history if one["role"] == "user"]
    found = plain_view(draft.plain, draft.language, before, draft.said_before, answers)
    return stream_reply(iter([format_reply(found[0], *found[1])])) if found else None


def _may_harm(message: str, view: AskedView, before: Sequence[str]) -> bool:
    """Whether a view might do harm: by what the message names, or what was said just before it."""
    said, harms = [message, *reversed(before[-_REMEMBERED:])], _harms()
    if any(is_grave(one) or harms["never"].search(one) for one in said):
        return True
    careful = view.kind in _WITH_CARE or view.word in view_content()["praise"]
    if careful and any(map(harms["careful"].search, said)):
        return True
    lately = said[:1] if view.kind == "name" else said[:2]
    if view.kind in harms and any(map(harms[view.kind].search, lately)):
        return True
    return careful and view.kind not in ("feeling", "name") and names_a_risk(harms["harmless"].sub(" ", message))


def _sounds_bad(answers: GeneralAnswers, message: str, view: AskedView, before: Sequence[str]) -> bool:
    """Whether the message sounds like trouble, of a sign what is told of it: to ask for one alone sounds so."""
    told, former = message, before[-1] if before else ""
    if view.kind == "sign":
        told = " ".join(sentences_of(message)[:-1]) or former
    return bool(told) and view.kind not in _IN_TROUBLE and answers.trouble(told, former) >= TROUBLE


@cache
def _harms() -> dict[str, re.Pattern[str]]:
    rows = view_content()
    harms = {name: rows[name] for name in ("never", "careful", "harmless")}
    harms |= {kind: row["unless"] for kind, row in rows["views"].items() if "unless" in row}
    return {name: re.compile("|".join(either), re.IGNORECASE) for name, either in harms.items()}
