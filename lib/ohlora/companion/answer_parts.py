"""What her answers are made of: models, examples and written answers, each the caller's or the profile's."""

from __future__ import annotations

from dataclasses import dataclass

from ohlora.config import Profile
from ohlora.llm import LanguageModel, load_llm
from ohlora.rag import (
    DialogueExamples,
    GeneralAnswers,
    MessageReader,
    Moderator,
    StudyTerms,
    Wants,
    load_dialogue_examples,
    load_fact_reader,
    load_general_answers,
    load_intent_regression,
    load_message_reader,
    load_mirrored_words,
    load_moderator,
    load_study_terms,
    load_wants,
)
from ohlora.rag.embeddings import Embedder


@dataclass
class AnswerParts:
    """The parts; None where one is not given, until load."""

    llm: object | None = None
    moderator: Moderator | None = None
    examples: DialogueExamples | None = None
    reader: MessageReader | None = None
    wants: Wants | None = None
    general_answers: GeneralAnswers | None = None
    study_terms: StudyTerms | None = None

    def load(self, profile: Profile, embedder: Embedder) -> AnswerParts:
        """Load what is not given, where the profile and the other parts allow it. embedder: of the examples."""
        self.llm = self.llm or load_llm(profile)
        ours = isinstance(self.llm, LanguageModel)  # any other was not trained to read examples
        self.examples = self.examples or (load_dialogue_examples(profile, embedder) if ours else None)
        if self.reader is None:
            facts = load_fact_reader(profile.llm.threads)  # here, so that no first message waits, or fails, for it
            self.reader = load_message_reader(profile.llm.threads, fact_reader=facts)
        shipped = isinstance(self.reader, MessageReader)
        self.moderator = self.moderator or load_moderator(self.reader if shipped else None)
        if self.wants is None and self.examples and shipped:
            self.wants = load_wants(self.reader)
        if self.general_answers is None and self.examples:
            regression = load_intent_regression(profile.llm.threads)
            mirrored = load_mirrored_words(self.reader).find if shipped else None
            self.general_answers = load_general_answers(regression.probabilities, mirrored)
        self.study_terms = self.study_terms or (load_study_terms() if self.examples else None)
        return self
