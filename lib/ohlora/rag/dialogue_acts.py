"""What a message does – greets, complains, asks for an idea – and answers that fit whatever does that.

python -m ohlora.rag.dialogue_acts --output outputs/weights/dialogue_acts.safetensors

A dialogue act (Stolcke et al. 2000, "Dialogue Act Modeling") says less than the words and is far easier to read: where
nobody wrote an answer to a message, an answer to its act still fits. A logistic regression names the act from what
the reader of messages sees. It learned from messages that somebody labelled (data/answers/judged.jsonl) and from
families of data/dialogues that are of one act (data/answers/acts.yaml); data/answers/general.jsonl holds the answers.
"""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import yaml
from scipy.special import softmax

from ohlora.config import DATA, outputs_folder
from ohlora.llm.dialogues import load_dialogues, root_family, split_dialogues
from ohlora.llm.reply_format import format_reply
from ohlora.rag.answer_fit import load_judged_answers
from ohlora.rag.message_reader import MessageReader, Reading, load_for_reader, load_message_reader
from ohlora.weights import save_weights

WEIGHTS = "dialogue_acts"
SURE = 0.25
"""Probability from which an answer to the act is said. Two readers judged what she might say to 200 new messages: of
the language model's own answers 10 % were good; of these 25 % where the act was less likely than .2, 34 % up to .3, and
66 % from .5.
"""
_INVERSE_PENALTY, _FOLDS = 0.003, 8


@dataclass(frozen=True)
class GeneralAnswer:
    """An answer that fits every message of an act. intensity: of the expression, 0 … 1."""

    act: str
    language: str
    reply: str
    expression: str
    intensity: float

    def target(self) -> str:
        """The answer as the language model would write it."""
        return format_reply(self.reply, self.expression, self.intensity)


@dataclass(frozen=True)
class ActRow:
    """A message of a known act. group: its family, or itself; no group is on both sides of a fold."""

    message: str
    act: str
    group: str


class DialogueActs:
    """Names the act of a message, and knows what to say to it.

    Args:
        acts: their names. weights: float32 (acts, numbers of Reading.vector). bias: (acts,).
    """

    def __init__(
        self, acts: Sequence[str], weights: np.ndarray, bias: np.ndarray, answers: Sequence[GeneralAnswer]
    ) -> None:
        self.acts, self._weights, self._bias, self._answers = list(acts), weights, bias, list(answers)

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """Vectors of readings (n, numbers) → (n, acts)."""
        return softmax(vectors @ self._weights.T + self._bias, axis=-1)

    def act(self, reading: Reading) -> str:
        """The act of a message, or "" where it is not clear."""
        if reading.vector is None:
            return ""
        probabilities = self.probabilities(reading.vector)
        best = int(probabilities.argmax())
        return self.acts[best] if probabilities[best] >= SURE else ""

    def answers(self, reading: Reading, message: str, language: str) -> list[GeneralAnswer]:
        """Answers to the act of a message, in an order that depends on its words; none where the act is not clear."""
        act = self.act(reading)
        found = [one for one in self._answers if one.act == act and one.language == language]
        first = zlib.crc32(message.encode()) % len(found) if found else 0
        return found[first:] + found[:first]


def load_general_answers() -> list[GeneralAnswer]:
    """The rows of data/answers/general.jsonl."""
    with (DATA / "answers" / "general.jsonl").open(encoding="utf-8") as file:
        return [GeneralAnswer(**json.loads(line)) for line in file]


def act_rows() -> list[ActRow]:
    """Messages whose act is known; of data/dialogues training families only."""
    labelled = [ActRow(one.message, one.act, one.message) for one in load_judged_answers() if one.act]
    content = yaml.safe_load((DATA / "answers" / "acts.yaml").read_text(encoding="utf-8"))
    act_of = {family: act for act, entry in content.items() for family in entry["families"]}
    said = [one for one in split_dialogues(load_dialogues())[0] if not one.history]
    families = [(one, act_of.get(f"{one.id.split('-')[0]}/{root_family(one.family)}")) for one in said]
    return labelled + [ActRow(one.user, act, root_family(one.family)) for one, act in families if act]


def train_acts(reader: MessageReader, rows: Sequence[ActRow], seed: int = 0) -> tuple[DialogueActs, dict]:
    """Fit on all rows; the scores are of messages somebody labelled, by models that did not see them.

    Returns:
        The acts without their answers, and a card for save_weights.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    vectors = np.stack([one.vector for one in reader.read_all([(row.message, "") for row in rows])])
    mean, scale = vectors.mean(axis=0), vectors.std(axis=0) + 1e-6
    inputs, acts = (vectors - mean) / scale, np.array([row.act for row in rows])
    groups = np.array([row.group for row in rows])
    alone = np.array([row.group == row.message for row in rows])

    def fit(index: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=_INVERSE_PENALTY, max_iter=400).fit(inputs[index], acts[index])

    named, sure = np.empty(len(rows), dtype=object), np.zeros(len(rows))
    for train, test in GroupKFold(_FOLDS, shuffle=True, random_state=seed).split(inputs, acts, groups):
        model = fit(train)
        found = model.predict_proba(inputs[test])
        named[test], sure[test] = model.classes_[found.argmax(axis=1)], found.max(axis=1)
    right, told = (named == acts)[alone], sure[alone] >= SURE
    model = fit(np.arange(len(rows)))
    weights = model.coef_ / scale
    bias = model.intercept_ - weights @ mean
    card = {
        "data": f"data/answers: {int(alone.sum())} labelled messages; "
        f"data/dialogues: {int((~alone).sum())} messages of families that are of one act",
        "seed": seed,
        "command": "python -m ohlora.rag.dialogue_acts",
        "metrics": {
            "accuracy": float(right.mean()),
            "share_that_is_clear": float(told.mean()),
            "accuracy_where_clear": float(right[told].mean()) if told.any() else 0.0,
            "most_frequent_act": float(max(np.unique(acts[alone], return_counts=True)[1]) / alone.sum()),
            "n": int(alone.sum()),
        },
        "licence": "Apache-2.0",
        "reader": reader.name,
        "acts": model.classes_.tolist(),
    }
    return DialogueActs(card["acts"], weights.astype(np.float32), bias.astype(np.float32), ()), card


def save_acts(path: Path, acts: DialogueActs, card: dict) -> Path:
    """Write the weight file."""
    tensors = {"weights": torch.from_numpy(acts._weights), "bias": torch.from_numpy(acts._bias)}
    return save_weights(path, tensors, card)


def load_dialogue_acts(reader: MessageReader) -> DialogueActs:
    """The shipped acts with their answers.

    Raises:
        WeightsError: the file is missing or damaged, or belongs to another reader.
    """
    tensors, card = load_for_reader(WEIGHTS, reader, "python -m ohlora.rag.dialogue_acts")
    return DialogueActs(card["acts"], tensors["weights"].numpy(), tensors["bias"].numpy(), load_general_answers())


def main() -> None:
    """Command line: train, score, and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--reader", default="message_reader", help="name or path of the reader's weights")
    given = parser.parse_args()
    acts, card = train_acts(load_message_reader(2, given.reader), act_rows())
    print(save_acts(given.output, acts, card), card["metrics"])


if __name__ == "__main__":
    main()
