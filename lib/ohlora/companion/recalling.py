"""What a message brings to her mind: memories that matter to it, and what the user once wrote that may answer it."""

from __future__ import annotations

import logging
from datetime import datetime
from functools import partial

from ohlora.companion.draft import Draft
from ohlora.companion.told_fact import asks_for_days, asks_for_former, names_a_day, with_a_day
from ohlora.rag import MemoryStore, MessageLog
from ohlora.rag.told_names import NAME_KEYS, asks_for_anothers_name

logger = logging.getLogger(__name__)

RECALLED = 3  # memories a turn …
CANDIDATES = 8  # … of so many, where only those that name a day count


def recall(memory: MemoryStore, log: MessageLog, user: str, draft: Draft, now: datetime) -> None:
    """Note in the draft what comes to her mind; the log is only searched where something told may be asked for.

    She can answer without them: a failure becomes a notice.

    Args:
        now: with the user's time zone.
    """
    message, days = draft.asking or draft.message.strip(), asks_for_days(draft.message)
    asks = draft.reading.may_ask or days
    try:
        found = memory.search(user, message, CANDIDATES, asked=asks)
        if asks_for_anothers_name(message):
            found = [one for one in found if one.memory.key.casefold() not in NAME_KEYS]
        draft.recalled = tuple(((with_a_day(found, now) if days else []) or found)[:RECALLED])
    except Exception as error:
        draft.notices.append(draft.say("recall_failed", error))
    if not asks:
        return
    try:
        draft.quotable = log.find(
            user, message, asks_for_former(message), partial(names_a_day, now=now) if days else None
        )
    except Exception:
        logger.exception("what the user wrote was not searched; what is stored is enough")
