"""One turn with Oh-LoRA, end to end: she may be spoken to → listen → recall → answer → remember → show her face.

Order is safety: the message is moderated *before* the model sees it, the model's words before anyone sees them.
Whatever fails becomes a sentence in ``Turn.notice``; what the user wrote and what is stored stay.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np

from ohlora.companion.answer import model_answer, read_message, similar, without_address
from ohlora.companion.draft import Draft, EndOfTurn
from ohlora.companion.expression import ExpressionTable, load_expressions
from ohlora.companion.face import Face, FacePainter, load_face, save_face
from ohlora.companion.prepared_answer import Sources, prepared_answer
from ohlora.companion.remembering import Remembering
from ohlora.companion.safety import Doubts, may_be_shown, refuse_abuse, refuse_while_paused
from ohlora.companion.said_before import SaidBefore
from ohlora.companion.told_fact import asks_for_days, with_a_day
from ohlora.companion.turn import OnProgress, Turn, finished_sentences
from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.llm import LanguageModel, load_llm
from ohlora.llm.prompt import Example
from ohlora.llm.reply_format import MemoryOperation, ReplyProgress
from ohlora.rag import (
    DialogueExamples,
    GeneralAnswers,
    Memory,
    MemoryStore,
    MessageReader,
    Moderator,
    SanctionLog,
    StudyTerms,
    Wants,
    detect_language,
    load_dialogue_examples,
    load_embedder,
    load_general_answers,
    load_intent_regression,
    load_message_reader,
    load_mirrored_words,
    load_moderator,
    load_study_terms,
    load_wants,
    refusal_notice,
)
from ohlora.rag.database import Clock, wall_clock
from ohlora.rag.message_reader import POSSIBLE
from ohlora.stylegan import PortraitGenerator, load_generator

logger = logging.getLogger(__name__)

MESSAGE_LIMIT = 600  # characters: with persona, memories and history it still fits 1,024 tokens
HISTORY_MESSAGES = 6  # messages of both sides that she is given again: as many as the dialogues have
RECALLED = 3  # memories a turn …
CANDIDATES = 8  # … of so many, where only those that name a day count


class Companion:
    """Oh-LoRA, for one user.

    Args:
        profile: names the models; see config/.
        user: whose memories and sanctions.
        generator, llm, memory, moderator, sanctions, examples, reader, wants, general_answers,
            study_terms: the parts; each defaults to the profile's.
        face: who she is; default: the face that the user gave her (see wear), else data/persona/face.yaml.
        expressions: the table of expressions; default: data/expressions.yaml.
        clock: gives the time with its zone; default: the wall clock.
        state: folder of memory.sqlite, sanctions.sqlite and face.yaml; default: outputs/state.

    Attributes:
        language: ``"ko"`` or ``"en"``, of notices where the message itself does not tell.
        history: the messages so far, ``{"role", "content"}``; only answered turns are in it.

    Raises:
        ValueError, WeightsError, StateError …: a part cannot be loaded; the sentence names it.
    """

    def __init__(
        self,
        profile: Profile | str = "embedded",
        user: str = "me",
        *,
        generator: PortraitGenerator | None = None,
        llm: object | None = None,
        memory: MemoryStore | None = None,
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
        if not isinstance(user, str) or not user.strip():
            raise ValueError(f"user={user!r}; allowed: a name of at least one character")
        self.profile, self.user, self.clock = load_profile(profile), user.strip(), clock
        self.language = language
        state = Path(state) if state is not None else outputs_folder() / "state"
        self.expressions = expressions or load_expressions()
        generator = generator or load_generator(self.profile, conditioned=True)
        self._own_face = state / "face.yaml"
        self.painter = FacePainter(generator, face or self._load_face(generator))
        self.memory = memory or MemoryStore(state / "memory.sqlite", load_embedder(self.profile), clock)
        self.sanctions = sanctions or SanctionLog(state / "sanctions.sqlite", clock)
        self.llm = llm or load_llm(self.profile)
        ours = isinstance(self.llm, LanguageModel)  # any other was not trained to read examples
        self.examples = examples or (load_dialogue_examples(self.profile, self.memory.embedder) if ours else None)
        self.reader = reader or load_message_reader(self.profile.llm.threads)
        shipped = isinstance(self.reader, MessageReader)
        self.moderator = moderator or load_moderator(self.reader if shipped else None)
        self.wants, self.general_answers = wants, general_answers
        if wants is None and self.examples and shipped:
            self.wants = load_wants(self.reader)
        if general_answers is None and self.examples:
            regression = load_intent_regression(self.profile.llm.threads)
            mirrored = load_mirrored_words(self.reader).find if shipped else None
            self.general_answers = load_general_answers(regression.probabilities, mirrored)
        self.study_terms = study_terms or (load_study_terms() if self.examples else None)
        self.history: list[dict[str, str]] = []
        self._remembering = Remembering(self.user)
        self._doubts = Doubts()
        self._said = SaidBefore(self.memory)
        self._present = ("neutral", 0.0)
        self._last_portrait: np.ndarray | None = None
        self._turn_number = 0
        self._busy = threading.Lock()
        self._stop = threading.Event()

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
            self._stop.clear()
            self._turn_number += 1
            draft = Draft(str(text), detect_language(str(text)) if str(text).strip() else self.language, on_progress)
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
        """The same Oh-LoRA for somebody else: models and face are shared, memories and sanctions are not.

        Args:
            user: whose. state: folder of the stores; default: outputs/state. clock: default: this one's.
        """
        state = Path(state) if state is not None else outputs_folder() / "state"
        clock = clock or self.clock
        return Companion(
            self.profile,
            user,
            generator=self.painter.generator,
            face=self.painter.face,
            llm=self.llm,
            examples=self.examples,
            reader=self.reader,
            wants=self.wants,
            general_answers=self.general_answers,
            study_terms=self.study_terms,
            moderator=self.moderator,
            memory=MemoryStore(state / "memory.sqlite", self.memory.embedder, clock, self.memory.relevance),
            expressions=self.expressions,
            clock=clock,
            state=state,
            language=self.language,
        )

    def wear(self, face: Face | np.ndarray | None) -> None:
        """Give her another face, now and the next time that she is opened.

        Args:
            face: a Face, or a latent float32 (z_dim,) such as a recommended portrait's (see Face.from_latent); None:
                her own face again.

        Raises:
            ValueError: a latent of another generator. OSError: it cannot be kept (her face has changed all the same).
        """
        generator = self.painter.generator
        if face is None:
            self.painter = FacePainter(generator, load_face(generator, self.profile))
            self._own_face.unlink(missing_ok=True)
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

    def forget(self, memory_id: int) -> int:
        """Forget one memory for good. Returns how many rows went, older values of the same fact included.

        Raises:
            ValueError: there is no such memory.
        """
        with self._busy:  # not in the middle of a turn's transaction
            self._said.clear()
            return self.memory.delete(self.user, memory_id)

    def _converse(self, draft: Draft, text: object) -> None:
        message = self._read(draft, text)
        now = self._local_time()
        with draft.watch.stage("sanction"):
            refuse_while_paused(draft, self.sanctions, self.user, now)
        with draft.watch.stage("moderate"):
            refuse_abuse(draft, message, self.moderator, self.sanctions, self.user, now, self._doubts)
        with draft.watch.stage("recall"):
            draft.plain = without_address(message)
            draft.reading = read_message(self.reader, self.wants, draft.plain, self.history)
            draft.memories = self._recall(draft, message, now)
            examples = similar(self.examples, draft.plain, self.history, draft.reading.about_her)
        operation = self._speak(draft, message, examples)
        if draft.prepared and draft.reading.tells_something and draft.otherwise is None:
            operation = self._proposal_of_model(draft, message, examples)
        with draft.watch.stage("remember"):
            turn = f"{self.clock():%Y%m%dT%H%M%S}-{self._turn_number}"
            if draft.otherwise is None:
                draft.stored = self._remembering.write(self.memory, draft, operation, turn)
        if draft.outcome == "withheld":  # what the user told her is kept; what she said is not, anywhere
            raise EndOfTurn("withheld", refusal_notice("reply_withheld", draft.language) or "", face=("worried", 0.5))
        if draft.reading.forgets >= POSSIBLE:
            self._said.clear()
        elif not draft.reading.may_ask and draft.otherwise is None:
            self._said.add(turn, message)
        if draft.reply:  # else stopped before the first sentence
            self.history = [*self._messages(message), {"role": "assistant", "content": draft.reply}]
            del self.history[:-HISTORY_MESSAGES]

    def _read(self, draft: Draft, text: object) -> str:
        if not isinstance(text, str) or not text.strip():
            raise EndOfTurn("refused", draft.say("empty"))
        if len(text.strip()) > MESSAGE_LIMIT:
            raise EndOfTurn("refused", draft.say("too_long", length=f"{len(text):,}", limit=MESSAGE_LIMIT))
        return text.strip()

    def _recall(self, draft: Draft, message: str, now: datetime) -> tuple[Memory, ...]:
        days = asks_for_days(message)
        try:
            found = self.memory.search(self.user, message, CANDIDATES, asked=draft.reading.may_ask or days)
        except Exception as error:  # she can answer without them
            draft.notices.append(draft.say("recall_failed", error))
            return ()
        memories = [recalled.memory for recalled in found]
        dated = with_a_day(memories, now) if days else []
        return tuple((dated or memories)[:RECALLED])

    def _speak(self, draft: Draft, message: str, examples: Sequence[Example]) -> MemoryOperation | None:
        """Stream her reply into the draft, releasing only moderated sentences; returns what to remember."""
        operation, approved = None, ""
        try:
            with closing(self._stream(draft, message, examples)) as stream:
                while (progress := self._next(draft, stream)) is not None:
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
                    if self._stop.is_set() and not progress.reply:
                        draft.outcome = "stopped"
                        break
        except EndOfTurn:
            raise
        except Exception as error:
            raise draft.failure("model_failed", error) from error
        if draft.outcome == "withheld" and examples:
            draft.outcome, approved = "answered", examples[0].reply  # somebody wrote it for a message like this
        draft.close(approved.strip(), self._local_time(), examples)
        if draft.outcome == "stopped":
            draft.notices.append(draft.say("stopped"))
        elif not draft.reply and draft.outcome != "withheld":
            raise EndOfTurn("failed", draft.say("no_words"))
        return operation

    def _stream(self, draft: Draft, message: str, examples: Sequence[Example]) -> Iterator[ReplyProgress]:
        written = (self.examples, self.wants, self.general_answers, self.study_terms)
        sources = Sources(self.memory, self._said, *written)
        ready = prepared_answer(sources, draft, self.history, self._local_time())
        draft.prepared = ready is not None
        if ready is None and draft.otherwise is not None:
            raise draft.otherwise
        return self._model_answer(draft, message, examples) if ready is None else ready

    def _model_answer(self, draft: Draft, message: str, examples: Sequence[Example]) -> Iterator[ReplyProgress]:
        lines = [memory.line for memory in draft.memories]
        return model_answer(self.llm, self._messages(message), lines, self._local_time(), examples)

    def _proposal_of_model(self, draft: Draft, message: str, examples: Sequence[Example]) -> MemoryOperation | None:
        """What the model would remember where it did not speak; its words are not used."""
        try:
            with draft.watch.stage("generate"):
                *_, last = self._model_answer(draft, message, examples)
            return last.reply.memory if last.reply else None
        except Exception:
            logger.exception("the model proposed nothing to remember; the reader of messages decides alone")
            return None

    def _messages(self, message: str) -> list[dict[str, str]]:
        return [*self.history, {"role": "user", "content": message}]

    def _next(self, draft: Draft, stream: Iterator[ReplyProgress]) -> ReplyProgress | None:
        with draft.watch.stage("generate"):
            return next(stream, None)

    def _local_time(self) -> datetime:
        return self.clock().astimezone()  # what she speaks of is the user's time

    # --- face ----------------------------------------------------------------------------------------------------

    def _load_face(self, generator: PortraitGenerator) -> Face:
        if self._own_face.is_file():
            try:
                return load_face(generator, self.profile, self._own_face)
            except Exception:  # chosen for other weights, or half written: she still has a face
                logger.exception("%s cannot be used; she keeps her own face", self._own_face)
        return load_face(generator, self.profile)

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
        return Turn(
            message=draft.message,
            reply=draft.said,
            expression=expression,
            portrait=self._last_portrait,
            recalled=tuple(memory.line for memory in draft.memories),
            stored=draft.stored,
            notice="\n".join(draft.notices) or None,
            timings=dict(draft.watch.seconds),
            intensity=intensity,
            properties=properties,
            outcome=draft.outcome,
        )

    def _refused(self, message: str, phrase: str) -> Turn:
        draft = Draft(message, self.language)
        expression, intensity = self._present
        return Turn(
            message, "", expression, self._last_portrait, (), (), draft.say(phrase), {}, intensity, {}, "refused"
        )
