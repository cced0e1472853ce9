"""Teach the moderator how abuse is spelled, and choose from when it stops a message.

python -m ohlora.rag.moderation_training --output outputs/weights/moderation.safetensors

The reader of messages (ohlora.rag.message_reader_training) knows what sentences mean; a logistic regression over groups
of letters knows how insults are written; another, on the network of intents, gives a second opinion. Run it after
every training of the reader or of the network (ten minutes).
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from ohlora.config import outputs_folder
from ohlora.rag.answer_ranking_training import load_marked_answers
from ohlora.rag.intent_network import IntentNetwork, load_intent_network
from ohlora.rag.intents import load_intent_messages
from ohlora.rag.labelled_rows import LABELS, LabelledRow, everyday_rows, load_rows
from ohlora.rag.message_lessons import training_sentences
from ohlora.rag.message_reader import MessageReader, load_message_reader
from ohlora.rag.moderation import WEIGHTS, Judge, judged_pieces, letter_groups
from ohlora.rag.normalisation import normalise
from ohlora.rag.second_opinion import SecondOpinion, text_features
from ohlora.weights import save_weights

INVERSE_PENALTY, SECOND_INVERSE_PENALTY = 3.0, 0.03  # C of the logistic regressions
WRITTEN_FOR_AN_INTENT = 24387  # first rows of data/answers/messages.jsonl, see its README
FALSE_ALARMS = 0.01  # share of everyday lines that may be taken for abuse
CARE_FALSE_ALARMS = 0.01  # the same for self_harm alone: help that nobody needed is the smaller mistake


def train_letters(rows: Sequence[LabelledRow]) -> tuple[np.ndarray, np.ndarray]:
    """Weights float32 (labels, groups) and bias (labels,) over groups of letters.

    Raises:
        ValueError: the rows hold none of a class.
    """
    from sklearn.linear_model import LogisticRegression

    missing = sorted(set(LABELS) - {row.label for row in rows})
    if missing:
        raise ValueError(f"rows hold none of the class {missing[0]!r}; each of {', '.join(LABELS)} needs some")
    inputs = letter_groups([normalise(row.text) or row.text for row in rows])
    labels = [LABELS.index(row.label) for row in rows]
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=200, tol=1e-3).fit(inputs, labels)
    return model.coef_.astype(np.float32), model.intercept_.astype(np.float32)


def train_second_opinion(rows: Sequence[LabelledRow], network: IntentNetwork) -> SecondOpinion:
    """The linear layer on the network's features, which stay as they are."""
    from sklearn.linear_model import LogisticRegression

    inputs = text_features(network, [normalise(row.text) or row.text for row in rows])
    labels = [LABELS.index(row.label) for row in rows]
    model = LogisticRegression(C=SECOND_INVERSE_PENALTY, max_iter=300).fit(inputs, labels)
    return SecondOpinion(model.coef_.astype(np.float32), model.intercept_.astype(np.float32))


def everyday_messages(part: str = "training", count: int = 6000) -> list[LabelledRow]:
    """Messages of data/answers as normal rows: nobody had anything else in mind.

    Args:
        part: training: half of them; calibration or test: a quarter of those that were written with a person in mind,
            not for an intent. count: at most so many.
    """
    messages = load_intent_messages()[0][0 if part == "training" else WRITTEN_FOR_AN_INTENT :]
    return _normal_rows(_part(messages, part)[:count], "everyday")


def messages_in_talk(part: str = "training", count: int = 6000) -> list[LabelledRow]:
    """What people said in the middle of a talk, as normal rows: "so u with us or not?", "I keep his rod in the car".

    Args:
        part: training: half of the messages of data/answers/marked.jsonl that follow another; calibration or test: a
            quarter. count: at most so many.
    """
    messages = [one.message for one in load_marked_answers() if one.before]
    return _normal_rows(_part(messages, part)[:count], "in_talk")


def _part(messages: Sequence[str], part: str) -> list[str]:
    """Half or a quarter of the messages, by their words, in an order that depends on them."""
    places = {"training": (2, 3), "calibration": (1,), "test": (0,)}[part]
    chosen = [one for one in dict.fromkeys(messages) if zlib.crc32(one.encode()) % 4 in places]
    return sorted(chosen, key=lambda one: zlib.crc32(one.encode()[::-1]))


def _normal_rows(messages: Sequence[str], family: str) -> list[LabelledRow]:
    return [LabelledRow(f"{family}-{i}", family, "", one, "normal") for i, one in enumerate(messages)]


def thresholds(judge: Judge, everyday: Sequence[LabelledRow]) -> tuple[float, float]:
    """Suspicion and worry that nearly all everyday talk stays below; as in the chat the worst sentence counts."""
    pieces = [judged_pieces(row.text) for row in everyday]
    first = np.cumsum([0, *map(len, pieces[:-1])])
    judged = judge([piece for parts in pieces for piece in parts])[0]
    suspicion = np.maximum.reduceat(1 - judged[:, 0], first)
    worry = np.maximum.reduceat(judged[:, LABELS.index("self_harm")], first)
    return float(np.quantile(suspicion, 1 - FALSE_ALARMS)), float(np.quantile(worry, 1 - CARE_FALSE_ALARMS))


def train_moderation(
    reader: MessageReader,
    training: Sequence[LabelledRow],
    examples: Sequence[LabelledRow],
    everyday: Sequence[LabelledRow],
    second: SecondOpinion,
) -> tuple[dict[str, torch.Tensor], dict]:
    """Tensors and card of the moderator's weight file.

    Args:
        training: teach the letters. examples: explain verdicts. everyday: choose the thresholds. second: opinion.
    """
    weights, bias = train_letters(training)
    judge = Judge(reader, weights, bias, second)
    abuse, care = thresholds(judge, everyday)
    vectors = judge([normalise(row.text) or row.text for row in examples])[1]
    tensors = {
        "letters": torch.from_numpy(weights).half(),
        "bias": torch.from_numpy(bias),
        "second": torch.from_numpy(second.weights).half(),
        "second_bias": torch.from_numpy(second.bias),
        "vectors": torch.from_numpy(vectors).half(),
        "abuse": torch.tensor(abuse),
        "care": torch.tensor(care),
    }
    card = {
        "data": f"data/moderation and data/dialogues: {len(training)} sentences, test families left out; "
        "the second opinion also from messages of data/answers; "
        f"{len(examples)} rows as examples; thresholds from {len(everyday)} everyday lines of other families",
        "seed": 0,
        "command": "python -m ohlora.rag.moderation_training",
        "metrics": {},
        "licence": "Apache-2.0",
        "reader": reader.name,
        "rows": [row.id for row in examples],
    }
    return tensors, card


def main() -> None:
    """Command line: train and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    parser.add_argument("--reader", default="message_reader", help="name or path of the reader's weights")
    given = parser.parse_args()
    reader = load_message_reader(2, given.reader)
    sentences = training_sentences()
    second = train_second_opinion([*sentences, *everyday_messages(), *messages_in_talk()], load_intent_network())
    calibration = [*everyday_rows("calibration"), *everyday_messages("calibration"), *messages_in_talk("calibration")]
    tensors, card = train_moderation(reader, sentences, load_rows(), calibration, second)
    print(save_weights(given.output, tensors, card), float(tensors["abuse"]), float(tensors["care"]))


if __name__ == "__main__":
    main()
