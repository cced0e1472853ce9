"""The written dialogues that are nearest to a message: shown to the model, a small one answers far better beside them.

python -m ohlora.rag.dialogue_examples --output outputs/weights/dialogue_examples.safetensors

What "near" means is learned: E5 as it comes puts "What do you like?" beside "What can't you stand?"; its adapter
(ohlora.rag.embedding_training) was taught the families of data/dialogues. Which answers may be said as they stand is
learned too (ohlora.rag.answer_fit). Where a message asks for a fact about her,
the reader of messages says for which: only dialogues about that fact count then.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from ohlora.config import Profile, load_profile, outputs_folder
from ohlora.llm.dialogues import Dialogue, load_dialogues, root_family, split_dialogues
from ohlora.llm.language import text_language
from ohlora.llm.prompt import Example
from ohlora.llm.rules import is_polite
from ohlora.rag.answer_fit import (
    FEATURES,
    FITS,
    AnswerFit,
    fit_features,
    fit_metrics,
    judged_features,
    load_judged_answers,
    out_of_fold,
    train_answer_fit,
)
from ohlora.rag.embeddings import Embedder, centred, load_embedder
from ohlora.rag.marked_messages import fact_of_family, facts_about_her
from ohlora.weights import load_weights, save_weights

COUNT = 2
"""Examples beside a message: each costs a CPU a tenth of a second before her first word."""

_LOOKED_AT = 5  # dialogues from which a written answer may come

SAME_COSINE = 0.87
"""Cosine from which a baseline takes two messages to mean the same."""
REFUSED = 0.78
"""Cosine from which a message means the same as one that was refused: alone, the model helps with a bomb."""


class DialogueExamples:
    """Finds examples among dialogues.

    Args:
        embedder: of messages.
        dialogues: the examples. vectors: float32 (n, dimension), theirs (see centred).
        centre: float32 (dimension,), taken off every embedding.
        fit: tells which answers fit a message; None: no answer is said as it stands, but for refusals and questions
            about her.
    """

    def __init__(
        self,
        embedder: Embedder,
        dialogues: Sequence[Dialogue],
        vectors: np.ndarray,
        centre: np.ndarray,
        fit: AnswerFit | None = None,
    ) -> None:
        self._embedder, self._dialogues, self._vectors, self._centre = embedder, list(dialogues), vectors, centre
        self._fit = fit
        self._languages = np.array([dialogue.language for dialogue in dialogues])
        facts = [fact_of_family().get(root_family(dialogue.family), "") for dialogue in dialogues]
        self._about_her = np.array(facts)

    def nearest(self, message: str, count: int = COUNT, about_her: str = "") -> list[Example]:
        """The examples nearest to a message, in its language, nearest first.

        Args:
            about_her: the fact of data/persona/oh_lora.yaml that it asks for, where that is known.
        """
        vector, language = self._understood(message)
        return [self._dialogues[row].example for row in self._order(vector, language, about_her)[:count]]

    def written(self, message: str, about_her: str = "") -> list[Dialogue]:
        """The dialogues whose answers fit a message, the best first; polite Korean only for who speaks so.

        Args:
            about_her: the fact that the message asks for, where that is known: any dialogue about it will do.
        """
        near = self._near(message, about_her)
        if about_her not in facts_about_her():
            near = self._fitting(message, near)
        return [one for one, _ in near]

    def refusals(self, message: str) -> list[Dialogue]:
        """The dialogues in which she refuses what a message asks for, the nearest first; see written."""
        return [one for one, cosine in self._near(message) if _refuses(one, cosine)]

    def _near(self, message: str, about_her: str = "") -> list[tuple[Dialogue, float]]:
        """The dialogues from which a written answer may come, and their cosines, the nearest first."""
        vector, language = self._understood(message)
        order = self._order(vector, language, about_her)[:_LOOKED_AT]
        near = [(self._dialogues[row], float(self._vectors[row] @ vector)) for row in order]
        return [(one, cosine) for one, cosine in near if language != "ko" or is_polite(one.reply) <= is_polite(message)]

    def _fitting(self, message: str, near: Sequence[tuple[Dialogue, float]]) -> list[tuple[Dialogue, float]]:
        """Of dialogues and their cosines those whose answers fit, with the probability that they do."""
        if not near:
            return []
        fits = [0.0] * len(near)
        if self._fit is not None:
            fits = self._fit.probability(np.array([fit_features(message, *one) for one in near], np.float32)).tolist()
        sure = [
            1.0 if _refuses(one, cosine) else probability for (one, cosine), probability in zip(near, fits, strict=True)
        ]
        found = [(one, probability) for (one, _), probability in zip(near, sure, strict=True) if probability >= FITS]
        return sorted(found, key=lambda pair: -pair[1])

    def _understood(self, message: str) -> tuple[np.ndarray, str]:
        """The vector of a message, float32 (dimension,), and its language."""
        return centred(self._embedder.embed_queries([message]), self._centre)[0], text_language(message) or "ko"

    def _order(self, vector: np.ndarray, language: str, about_her: str = "") -> np.ndarray:
        known = about_her in facts_about_her()  # small facts have no dialogues of their own
        rows = np.flatnonzero((self._languages == language) & ((self._about_her == about_her) | (not known)))
        return rows[np.argsort(-(self._vectors[rows] @ vector), kind="stable")]

    def neighbours(self, dialogues: Sequence[Dialogue], vectors: np.ndarray, share: float, seed: int) -> dict:
        """Examples for training rows: id → ids of the nearest ones, never the row itself.

        Half of those that get any lack their own family, so that the model learns not to copy what does not fit.

        Args:
            vectors: float32 (n, dimension) of the rows. share: of the rows that get examples; the others have none, so
                that the model also answers without.
        """
        random = np.random.default_rng(seed)
        found = {}
        for dialogue, vector in zip(dialogues, vectors, strict=True):
            shown, without_family = random.random() < share, random.random() < 0.5
            if shown:
                excluded = root_family(dialogue.family) if without_family else None
                order = (self._dialogues[row] for row in self._order(vector, dialogue.language))
                allowed = (one for one in order if root_family(one.family) != excluded and one.user != dialogue.user)
                found[dialogue.id] = [one.id for one, _ in zip(allowed, range(COUNT), strict=False)]
        return found


def _refuses(dialogue: Dialogue, cosine: float) -> bool:
    """Whether she refuses in it, and a message with this cosine asks for the same."""
    return dialogue.id.startswith("refusals") and cosine >= REFUSED


def may_be_example(dialogue: Dialogue) -> bool:
    """Whether a dialogue makes sense to somebody else: nothing in it hangs on a history, a time or a memory."""
    group = dialogue.id.split("-")[0]
    timed = dialogue.family.startswith("time_")
    values = {word for line in dialogue.memories for word in line.partition(": ")[2].split() if len(word) > 1}
    told = any(word.casefold() in dialogue.reply.casefold() for word in values)
    return group != "memory" and not timed and not told and not dialogue.history and dialogue.memory is None


def load_dialogue_examples(profile: Profile | str, embedder: Embedder) -> DialogueExamples | None:
    """The shipped examples of the profile, or None where it names none.

    Raises:
        WeightsError: their file is missing. ValueError: it was made with another embedding model.
    """
    name = load_profile(profile).llm.examples
    if not name:
        return None
    tensors, card = load_weights(name)
    if card["embedding_model"] != embedder.model:
        raise ValueError(
            f"{name} was made with the embedding model {card['embedding_model']!r}, this is {embedder.model!r}; "
            "run: python -m ohlora.rag.dialogue_examples"
        )
    by_id = {dialogue.id: dialogue for dialogue in load_dialogues()}
    # Some may have been deleted or changed since.
    kept = [row for row, name in enumerate(card["dialogues"]) if name in by_id and may_be_example(by_id[name])]
    return DialogueExamples(
        embedder,
        [by_id[card["dialogues"][row]] for row in kept],
        tensors["vectors"].float().numpy()[kept],
        tensors["centre"].numpy(),
        AnswerFit(*(tensors[f"fit_{name}"].numpy() for name in ("weights", "bias", "mean", "scale"))),
    )


def main() -> None:
    """Command line: write the examples, and which of them stand beside each training row."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / "dialogue_examples.safetensors")
    parser.add_argument("--neighbours", type=Path, default=outputs_folder() / "training" / "neighbours.json")
    parser.add_argument("--share", type=float, default=0.6, help="of the training rows that get examples")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    embedder = load_embedder(given.profile)
    training, _ = split_dialogues(load_dialogues())
    messages = [dialogue.user for dialogue in training]
    steps = tqdm(range(0, len(messages), 64), desc="embed", disable=None)
    embeddings = np.concatenate([embedder.embed_queries(messages[start : start + 64]) for start in steps])
    centre = embeddings.mean(axis=0)
    vectors = centred(embeddings, centre)
    shown = [row for row, dialogue in enumerate(training) if may_be_example(dialogue)]
    examples = [training[row] for row in shown]
    judged = load_judged_answers()
    asked = centred(embedder.embed_queries([one.message for one in judged]), centre)
    features, fits, numbers = judged_features(judged, asked, examples, vectors[shown])
    fit, unseen = train_answer_fit(features, fits), out_of_fold(features, fits, numbers)
    tensors = {
        "vectors": torch.from_numpy(vectors[shown]).half(),
        "centre": torch.from_numpy(centre),
        "fit_weights": torch.from_numpy(fit.weights),
        "fit_bias": torch.tensor(fit.bias),
        "fit_mean": torch.from_numpy(fit.mean),
        "fit_scale": torch.from_numpy(fit.scale),
    }
    card = {
        "data": f"{len(examples)} dialogues of the training families; {len(judged)} messages with judged answers",
        "seed": given.seed,
        "command": f"python -m ohlora.rag.dialogue_examples --profile {given.profile} --seed {given.seed}",
        "metrics": {
            "out_of_fold": fit_metrics(unseen, fits, numbers, FITS),
            "by_cosine_alone": fit_metrics(features[:, FEATURES.index("cosine")], fits, numbers, SAME_COSINE),
        },
        "licence": "Apache-2.0",
        "embedding_model": embedder.model,
        "dialogues": [dialogue.id for dialogue in examples],
    }
    save_weights(given.output, tensors, card)
    finder = DialogueExamples(embedder, examples, vectors[shown], centre)
    given.neighbours.parent.mkdir(parents=True, exist_ok=True)
    neighbours = finder.neighbours(training, vectors, given.share, given.seed)
    given.neighbours.write_text(json.dumps(neighbours), encoding="utf-8")
    print(f"{len(examples)} examples in {given.output}; neighbours of {len(neighbours)} rows in {given.neighbours}")


if __name__ == "__main__":
    main()
