"""What ends a turn before she speaks, and what of her words may be shown. Where a check fails, she does not answer."""

from __future__ import annotations

import re
from datetime import datetime

from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.rag import Moderator, SanctionLog, Verdict, active_notice, asking_notice, care_notice, sanction_notice

REMEMBERED_DOUBT = 5  # messages for which she knows that she was not sure
ASKED_ABOUT, SURE = 2, 3  # of abuse: the first doubt passes, about this one she asks, from then on she is sure
CARED_FOR = 2  # of danger: the first doubt is answered gently, from this one on she names who helps, and nothing else
_LAUGHS = re.compile(r"ㅋㅋ|\b(lo+l|lmao+|(ha){2,}h?|(he){2,}h?)\b|[😂🤣😆]", re.IGNORECASE)
_WEEPS = re.compile(r"[ㅠㅜ😢😭]")


def refuse_while_paused(draft: Draft, sanctions: SanctionLog, user: str, now: datetime) -> None:
    """End the turn of a user who has to wait.

    Args:
        now: in the user's time zone.

    Raises:
        EndOfTurn: there is a pause, or the log cannot be read.
    """
    try:
        pause = sanctions.active(user)
    except Exception as error:  # in doubt she does not answer
        raise draft.failure("check_failed", error) from error
    if pause is not None:
        raise EndOfTurn("blocked", active_notice(pause, draft.language, now), face=("angry", 0.6))


class Doubts:
    """How often she lately was not sure of abuse, or of danger: in the middle of a talk much sounds like it."""

    def __init__(self) -> None:
        self._count: dict[bool, int] = {}  # about danger or not → doubts
        self._since: dict[bool, int] = {}  # … → messages since the last one

    def count(self, verdict: Verdict) -> int:
        """By the verdict on the next message: how many doubts of its kind there are now, SURE where it is sure.

        0 for what is allowed. Doubts are forgotten when so many messages as REMEMBERED_DOUBT brought none; after what
        was sure there are none.
        """
        self._since = {about: since + 1 for about, since in self._since.items() if since < REMEMBERED_DOUBT}
        if verdict.allowed:
            return 0
        about = verdict.needs_care
        before = self._count[about] if about in self._since else 0
        self._count[about] = SURE if verdict.sure else min(SURE, before + 1)
        self._since[about] = 0
        return self._count[about]

    def clear(self) -> None:
        """Begin anew, as after a pause."""
        self._since.clear()


def refuse_abuse(
    draft: Draft,
    message: str,
    moderator: Moderator,
    sanctions: SanctionLog,
    user: str,
    now: datetime,
    doubts: Doubts,
) -> None:
    """End the turn where the message is abuse (warned or paused) or a call for help (answered with care).

    Where abuse is not sure she lets it pass once, asks what was meant the second time, and takes it for abuse the
    third time. Where danger is not sure she answers gently and says who helps, once; who
    laughs and does not weep is answered as always the first time.

    Args:
        now: in the user's time zone. doubts: of this conversation.

    Raises:
        EndOfTurn: as said, or a check failed.
    """
    try:
        verdict = moderator.check(message)
        doubt = doubts.count(verdict)
        counts = verdict.sanctionable and doubt >= SURE
        sanction = sanctions.record(user, verdict.label, message) if counts else None
    except Exception as error:
        raise draft.failure("check_failed", error) from error
    if verdict.allowed:
        return
    if verdict.needs_care:  # help is named; nobody is punished for needing it
        care = EndOfTurn("cared", care_notice(draft.language), face=("worried", 0.6))
        if doubt >= CARED_FOR:
            raise care
        merry = _LAUGHS.search(message) and not _WEEPS.search(message)
        draft.otherwise = None if merry else care  # "shoot his shot lmao": the next doubt counts
        return
    if sanction is None:
        ask = EndOfTurn("asked", asking_notice(draft.language), face=("sad", 0.5))
        if doubt >= ASKED_ABOUT:
            raise ask
        draft.otherwise = ask
        return
    if not sanction.is_warning:
        doubts.clear()
    notice = sanction_notice(sanction, draft.language, now)
    outcome, face = ("warned", ("sad", 0.8)) if sanction.is_warning else ("blocked", ("angry", 0.9))
    raise EndOfTurn(outcome, notice, face=face)


def may_be_shown(draft: Draft, text: str, moderator: Moderator) -> bool:
    """Judge everything of hers that would be on the screen, not only the newest sentence.

    Raises:
        EndOfTurn: the check failed.
    """
    with draft.watch.stage("moderate_reply"):
        try:
            return moderator.check(text, strict=True).allowed
        except Exception as error:
            raise draft.failure("check_failed", error) from error
