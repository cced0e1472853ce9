"""Her words of one turn: where they come from, and that only what was judged is shown, a sentence at a time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime

from ohlora.companion.answer import model_answer
from ohlora.companion.conversation import Conversation
from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.expression import ExpressionTable
from ohlora.companion.prepared_answer import Sources, prepared_answer
from ohlora.companion.safety import may_be_shown
from ohlora.companion.turn import finished_sentences
from ohlora.llm.prompt import Example
from ohlora.llm.reply_format import MemoryOperation, ReplyProgress
from ohlora.rag import Moderator

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Speaking:
    """What she needs to answer one message.

    sources: of what she can say without the language model. conversation: before the message. now: in the user's time
    zone. examples: written dialogues about similar messages. stop: set when the user wants the reply to end.
    """

    llm: object
    sources: Sources
    moderator: Moderator
    expressions: ExpressionTable
    conversation: Conversation
    now: datetime
    examples: Sequence[Example]
    stop: threading.Event

    def speak(self, draft: Draft, message: str) -> MemoryOperation | None:
        """Stream her reply into the draft, releasing only moderated sentences; returns what to remember.

        Raises:
            EndOfTurn: nobody may or can answer, or a part failed.
        """
        operation, approved = None, ""
        try:
            with closing(self._stream(draft, message)) as stream:
                while (progress := _next(draft, stream)) is not None:
                    if progress.expression:
                        name = self.expressions.match(progress.expression)
                        draft.expression = (name, float(progress.intensity or 0.5))
                    ready = progress.text if progress.reply else finished_sentences(progress.text)
                    if len(ready) > len(approved) and draft.outcome != "withheld":
                        if (draft.prepared and not draft.quotes) or may_be_shown(draft, ready, self.moderator):
                            approved = ready
                            draft.watch.mark("first_words")
                        else:
                            draft.outcome = "withheld"
                    if draft.outcome != "withheld":
                        draft.report(approved)
                    operation = progress.reply.memory if progress.reply else None
                    if self.stop.is_set() and not progress.reply:
                        draft.outcome = "stopped"
                        break
        except EndOfTurn:
            raise
        except Exception as error:
            raise draft.failure("model_failed", error) from error
        if draft.outcome == "withheld" and self.examples:
            draft.outcome, approved = "answered", self.examples[0].reply  # somebody wrote it for a message like this
        draft.close(approved.strip(), self.now, self.examples)
        if draft.outcome == "stopped":
            draft.notices.append(draft.say("stopped"))
        elif not draft.reply and draft.outcome != "withheld":
            raise EndOfTurn("failed", draft.say("no_words"))
        return operation

    def proposal_of_model(self, draft: Draft, message: str) -> MemoryOperation | None:
        """What the model would remember where it did not speak; its words are not used. None when it is stopped."""
        last = None
        try:
            with closing(self._model_answer(draft, message)) as stream:
                while not self.stop.is_set() and (progress := _next(draft, stream)) is not None:
                    last = progress
            return last.reply.memory if last is not None and last.reply else None
        except Exception:
            logger.exception("the model proposed nothing to remember; the reader of messages decides alone")
            return None

    def _stream(self, draft: Draft, message: str) -> Iterator[ReplyProgress]:
        ready = prepared_answer(self.sources, draft, self.conversation.history, self.now)
        draft.prepared = ready is not None
        if ready is None and draft.otherwise is not None:
            raise draft.otherwise
        return self._model_answer(draft, message) if ready is None else ready

    def _model_answer(self, draft: Draft, message: str) -> Iterator[ReplyProgress]:
        lines = [memory.line for memory in draft.memories]
        return model_answer(self.llm, self.conversation.with_message(message), lines, self.now, self.examples)


def _next(draft: Draft, stream: Iterator[ReplyProgress]) -> ReplyProgress | None:
    with draft.watch.stage("generate"):
        return next(stream, None)
