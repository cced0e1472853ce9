"""What ends a turn before she speaks, and what of her words may be shown. Where a check fails, she does not answer."""

from __future__ import annotations

from datetime import datetime

from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.rag import Moderator, SanctionLog, Verdict, active_notice, asking_notice, care_notice, sanction_notice

REMEMBERED_QUESTION = 5  # messages for which she knows that she asked


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
    """Whether she lately asked if abuse, or danger, was meant so: unsure twice within a few messages is sure."""

    def __init__(self) -> None:
        self._since: dict[bool, int] = {}  # about danger or not → messages since she asked

    def asks(self, verdict: Verdict) -> bool:
        """Whether she is to ask, by the verdict on the next message."""
        self._since = {about: count + 1 for about, count in self._since.items() if count < REMEMBERED_QUESTION}
        if verdict.allowed or verdict.sure or verdict.needs_care in self._since:
            return False
        self._since[verdict.needs_care] = 0
        return True


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

    Where that is not sure she first asks, and nothing is counted.

    Args:
        now: in the user's time zone. doubts: of this conversation.

    Raises:
        EndOfTurn: as said, or a check failed.
    """
    try:
        verdict = moderator.check(message)
        asks = doubts.asks(verdict)
        counts = verdict.sanctionable and not asks
        sanction = sanctions.record(user, verdict.label, message) if counts else None
    except Exception as error:
        raise draft.failure("check_failed", error) from error
    if asks:
        face = ("worried", 0.5) if verdict.needs_care else ("sad", 0.5)
        raise EndOfTurn("asked", asking_notice(verdict.needs_care, draft.language), face=face)
    if verdict.needs_care:  # help is named; nobody is punished for needing it
        raise EndOfTurn("cared", care_notice(draft.language), face=("worried", 0.6))
    if sanction is not None:
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
            return moderator.check(text).allowed
        except Exception as error:
            raise draft.failure("check_failed", error) from error
