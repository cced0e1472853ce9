"""Chapter 04: the language model that speaks as Oh-LoRA, how it was taught, and how it is served."""

from ohlora.llm.generation import GREEDY, LanguageModel, Sampling, load_llm
from ohlora.llm.model_files import ModelFilesError
from ohlora.llm.prompt import MESSAGE_LIMIT
from ohlora.llm.reply_format import EXPRESSIONS, MemoryOperation, Reply, ReplyFormatError, ReplyProgress

__all__ = [
    "EXPRESSIONS",
    "GREEDY",
    "MESSAGE_LIMIT",
    "LanguageModel",
    "MemoryOperation",
    "ModelFilesError",
    "Reply",
    "ReplyFormatError",
    "ReplyProgress",
    "Sampling",
    "load_llm",
]
