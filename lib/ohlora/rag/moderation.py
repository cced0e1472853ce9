"""May she hear this, may she say this? Normalise → word list → meaning and spelling → nearest labelled rows say why."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import log_softmax, softmax

from ohlora.rag.labelled_rows import LABELS, LabelledRow, load_rows
from ohlora.rag.letter_groups import count_letter_groups
from ohlora.rag.lexicon import Lexicon, shipped_lexicon
from ohlora.rag.message_reader import MessageReader, load_for_reader, load_message_reader
from ohlora.rag.normalisation import check_length, normalise, strip_invisible
from ohlora.rag.second_opinion import SecondOpinion

if TYPE_CHECKING:
    from scipy import sparse

WEIGHTS = "moderation"
LETTER_GROUPS = 2**15
SUSPECT = 0.2
"""Probability of anything but normal from which a second opinion counts; below it none changes the verdict."""
_SENTENCE_ENDS = re.compile(r"(?<=[.!?…])\s+|\n+")
_LONGEST_PIECE = 200  # characters: the rows that the head learned from are short
_MOST_PIECES = 24
SURE_OF_ABUSE, SURE_OF_DANGER = 0.85, 0.6
"""Probabilities of abuse and of self-harm from which it is sure that they are meant.

Set by hand on 1,600 messages of data/answers (everyday_messages, test), by people with nothing of the kind in mind: the
thresholds of the classifier find .9 % abuse and .9 % danger in them, these .1 % and at most .3 %.
"""
HARDLY_SUSPECTED, ONE_SENTENCE, CLEARLY_FINE = 0.35, 0.46, 0.9
"""Probabilities of self-harm below which the whole of several sentences is harmless where none of them is suspected,
and below which one of them is, where the whole is normal with the third (not asked of "죽겠다" alone). By hand."""
_IDIOM = re.compile(
    r"(?:(?:아|진짜|아주|정말|바빠|힘들어|배고파|피곤해|더워|추워)\s?)*죽겠(?:다|네|어|음|어요|네요|습니다)?\W*[ㅋㅎㅠㅜ]*\W*"
)  # "so busy"
_NEVER_LET_OFF = {"sexual", "threat"}  # with a curse too; self-harm is found before the word list decides
SURELY_NORMAL = 0.7
"""Probability of normal from which a text passes without the curses cried out in it, over things.

On 200 rows (families curses_things and curses_at_her): .89 of the former pass and .06 of the latter.
"""


@dataclass(frozen=True)
class LabelledExample:
    """A labelled row that is close to what was judged. similarity: cosine in the moderation head."""

    text: str
    label: str
    similarity: float


@dataclass(frozen=True)
class Verdict:
    """What a text was judged to be.

    label: one of LABELS. probability: 1.0 where the word list decided; of normal; or of all classes but normal
    together where the classifier found one of them. rule: ``"lexicon: <term>"``, ``"example"`` (the same words as
    a labelled row) or ``"classifier"``. examples: nearest labelled rows, nearest first: the reason why. sure: False
    where it may be meant otherwise, so that nobody is punished for it at once.
    """

    label: str
    probability: float
    rule: str
    examples: tuple[LabelledExample, ...] = ()
    sure: bool = True

    @property
    def allowed(self) -> bool:
        """True if the text may pass."""
        return self.label == "normal"

    @property
    def needs_care(self) -> bool:
        """True where somebody may be in danger from themselves: answered with care, never sanctioned."""
        return self.label == "self_harm"

    @property
    def sanctionable(self) -> bool:
        """True if the ladder of sanctions applies."""
        return not self.allowed and not self.needs_care


@dataclass(frozen=True)
class Judge:
    """Meaning and spelling together: the reader of messages, and a logistic regression over groups of letters.

    Each errs in its own way: together they let more everyday talk pass, and find more abuse, than either alone.

    letters: float32 (labels, LETTER_GROUPS). bias: (labels,). second: asked about what these two suspect.
    """

    reader: MessageReader
    letters: np.ndarray
    bias: np.ndarray
    second: Callable[[Sequence[str]], np.ndarray]

    def __call__(self, texts: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Normalised texts → probabilities of LABELS (n, 8), geometric means of opinions; the reader's unit vectors."""
        meaning, vectors = self.reader.judge(texts)
        spelling = log_softmax(letter_groups(texts) @ self.letters.T + self.bias, axis=1)
        found = softmax((np.log(meaning + 1e-6) + spelling) / 2, axis=1)
        suspect = np.flatnonzero(found[:, 0] <= 1 - SUSPECT)
        if len(suspect):
            second = self.second([texts[row] for row in suspect])
            found[suspect] = softmax((np.log(found[suspect] + 1e-6) + second) / 2, axis=1)
        return found, vectors


class Moderator:
    """Judges what a user writes before the model sees it, and what the model writes before it is shown.

    Args:
        judge: gives probabilities. abuse: the threshold of all classes but normal together. care: of self_harm alone.
        rows: labelled ones, the examples. vectors: theirs, float32 (n, VECTOR), of length 1.
    """

    def __init__(
        self,
        judge: Judge,
        abuse: float,
        care: float,
        rows: Sequence[LabelledRow],
        vectors: np.ndarray,
        lexicon: Lexicon | None = None,
    ) -> None:
        self.judge, self.abuse, self.care = judge, abuse, care
        self.rows, self.vectors = tuple(rows), vectors
        self.lexicon = lexicon if lexicon is not None else shipped_lexicon()
        self._labels = {normalise(row.text): row.label for row in rows}

    def check(self, text: str, examples: int = 3, strict: bool = False) -> Verdict:
        """Judge a text.

        A long text is judged sentence by sentence, so that an insult cannot hide in a kind letter. Self-harm goes
        before everything else: a person who swears in despair needs help, not a sanction.

        Args:
            text: 1–4,000 characters.
            examples: how many labelled rows to give as reasons.
            strict: every curse counts, also one over a thing: for her own replies.

        Raises:
            ValueError: empty or too long.
        """
        return self.check_all([text], examples, strict)[0]

    def check_all(self, texts: Sequence[str], examples: int = 3, strict: bool = False) -> list[Verdict]:
        """Judge many texts at once; see check."""
        for text in texts:
            check_length(text)
        pieces = [judged_pieces(text) for text in texts]
        rests = [[] if strict else self._rest(parts) for parts in pieces]
        judged = [*pieces, *rests]
        ends = np.cumsum([len(parts) for parts in judged])
        probabilities, vectors = self.judge([piece for parts in judged for piece in parts])
        found = list(zip(judged, np.split(probabilities, ends[:-1]), np.split(vectors, ends[:-1]), strict=True))
        verdicts = []
        for text, whole, rest in zip(texts, found[: len(texts)], found[len(texts) :], strict=True):
            verdict = self._verdict(*whole, examples)
            if rest[0] and verdict.rule.startswith("lexicon"):
                without = self._verdict(*rest, examples)
                if without.needs_care or (without.allowed and self._lets_off(text, without, whole[1])):
                    verdict = without
            verdicts.append(verdict)
        return verdicts

    def _rest(self, pieces: Sequence[str]) -> list[str]:
        """The pieces without what is cried out in them; none where nothing is, or a labelled row says one of them."""
        rest = list(map(self.lexicon.without_exclamations, pieces))
        known = any(self._labels.get(piece, "normal") != "normal" for piece in pieces)
        return [] if known or rest == list(pieces) else list(filter(None, rest))

    def _lets_off(self, text: str, without: Verdict, probabilities: np.ndarray) -> bool:
        """Whether a curse may stand: aimed at nobody, in no threat or proposition, and the rest is clearly normal.

        Args:
            without: the verdict on the rest. probabilities: of the whole text's pieces, (n, 8).
        """
        worse = {self._decide(row) for row in probabilities} & _NEVER_LET_OFF
        aimed = self.lexicon.is_aimed(normalise(text))
        return without.probability >= SURELY_NORMAL and not worse and not aimed

    def nearest(self, vector: np.ndarray, count: int) -> tuple[LabelledExample, ...]:
        """The labelled rows closest to a unit vector."""
        cosines = self.vectors @ vector
        order = np.argsort(-cosines)[:count]
        return tuple(LabelledExample(self.rows[i].text, self.rows[i].label, float(cosines[i])) for i in order)

    def _verdict(self, pieces: Sequence[str], probabilities: np.ndarray, vectors: np.ndarray, examples: int) -> Verdict:
        known = [self._labels.get(piece, "normal") for piece in pieces]
        decisions = [
            self._decide(row) if same == "normal" else same for row, same in zip(probabilities, known, strict=True)
        ]
        if all(label == "normal" for label in known):
            decisions = _without_lone_doubts(pieces, decisions, probabilities)
        hits = [self.lexicon.find(piece) for piece in pieces]

        def verdict(index: int, label: str, probability: float, rule: str) -> Verdict:
            return Verdict(label, probability, rule, self.nearest(vectors[index], examples))

        danger = [i for i, label in enumerate(decisions) if label == "self_harm"]
        if not danger and any(hits):
            index = next(i for i, hit in enumerate(hits) if hit)
            return verdict(index, hits[index].label, 1.0, f"lexicon: {hits[index].term}")
        found = danger or [i for i, label in enumerate(decisions) if label != "normal"]
        if found:
            index = max(found, key=lambda i: 1 - probabilities[i, 0])
            if known[index] != "normal":
                return verdict(index, decisions[index], float(1 - probabilities[index, 0]), "example")
            judged = verdict(index, decisions[index], float(1 - probabilities[index, 0]), "classifier")
            in_danger = float(probabilities[index, LABELS.index("self_harm")])
            if judged.needs_care:
                return replace(judged, sure=in_danger >= SURE_OF_DANGER)
            # "make them walk for it. who's my girlfriend again? she says hi": no sentence of it presses for love
            together = found == [0] and _are_of_one_text(pieces)
            may_be_none = together and judged.label == "romantic_pressure"
            return replace(judged, sure=judged.probability >= SURE_OF_ABUSE and not may_be_none)
        least = int(probabilities[:, 0].argmin())
        return verdict(least, "normal", float(probabilities[least, 0]), "classifier")

    def _decide(self, probabilities: np.ndarray) -> str:
        """Normal, unless self_harm reaches its threshold or the other classes together theirs: then the likeliest."""
        if probabilities[LABELS.index("self_harm")] >= self.care:
            return "self_harm"
        if 1 - probabilities[0] < self.abuse:
            return LABELS[0]
        return LABELS[1 + int(probabilities[1:].argmax())]

    def without(self, families: Sequence[str]) -> Moderator:
        """The same, but the rows of these families are no examples: to measure it on them."""
        left_out = frozenset(families)
        kept = [index for index, row in enumerate(self.rows) if row.family not in left_out]
        rows = [self.rows[index] for index in kept]
        return Moderator(self.judge, self.abuse, self.care, rows, self.vectors[kept], self.lexicon)


def load_moderator(reader: MessageReader | None = None) -> Moderator:
    """The shipped moderator. reader: the shipped one, where it is loaded already.

    Raises:
        WeightsError: a weight file is missing or damaged, or the two are not of one training.
    """
    reader = reader if reader is not None else load_message_reader()
    tensors, card = load_for_reader(WEIGHTS, reader, "python -m ohlora.rag.moderation_training")
    by_id = {row.id: row for row in load_rows()}
    kept = [index for index, identifier in enumerate(card["rows"]) if identifier in by_id]  # some may be gone since
    numbers = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    rows = [by_id[card["rows"][i]] for i in kept]
    second = SecondOpinion(numbers["second"], numbers["second_bias"], reader.threads)
    judge = Judge(reader, numbers["letters"], numbers["bias"], second)
    return Moderator(judge, float(numbers["abuse"]), float(numbers["care"]), rows, numbers["vectors"][kept])


def letter_groups(texts: Sequence[str]) -> sparse.csr_matrix:
    """Hashed counts of groups of two to four letters, float32 (n, LETTER_GROUPS), rows of length 1."""
    return count_letter_groups(texts, 2, 4, LETTER_GROUPS)


def _are_of_one_text(pieces: Sequence[str]) -> bool:
    """Whether they are a short text and then its sentences, two or more; see judged_pieces."""
    return len(pieces) > 2 and all(piece in pieces[0] for piece in pieces[1:])


def _without_lone_doubts(pieces: Sequence[str], decisions: Sequence[str], probabilities: np.ndarray) -> list[str]:
    """The decisions without danger that is heard in the whole or in one sentence alone, and hardly there.

    Args:
        probabilities: of the pieces, (n, 8).
    """
    danger = [label == "self_harm" for label in decisions]
    if not any(danger) or not _are_of_one_text(pieces):
        return list(decisions)
    heard = probabilities[:, LABELS.index("self_harm")]
    only_whole = not any(danger[1:]) and heard[0] < HARDLY_SUSPECTED
    idiom = all(_IDIOM.fullmatch(piece) for piece, found in zip(pieces, danger, strict=True) if found)
    fine_whole = probabilities[0, 0] >= CLEARLY_FINE or (idiom and not danger[0])
    only_one = fine_whole and sum(danger[1:]) == 1 and heard[1:].max() < ONE_SENTENCE
    fine = only_whole or only_one
    return [LABELS[0] if fine and label == "self_harm" else label for label in decisions]


def judged_pieces(text: str) -> list[str]:
    """Sentences, normalised; the whole text too when it is short."""
    whole = normalise(text)
    if len(whole) <= _LONGEST_PIECE:
        sentences = [normalise(part) for part in _SENTENCE_ENDS.split(text) if strip_invisible(part).strip()]
        return list(dict.fromkeys([whole or text.strip(), *[part for part in sentences if len(part) > 1]]))
    size = max(_LONGEST_PIECE, -(-len(text) // _MOST_PIECES))
    pieces: list[str] = []
    for sentence in _SENTENCE_ENDS.split(text):
        for part in textwrap.wrap(sentence, size):  # at spaces: half a curse is in no list
            if pieces and len(pieces[-1]) + len(part) < size:
                pieces[-1] += " " + part
            else:
                pieces.append(part)
    visible = [part for part in pieces if strip_invisible(part).strip()]
    return [piece for piece in map(normalise, visible) if piece]
