"""What lives only as long as one conversation: what was said, and how sure she was of it. Nothing of it is kept."""

from __future__ import annotations

from ohlora.companion.draft import Draft
from ohlora.companion.safety import Doubts
from ohlora.companion.said_before import SaidBefore
from ohlora.rag import MemoryStore
from ohlora.rag.message_reader import POSSIBLE

HISTORY_MESSAGES = 6  # messages of both sides that she is given again: as many as the dialogues have


class Conversation:
    """One conversation with one user.

    Args:
        memory: its embedder and its relevance find what was said before.

    Attributes:
        history: the messages so far, ``{"role", "content"}``; only answered turns are in it. said: the user's
            sentences, to be quoted. doubts: whether the last messages were abuse or danger.
    """

    def __init__(self, memory: MemoryStore) -> None:
        self.history: list[dict[str, str]] = []
        self.said = SaidBefore(memory)
        self.doubts = Doubts()

    def with_message(self, message: str) -> list[dict[str, str]]:
        """The messages so far and a new one of the user."""
        return [*self.history, {"role": "user", "content": message}]

    def add(self, message: str, draft: Draft, turn: str) -> None:
        """Note a turn that is over, unless it made her forget: its message names what is forgotten.

        Args:
            turn: names it, see Memory.source_turn.
        """
        if draft.forgot:
            return
        if draft.reading.forgets >= POSSIBLE:
            self.said.clear()
        elif not draft.reading.may_ask and draft.otherwise is None:
            self.said.add(turn, message)
        if draft.reply:  # else stopped before the first sentence
            self.history = [*self.with_message(message), {"role": "assistant", "content": draft.reply}]
            del self.history[:-HISTORY_MESSAGES]

    def forget(self) -> None:
        """Know nothing of what was said, since something of it shall be forgotten; doubts of abuse stay."""
        self.history.clear()
        self.said.clear()
