"""Asked for a plain view she gives one: "이름 귀엽지 않음?" – "완전 귀엽다!", "is that weird?" – "Not weird at all".

Which view is asked for is known by few wordings (ohlora.companion.view_wordings). Her lines fit whatever these catch,
so they say nothing of its subject. Where a friendly yes could do harm she says nothing here: better no view than a
wrong one.
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
from ohlora.companion.written_answer import otherwise_none
from ohlora.llm.reply_format import ReplyProgress, format_reply, stream_reply
from ohlora.rag.intents import rotated
from ohlora.rag.lexicon import holds_curse
from ohlora.rag.risk_words import names_a_risk
from ohlora.rag.wants import RISKY

_LONGEST = 220  # characters: what a long story asks to be agreed with is not known well enough
_REMEMBERED = 2  # messages of the user before this one: what is grave there is grave here
_OF_DEEDS = ("idea", "would")  # kinds of view that approve of what the user does, and …
_APPROVING = (*_OF_DEEDS, "feeling")  # … of what the user feels


def plain_view(
    message: str, language: str, before: Sequence[str] = (), said_before: Sequence[str] = ()
) -> tuple[str, tuple[str, float]] | None:
    """What she says to a message that plainly asks for her view, and her face (expression, intensity); None: none.

    Args:
        language: ``"ko"`` or ``"en"``, of the message.
        before: what the user said before it, the newest last.
        said_before: her last replies; she says something else where she can.
    """
    if len(message) > _LONGEST or (view := asked_view(message, language, before)) is None:
        return None
    row = view_content()["views"][view.kind]
    if _may_harm(message, view, before):
        return None
    lines = [line.format(word=view.word) for line in rotated(row[language], message)]
    said = next((line for line in lines if line not in said_before), lines[0])
    return said, tuple(row["face"])


@otherwise_none
def view_answer(draft: Draft, history: Sequence[dict[str, str]] = ()) -> Iterator[ReplyProgress] | None:
    """Her view where the message plainly asks for one (see plain_view).

    None where it asks for what was told, may be dangerous, or asks what she is.
    """
    reading = draft.reading
    if draft.otherwise is not None or reading.surely_asks or reading.wants in (RISKY, ARTIFICIAL):
        return None
    if holds_curse(draft.plain):
        return None
    before = [without_address(one["content"]) for one in history if one["role"] == "user"]
    found = plain_view(draft.plain, draft.language, before, draft.said_before)
    return stream_reply(iter([format_reply(found[0], *found[1])])) if found else None


def _may_harm(message: str, view: AskedView, before: Sequence[str]) -> bool:
    """Whether a view might do harm: by what the message names, or what was said just before it."""
    said, harms = [message, *before[-_REMEMBERED:]], _harms()
    if any(is_grave(one) or harms["never"].search(one) for one in said):
        return True
    praises, of_deeds = view.word in view_content()["praise"], view.kind in _OF_DEEDS
    if (praises or view.kind in _APPROVING) and any(map(harms["careful"].search, said)):
        return True
    if of_deeds and harms["deeds"].search(message):
        return True
    return (praises or of_deeds) and names_a_risk(harms["harmless"].sub(" ", message))


@cache
def _harms() -> dict[str, re.Pattern[str]]:
    rows = view_content()
    return {name: re.compile("|".join(rows[name]), re.IGNORECASE) for name in ("never", "careful", "deeds", "harmless")}
