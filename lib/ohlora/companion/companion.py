"""One turn with Oh-LoRA, end to end: she may be spoken to → listen → recall → answer → remember → show her face.

Order is safety: the message is moderated *before* the model sees it, the model's words before anyone sees them.
Whatever fails becomes a sentence in ``Turn.notice``; what the user wrote and what is stored stay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path

import numpy as np

from ohlora.companion.answer import note_reading, similar, without_address
from ohlora.companion.answer_parts import AnswerParts
from ohlora.companion.conversation import Conversation
from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.expression import ExpressionTable, load_expressions
from ohlora.companion.face import Face, FacePainter, load_face, load_kept_face, remove_face, save_face
from ohlora.companion.prepared_answer import Sources
from ohlora.companion.recalling import recall
from ohlora.companion.remembering import Remembering
from ohlora.companion.safety import refuse_abuse, refuse_while_paused
from ohlora.companion.speaking import Speaking
from ohlora.companion.turn import BusyError, OnProgress, Turn
from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.llm.language import LANGUAGES
from ohlora.rag import (
    DialogueExamples,
    GeneralAnswers,
    Memory,
    MemoryStore,
    MessageLog,
    MessageReader,
    Moderator,
    SanctionLog,
    StudyTerms,
    Wants,
    load_embedder,
    refusal_notice,
)
from ohlora.rag.database import Clock, wall_clock
from ohlora.rag.forget_wishes import wishes_to_forget
from ohlora.stylegan import PortraitGenerator, load_generator

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 600  # characters: with persona, memories and history it still fits 1,024 tokens
CLOSING_SECONDS = 10  # in which a turn ends that was stopped


class Companion:
    """Oh-LoRA, for one user. ``with Companion() as companion:`` closes her at the end; see close.

    Args:
        profile: names the models; see config/.
        user: whose memories, messages and sanctions.
        generator, llm, memory, messages, moderator, sanctions, examples, reader, wants, general_answers,
            study_terms: the parts; each defaults to the profile's.
        face: who she is; default: the face that the user gave her (see wear), else data/persona/face.yaml.
        expressions: the table of expressions; default: data/expressions.yaml.
        clock: gives the time with its zone; default: the wall clock.
        state: folder of memory.sqlite, messages.sqlite, sanctions.sqlite and face.yaml; default: outputs/state.
        language: ``"ko"`` or ``"en"``, of notices where the message itself does not tell.

    Raises:
        ValueError: no user, or another language. WeightsError, StateError …: a part cannot be loaded.
    """

    def __init__(
        self,
        profile: Profile | str = "embedded",
        user: str = "me",
        *,
        generator: PortraitGenerator | None = None,
        llm: object | None = None,
        memory: MemoryStore | None = None,
        messages: MessageLog | None = None,
        moderator: Moderator | None = None,
        sanctions: SanctionLog | None = None,
        examples: DialogueExamples | None = None,
        reader: MessageReader | None = None,
        wants: Wants | None = None,
        general_answers: GeneralAnswers | None = None,
        study_terms: StudyTerms | None = None,
        face: Face | None = None,
        expressions: ExpressionTable | None = None,
        clock: Clock = wall_clock,
        state: Path | None = None,
        language: str = "ko",
    ) -> None:
        self.profile, self.user, self.clock = load_profile(profile), _user_name(user), clock
        self.language = language
        state = Path(state) if state is not None else outputs_folder() / "state"
        self.expressions = expressions or load_expressions()
        generator = generator or load_generator(self.profile, conditioned=True)
        self._own_face = state / "face.yaml"
        face = face or load_kept_face(generator, self._own_face, self.profile) or load_face(generator, self.profile)
        self.painter = FacePainter(generator, face)
        self._started_llm = llm is None
        with ExitStack() as opened:  # when a part cannot be loaded, what is open already is closed
            self.memory = memory or opened.enter_context(
                MemoryStore(state / "memory.sqlite", load_embedder(self.profile), clock)
            )
            self.messages = messages or opened.enter_context(
                MessageLog(state / "messages.sqlite", self.memory.embedder, self.memory.relevance, clock)
            )
            self.sanctions = sanctions or opened.enter_context(SanctionLog(state / "sanctions.sqlite", clock))
            given = AnswerParts(llm, moderator, examples, reader, wants, general_answers, study_terms)
            parts = given.load(self.profile, self.memory.embedder)
            self._opened = opened.pop_all()
        self.llm, self.moderator, self.reader, self.wants = parts.llm, parts.moderator, parts.reader, parts.wants
        self.examples, self.study_terms, self.general_answers = parts.examples, parts.study_terms, parts.general_answers
        self._conversation = Conversation(self.messages, self.user)
        self._remembering = Remembering(self.user)
        self._present = ("neutral", 0.0)
        self._last_portrait: np.ndarray | None = None
        self._turn_number = 0
        self._busy = threading.Lock()
        self._stop = threading.Event()
        self._closed = False

    @property
    def language(self) -> str:
        """``"ko"`` or ``"en"``, of notices where the message itself does not tell."""
        return self._language

    @language.setter
    def language(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"language={language!r} is unknown; allowed: {', '.join(LANGUAGES)}")
        self._language = language

    @property
    def history(self) -> list[dict[str, str]]:
        """The messages so far, ``{"role", "content"}``; only answered turns are in it."""
        return self._conversation.history

    # --- one turn ------------------------------------------------------------------------------------------------

    def turn(self, text: str, on_progress: OnProgress | None = None) -> Turn:
        """Answer one message. Never raises for what a user or a part does wrong: see Turn.notice.

        Args:
            text: 1 … 600 characters.
            on_progress: called on this thread with her expression and then with text as it becomes
                showable: a sentence at a time, each moderated before.
        """
        if not self._busy.acquire(blocking=False):
            return self._refused(str(text), "busy")
        try:
            if self._closed:
                return self._refused(str(text), "closed")
            self._stop.clear()
            self._turn_number += 1
            language = self._conversation.language_of(str(text), self.language)
            draft = Draft(str(text), language, on_progress, said_before=tuple(self._conversation.said))
            try:
                self._converse(draft, text)
            except EndOfTurn as end:
                draft.end(end)
            except Exception as error:  # nothing that happens in a turn may end the conversation
                draft.end(draft.failure("model_failed", error))
            return self._finish(draft)
        finally:
            self._busy.release()

    def for_user(self, user: str, state: Path | None = None, clock: Clock | None = None) -> Companion:
        """The same Oh-LoRA for somebody else: models and face are shared, stores are not.

        Args:
            user: whose. state: folder of the stores, and of another face if one is kept there; default: outputs/state.
            clock: default: this one's.
        """
        user, clock = _user_name(user), clock or self.clock
        state = Path(state) if state is not None else outputs_folder() / "state"
        generator, face = self.painter.generator, self.painter.face
        if state / "face.yaml" != self._own_face:
            face = load_kept_face(generator, state / "face.yaml", self.profile) or face
        memory = MemoryStore(state / "memory.sqlite", self.memory.embedder, clock, self.memory.relevance)
        companion = Companion(
            self.profile,
            user,
            generator=generator,
            face=face,
            llm=self.llm,
            examples=self.examples,
            reader=self.reader,
            wants=self.wants,
            general_answers=self.general_answers,
            study_terms=self.study_terms,
            moderator=self.moderator,
            memory=memory,
            expressions=self.expressions,
            clock=clock,
            state=state,
            language=self.language,
        )
        companion._opened.push(memory)
        return companion

    def wear(self, face: Face | np.ndarray | None) -> None:
        """Give her another face, now and the next time that she is opened.

        Args:
            face: a Face, or a latent float32 (z_dim,) such as a recommended portrait's (see Face.from_latent); None:
                her own face again.

        Raises:
            ValueError: a latent of another generator. OSError, ValueError: it cannot be kept (her face has changed all
                the same).
        """
        generator = self.painter.generator
        if face is None:
            self.painter = FacePainter(generator, load_face(generator, self.profile))
            remove_face(self._own_face, self.profile)
            return
        if not isinstance(face, Face):
            face = Face.from_latent(generator, face, self.painter.face.properties)
        self.painter = FacePainter(generator, face)
        save_face(face, self._own_face, self.profile)

    def stop(self) -> None:
        """End the reply that is being generated; what was shown of it stays."""
        self._stop.set()

    def memories(self) -> list[Memory]:
        """What she knows about the user now, oldest first."""
        return self.memory.memories(self.user)

    def message_count(self) -> int:
        """How many messages of the user are kept, to be quoted when something told is asked for."""
        return self.messages.count(self.user)

    def past_plans(self) -> list[Memory]:
        """Plans of the user that are over: never recalled, erased some days later, and forget works on them."""
        return self.memory.expired(self.user)

    def forget(self, memory_id: int) -> int:
        """Forget one memory for good. Returns how many rows went, older values of the same fact included.

        The conversation is forgotten with it, older messages that hold its value, and what waits to be stored: it may
        have been said there.

        Raises:
            ValueError: there is no such memory. BusyError: she is answering; the sentence says so to the user.
        """
        with self._between_turns():
            gone = [one for one in self.memory.history(self.user) if one.id == memory_id]
            gone += [older for one in gone for older in self.memory.replaced_by(one)]
            count = self.memory.delete(self.user, memory_id)
            self._forget_talk(gone)
        return count

    def forget_messages(self) -> int:
        """Forget what the user wrote; what she knows of it stays. Returns how many messages went.

        Raises:
            BusyError: she is answering.
        """
        with self._between_turns():
            count = self.messages.count(self.user)
            self._forget_talk()
            self.messages.forget_user(self.user)
        return count

    def forget_everything(self) -> int:
        """Forget all memories and messages, as forget does; sanctions stay. Returns how many memories went.

        Raises:
            BusyError: she is answering.
        """
        with self._between_turns():
            count = self.memory.forget_user(self.user)
            self._forget_talk()
            self.messages.forget_user(self.user)
        return count

    def new_conversation(self) -> None:
        """Begin anew, as on another day: of the user only what is stored is known, and her face is at rest.

        What could not be stored yet still waits for the next turn.

        Raises:
            BusyError: she is answering.
        """
        with self._between_turns():
            self._conversation = Conversation(self.messages, self.user, self._conversation.said)
            self._present = ("neutral", 0.0)

    def close(self) -> None:
        """Stop the running turn and close what this companion opened. Safe to call twice; no turn is answered after it.

        Stores that were given to her stay open. The language model that she loaded ends with its server unless
        somebody else still holds it, such as a companion of for_user.
        """
        self.stop()
        if not self._busy.acquire(timeout=CLOSING_SECONDS):
            logger.warning("a turn does not end; what it uses stays open")
            return
        try:
            self._closed = True
            self._opened.close()
            if self._started_llm:
                self.llm = None
        finally:
            self._busy.release()

    def __enter__(self) -> Companion:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _between_turns(self) -> Iterator[None]:
        """Keeps turns out, and does not wait for one: whoever asks may be the thread that has to stop it."""
        if not self._busy.acquire(blocking=False):
            raise BusyError(Draft("", self.language).say("not_now"))
        try:
            yield
        finally:
            self._busy.release()

    def _forget_talk(self, memories: Sequence[Memory] = ()) -> None:
        self._conversation.forget(memories)
        self._remembering.forget()

    def _converse(self, draft: Draft, text: object) -> None:
        message = self._read(draft, text)
        now = self._local_time()
        with draft.watch.stage("sanction"):
            refuse_while_paused(draft, self.sanctions, self.user, now)
        with draft.watch.stage("moderate"):
            refuse_abuse(draft, message, self.moderator, self.sanctions, self.user, now, self._conversation.doubts)
        with draft.watch.stage("recall"):
            draft.plain = without_address(message)
            note_reading(self.reader, self.wants, draft, self._conversation)
            recall(self.memory, self.messages, self.user, draft, now)
            examples = similar(self.examples, draft.plain, self.history, draft.reading.about_her)
        written = (self.examples, self.wants, self.general_answers, self.study_terms)
        sources = Sources(self.memory, *written)
        speaking = Speaking(
            self.llm, sources, self.moderator, self.expressions, self._conversation, now, examples, self._stop
        )
        operation = speaking.speak(draft, message)
        if draft.prepared and draft.reading.tells_something and draft.otherwise is None:
            operation = speaking.proposal_of_model(draft, message)
        with draft.watch.stage("remember"):
            turn = f"{self.clock():%Y%m%dT%H%M%S}-{self._turn_number}"
            if draft.otherwise is None or wishes_to_forget(message, draft.reading):
                draft.stored = self._remembering.write(self.memory, draft, operation, turn, self._conversation)
            self._conversation.note(message, draft, turn)
        if draft.outcome == "withheld":  # what the user told her is kept; what she said is not, anywhere
            raise EndOfTurn("withheld", refusal_notice("reply_withheld", draft.language) or "", face=("worried", 0.5))
        self._conversation.add(message, draft)

    def _read(self, draft: Draft, text: object) -> str:
        if not isinstance(text, str) or not text.strip():
            raise EndOfTurn("refused", draft.say("empty"))
        if len(text.strip()) > MESSAGE_LIMIT:
            raise EndOfTurn("refused", draft.say("too_long", length=f"{len(text):,}", limit=MESSAGE_LIMIT))
        return text.strip()

    def _local_time(self) -> datetime:
        return self.clock().astimezone()  # what she speaks of is the user's time

    # --- face ----------------------------------------------------------------------------------------------------

    def _finish(self, draft: Draft) -> Turn:
        """Paint the face that belongs to the turn's end and gather everything."""
        expression, intensity = draft.expression or self._present
        properties: dict[str, float] = {}
        with draft.watch.stage("portrait"):
            try:
                offsets = self.expressions.offsets(expression, intensity)
                self._last_portrait = self.painter.portrait(offsets)
                properties = self.painter.properties(offsets)
                self._present = (expression, intensity)
            except Exception as error:  # the words are there; her last picture stays
                draft.notices.append(draft.say("portrait_failed", error))
        draft.watch.mark("total")
        return draft.turn(self._last_portrait, expression, intensity, properties)

    def _refused(self, message: str, phrase: str) -> Turn:
        draft = Draft(message, self.language, outcome="refused")
        draft.notices.append(draft.say(phrase))
        return draft.turn(self._last_portrait, *self._present, {})


def _user_name(user: object) -> str:
    if not isinstance(user, str) or not user.strip():
        raise ValueError(f"user={user!r}; allowed: a name of at least one character")
    return user.strip()
