"""What a turn gives to remember: read from the message, proposed by the model, checked, and written at once."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import get_args

from ohlora.companion.conversation import Conversation
from ohlora.companion.draft import Draft
from ohlora.companion.speech_level import SPEECH_KEY, SpeechLevel
from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import UNKNOWN_READING, Memory, MemoryStore, proposed_operations, remember_all
from ohlora.rag.extraction import WHICH
from ohlora.rag.forget_wishes import asks_to_keep, means_all_memories, wishes_to_forget
from ohlora.rag.moved_plan import may_move, moved_plan

logger = logging.getLogger(__name__)

_NAMED_BY_THE_MESSAGE = "?"  # key of a wish to forget where neither network found one: the message brings it to mind
_NOT_KEPT = ("secret", "instruction", WHICH)  # reasons why the message itself is not kept, and nothing erased for it


class Remembering:
    """Writes the memories of one user; what could not be written waits for the next turn."""

    def __init__(self, user: str) -> None:
        self._user = user
        self._waiting: list[
            tuple[str, tuple[MemoryOperation, ...], str, bool, bool, tuple[Memory, str] | None]
        ] = []  # for remember_all

    def write(
        self,
        store: MemoryStore,
        draft: Draft,
        operation: MemoryOperation | None,
        turn: str,
        conversation: Conversation,
    ) -> tuple[str, ...]:
        """Check and write this turn's memories, and those that could not be written before, in one transaction.

        Args:
            operation: what the language model proposes beside the reading of the message. turn: names the turn.
            conversation: before the message; it tells what was just spoken of.

        Returns:
            The lines that are stored now. What the user shall know of it is in the draft's notices.
        """
        message = draft.message.strip()
        if wishes_to_forget(message, draft.reading) and means_all_memories(message):
            return self._forget_all(store, draft)
        proposed = proposed_operations(draft.reading, operation)
        if asks_to_keep(message):
            proposed = tuple(one for one in proposed if one.kind != "forget")
        if wishes_to_forget(message, draft.reading) and all(one.kind != "forget" for one in proposed):
            proposed = (MemoryOperation("forget", _NAMED_BY_THE_MESSAGE),)
        rules = draft.reading == UNKNOWN_READING or draft.reading.tells_something
        moved = self._moved(store, draft, conversation)
        waiting = [*self._waiting, (message, proposed, turn, draft.reading.surely_tells, rules, moved)]
        outcomes, own = [], []  # own: of this message, the last one
        try:
            with store.turn():
                for one in waiting:
                    own = []
                    with suppress(ValueError):  # what the model wrote is no fact; another try would not help
                        own = remember_all(store, self._user, *one)
                    outcomes += own
                spoken = self._note_speech(store, draft.wished_speech, turn)
        except Exception as error:
            self._waiting = waiting
            draft.notices.append(draft.say("store_failed", error))
            return ()
        self._waiting = []
        gone = [one for one in outcomes if one.action == "forget"]
        draft.forgotten = tuple(memory for one in gone for memory in (one.memory, *one.older))
        draft.notices += [draft.say("forgotten", line=one.memory.line) for one in gone]
        draft.not_kept = any(one.reason in _NOT_KEPT for one in own)
        draft.notices += [one.notice for one in outcomes if one.notice]
        return (*spoken, *(one.memory.line for one in outcomes if one.action in ("add", "update")))

    def _moved(self, store: MemoryStore, draft: Draft, conversation: Conversation) -> tuple[Memory, str] | None:
        """The plan that the message moves, see ohlora.rag.moved_plan; None also where that cannot be known."""
        message = draft.message.strip()
        if not may_move(message) or wishes_to_forget(message, draft.reading):
            return None
        try:
            known, texts = store.memories(self._user), conversation.texts_by_turn()
            turns = {one.id: [one.source_turn, *(old.source_turn for old in store.replaced_by(one))] for one in known}
            written = {number: " ".join(texts.get(turn or "", "") for turn in told) for number, told in turns.items()}
            return moved_plan(draft.reading, message, known, written, conversation.spoken_of)
        except Exception:
            logger.exception("whether a plan is moved is not known; what was read counts")
            return None

    def _note_speech(self, store: MemoryStore, level: SpeechLevel | None, turn: str) -> tuple[str, ...]:
        """Keep how the user wishes to be spoken to, if anyhow; returns the line, if it is a new one."""
        known = [one for one in store.find_key(self._user, SPEECH_KEY) if one.value in get_args(SpeechLevel)]
        if level is None or (known and known[-1].value == level):
            return ()
        told = {"source_turn": turn, "language": "ko"}
        if known:
            return (store.update(self._user, known[-1].id, level, **told).line,)
        return (store.add(self._user, SPEECH_KEY, level, **told).line,)

    def _forget_all(self, store: MemoryStore, draft: Draft) -> tuple[str, ...]:
        """Forget every memory of the user, plans that are over and what waits included."""
        known = (*store.memories(self._user), *store.expired(self._user))
        try:
            store.forget_user(self._user)
        except Exception as error:
            draft.notices.append(draft.say("not_forgotten", error))
            return ()
        self.forget()
        draft.forgotten = known
        if known:
            draft.notices.append(draft.say("all_forgotten", count=len(known)))
        return ()

    def forget(self) -> None:
        """Drop what waits to be written: it may be what the user wants to be forgotten."""
        self._waiting = []
