"""Memory and limits: what she remembers about a user, and what she does not put up with."""

from ohlora.rag.answer_ranking import load_general_answers
from ohlora.rag.database import StateError
from ohlora.rag.dialogue_examples import DialogueExamples, load_dialogue_examples
from ohlora.rag.embeddings import Embedder, EmbeddingsError, load_embedder
from ohlora.rag.extraction import Remembered, remember, remember_all
from ohlora.rag.fact_reader import load_fact_reader
from ohlora.rag.intent_regression import load_intent_regression
from ohlora.rag.intents import GeneralAnswers
from ohlora.rag.labelled_rows import LABELS
from ohlora.rag.memory import OWN_WORDS, Memory, Recalled
from ohlora.rag.memory_store import MemoryStore
from ohlora.rag.message_log import MessageLog
from ohlora.rag.message_reader import UNKNOWN_READING, MessageReader, Reading, load_message_reader
from ohlora.rag.mirrored_words import load_mirrored_words
from ohlora.rag.moderation import Moderator, Verdict, load_moderator
from ohlora.rag.normalisation import detect_language, normalise
from ohlora.rag.notices import (
    active_notice,
    asking_notice,
    care_notice,
    gentle_notice,
    refusal_notice,
    sanction_notice,
)
from ohlora.rag.proposals import proposed_operations
from ohlora.rag.sanctions import Sanction, SanctionLog
from ohlora.rag.study_terms import StudyTerms, load_study_terms
from ohlora.rag.wants import Wants, load_wants

__all__ = [
    "LABELS",
    "OWN_WORDS",
    "UNKNOWN_READING",
    "DialogueExamples",
    "Embedder",
    "EmbeddingsError",
    "GeneralAnswers",
    "Memory",
    "MemoryStore",
    "MessageLog",
    "MessageReader",
    "Moderator",
    "Reading",
    "Recalled",
    "Remembered",
    "Sanction",
    "SanctionLog",
    "StateError",
    "StudyTerms",
    "Verdict",
    "Wants",
    "active_notice",
    "asking_notice",
    "care_notice",
    "detect_language",
    "gentle_notice",
    "load_dialogue_examples",
    "load_embedder",
    "load_fact_reader",
    "load_general_answers",
    "load_intent_regression",
    "load_message_reader",
    "load_mirrored_words",
    "load_moderator",
    "load_study_terms",
    "load_wants",
    "normalise",
    "proposed_operations",
    "refusal_notice",
    "remember",
    "remember_all",
    "sanction_notice",
]
