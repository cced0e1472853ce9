"""Small parts that behave like the real ones, for the unit tests of the companion."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import torch

from ohlora.companion import Companion, Face
from ohlora.images import to_pictures
from ohlora.llm.reply_format import ReplyProgress, stream_reply
from ohlora.portraits import VECTOR_SIZE
from ohlora.rag import UNKNOWN_READING, MemoryStore, Reading, SanctionLog, Verdict
from ohlora.rag.relevance import CosineRelevance

PROPERTIES = ("eyes", "hair_color", "hair_length", "mouth", "pose", "background_mean", "background_std")
NOW = datetime(2026, 3, 2, 12, 10, tzinfo=UTC)


class PaintBox:
    """A generator whose pixels are a smooth function of the properties."""

    z_dim, size, properties = 8, 24, PROPERTIES

    w_mean = torch.zeros(8)

    def __init__(self) -> None:
        self.painted = 0
        self.mapping = self

    def natural_properties(self, z: torch.Tensor) -> torch.Tensor:
        return z[:, :7] / 10

    def sample_z(self, n: int, seed: int) -> torch.Tensor:
        return torch.randn(n, self.z_dim, generator=torch.Generator().manual_seed(seed))

    def z_to_u(self, z: torch.Tensor) -> torch.Tensor:
        return torch.full((len(z), VECTOR_SIZE), -1.0)

    def generate(
        self, z: torch.Tensor, properties: torch.Tensor | None = None, truncation: float = 1.0
    ) -> torch.Tensor:
        self.painted += len(z)
        rows = torch.linspace(-1, 1, self.size).view(1, 1, -1, 1).expand(len(z), 3, -1, self.size)
        eyes, mouth, pose = (
            properties[:, PROPERTIES.index(name)].view(-1, 1, 1, 1) for name in ("eyes", "mouth", "pose")
        )
        return torch.tanh(0.2 * eyes * rows + 0.1 * mouth + 0.1 * pose * rows.transpose(2, 3))

    def pictures(self, z: torch.Tensor, properties: torch.Tensor | None = None, size: int | None = None) -> np.ndarray:
        return to_pictures(self.generate(z, properties))


class ScriptedModel:
    """Says what it was told to, in the real reply format, in pieces of four letters; remembers what it was asked."""

    def __init__(self, *replies: str | Exception) -> None:
        self.replies = list(replies)
        self.asked: list[dict] = []
        self.before_piece: Callable[[], None] = lambda: None

    def reply(self, messages, memories=(), now=None, stream=False) -> Iterator[ReplyProgress]:
        self.asked.append({"messages": [dict(message) for message in messages], "memories": list(memories), "now": now})
        answer = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(answer, Exception):
            raise answer
        return stream_reply(self._pieces(answer))

    def _pieces(self, answer: str) -> Iterator[str]:
        for start in range(0, len(answer), 4):
            self.before_piece()
            yield answer[start : start + 4]


class LetterEmbedder:
    """Texts that share pairs of letters point the same way."""

    model, dimension = "letters", 64

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for row, text in enumerate(texts):
            for pair in zip(text.lower(), text.lower()[1:], strict=False):
                vectors[row, hashlib.sha256("".join(pair).encode()).digest()[0] % self.dimension] += 1
        return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)

    embed_passages = embed_queries


class WordModerator:
    """Stops texts with the word ``insult``, is not sure of ``insolent`` and ``gloomy``; notes what it was shown."""

    def __init__(self) -> None:
        self.checked: list[str] = []

    def check(self, text: str, examples: int = 3, strict: bool = False) -> Verdict:
        self.checked.append(text)
        for word, label in (("insult", "hate"), ("despair", "self_harm")):
            if word in text:
                return Verdict(label, 1.0, f"lexicon: {word}")
        for word, label in (("insolent", "hate"), ("gloomy", "self_harm")):
            if word in text:
                return Verdict(label, 0.8, "classifier", sure=False)
        return Verdict("normal", 1.0, "classifier")


class NoReader:
    """Reads nothing in messages: the model alone decides."""

    def read(self, message: str, before: str = "") -> Reading:
        return UNKNOWN_READING


def make_face(generator: PaintBox) -> Face:
    """Any face that fits the generator."""
    return Face(latent=generator.sample_z(1, 0)[0].numpy(), properties=dict.fromkeys(PROPERTIES, 0.0))


def make_companion(tmp_path, *replies: str | Exception, **parts) -> Companion:
    """A companion of small parts; the stores are the real ones, in ``tmp_path``."""
    generator = parts.pop("generator", None) or PaintBox()
    clock = parts.pop("clock", lambda: NOW)
    defaults = {
        "face": make_face(generator),
        "llm": ScriptedModel(*(replies or ("happy 0.8\nGood to see you. How are you?\nmemory: none",))),
        "memory": MemoryStore(tmp_path / "memory.sqlite", LetterEmbedder(), clock, CosineRelevance(0.3)),
        "moderator": WordModerator(),
        "reader": NoReader(),
        "sanctions": SanctionLog(tmp_path / "sanctions.sqlite", clock),
        "state": tmp_path,
    }
    return Companion(
        user="tester",
        generator=generator,
        clock=clock,
        language="en",
        **{**defaults, **parts},
    )
