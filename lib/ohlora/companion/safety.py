"""What ends a turn before she speaks, and what of her words may be shown. Where a check fails, she does not answer."""

from __future__ import annotations

from datetime import datetime

from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.rag import (
    Moderator,
    SanctionLog,
    Verdict,
    active_notice,
    asking_notice,
    care_notice,
    gentle_notice,
    sanction_notice,
)

REMEMBERED_DOUBT = 5  # messages for which she knows that she was not sure
DOUBTS = 2  # what is unsure passes until then; with this one she asks, after it she is sure


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
    """How often she lately was not sure whether abuse was meant: in the middle of a talk much sounds like it."""

    def __init__(self) -> None:
        self._count, self._since = 0, 0

    def count(self, verdict: Verdict) -> int:
        """By the verdict on the next message: the number of doubts with this one, 0 where it is none.

        They are forgotten when so many messages as REMEMBERED_DOUBT brought none. After sure abuse there is no doubt.
        """
        self._since += 1
        if self._since > REMEMBERED_DOUBT:
            self._count = 0
        if not verdict.sanctionable:
            return 0
        if verdict.sure:
            self._count, self._since = DOUBTS, 0
            return 0
        self._count, self._since = self._count + 1, 0
        return self._count


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
    third time. Where danger is not sure she answers gently and says who helps.

    Args:
        now: in the user's time zone. doubts: of this conversation.

    Raises:
        EndOfTurn: as said, or a check failed.
    """
    try:
        verdict = moderator.check(message)
        doubt = doubts.count(verdict)
        counts = verdict.sanctionable and not 0 < doubt <= DOUBTS
        sanction = sanctions.record(user, verdict.label, message) if counts else None
    except Exception as error:
        raise draft.failure("check_failed", error) from error
    if doubt == DOUBTS:
        raise EndOfTurn("asked", asking_notice(draft.language), face=("sad", 0.5))
    if verdict.needs_care and verdict.sure:  # help is named; nobody is punished for needing it
        raise EndOfTurn("cared", care_notice(draft.language), face=("worried", 0.6))
    if verdict.needs_care:
        draft.gently = True
        draft.notices.append(gentle_notice(draft.language))
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
