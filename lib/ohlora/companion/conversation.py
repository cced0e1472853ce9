"""One conversation: what was said in it, and how sure she was of it. The user's own messages outlive it.

Her replies are known as long as she is open, so that she need not say them again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from ohlora.companion.draft import Draft
from ohlora.companion.safety import Doubts
from ohlora.llm.language import text_language
from ohlora.rag import Memory, MessageLog, Reading
from ohlora.rag.forget_wishes import calls_off, wishes_to_forget

HARDLY_ASKS = 0.05  # probability below which a message does not ask for what was told
REPLIES_KEPT = 100  # of hers: what she said lately, be it on another day, she does not say again if she need not
SPOKEN_OF_LATELY = 2  # turns in which something counts as just spoken of
HISTORY_MESSAGES = 6  # messages of both sides that she is given again: as many as the dialogues have


class Conversation:
    """One conversation with one user.

    Args:
        log: keeps what the user writes. user: whose it is. said: her replies in conversations before.

    Attributes:
        history: the messages so far, ``{"role", "content"}``; only answered turns are in it. said: her last
            replies, those of conversations before among them. doubts: whether the last messages were abuse or danger.
            open_question: what the last message asked for, where she did not know it and asked back; else "".
    """

    def __init__(self, log: MessageLog, user: str, said: Sequence[str] = ()) -> None:
        self._log, self._user = log, user
        self._turns: list[str] = []
        self.history: list[dict[str, str]] = []
        self.said: deque[str] = deque(said, maxlen=REPLIES_KEPT)
        self.doubts = Doubts()
        self.open_question = ""
        self._spoken_of: deque[tuple[str, ...]] = deque(maxlen=SPOKEN_OF_LATELY)

    @property
    def spoken_of(self) -> tuple[str, ...]:
        """Turns that were just spoken of: those of the last messages, and of what she told back then."""
        return tuple(turn for turns in self._spoken_of for turn in turns)

    def texts_by_turn(self) -> dict[str, str]:
        """What is kept of the user's messages, by their turns."""
        found: dict[str, str] = {}
        for part in self._log.messages(self._user):
            found[part.source_turn] = f"{found.get(part.source_turn, '')} {part.value}".strip()
        return found

    def with_message(self, message: str) -> list[dict[str, str]]:
        """The messages so far and a new one of the user."""
        return [*self.history, {"role": "user", "content": message}]

    def language_of(self, text: str, otherwise: str) -> str:
        """ko or en; of a text without letters ("👍", "?") that of the talk. otherwise: where nothing was said yet."""
        said = (text, *(one["content"] for one in reversed(self.history)))
        return next(filter(None, map(text_language, said)), otherwise)

    def note(self, message: str, draft: Draft, turn: str) -> None:
        """Keep what the user wrote, or forget what its message asks to forget.

        A log that cannot be written costs a quotation later, not the turn.

        Args:
            turn: names it, see Memory.source_turn.
        """
        self.open_question = draft.not_known
        told_back = draft.memories[0].source_turn if draft.memories and draft.reading.may_ask else None
        self._spoken_of.append((turn, told_back or turn))
        if draft.forgotten:
            self._clear()
        if draft.not_kept:
            return
        if wishes_to_forget(message, draft.reading):
            self._erase(draft, message, self._turns)
        elif draft.forgotten and not calls_off(message):
            self._erase(draft)
        elif draft.otherwise is None and (draft.reading.tells_something or not _asks(draft.reading)):
            try:
                self._log.add(self._user, turn, message)
                self._turns.append(turn)
            except Exception as error:
                draft.notices.append(draft.say("log_failed", error))

    def add(self, message: str, draft: Draft) -> None:
        """A turn is over; where it made her forget something it is not noted: its message names that."""
        if draft.reply and not (draft.forgotten or draft.erased):  # without a reply: stopped before the first sentence
            self.history = [*self.with_message(message), {"role": "assistant", "content": draft.reply}]
            del self.history[:-HISTORY_MESSAGES]
            self.said.append(draft.said)

    def forget(self, memories: Sequence[Memory] = ()) -> None:
        """Know nothing of what was said, since something of it shall be forgotten; doubts of abuse stay.

        Args:
            memories: that are forgotten; older messages about them go, too.
        """
        self._clear()
        self._log.forget(self._user, memories=memories, turns=self._turns)

    def _clear(self) -> None:
        self.history.clear()
        self.said.clear()
        self.open_question = ""
        self._spoken_of.clear()

    def _erase(self, draft: Draft, wish: str = "", turns: Sequence[str] = ()) -> None:
        try:
            draft.erased = self._log.forget(self._user, wish, draft.forgotten, turns)
        except Exception as error:
            draft.notices.append(draft.say("not_erased", error))
            return
        if draft.erased:
            self._clear()
            draft.notices.append(draft.say("messages_forgotten", count=draft.erased))


def _asks(reading: Reading) -> bool:
    """Whether a message rather asks than says something; not all who ask write a question mark."""
    return reading.may_ask or reading.asks >= HARDLY_ASKS or bool(reading.about_her)
