"""Train the classifier of messages: logistic regression, thresholds out of fold.

python -m ohlora.rag.message_kind_training --output outputs/weights/message_kind.safetensors
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ohlora.config import outputs_folder
from ohlora.llm.dialogues import Dialogue, load_dialogues, root_family, split_dialogues
from ohlora.rag.embeddings import Embedder, load_embedder
from ohlora.rag.message_kind import KINDS, WEIGHTS, MessageKinds, save_message_kinds
from ohlora.rag.moderation import centred
from ohlora.rag.relevance import load_dialogue_questions

INVERSE_PENALTY = 10.0  # C of the logistic regression, by cross-validation over families
FOLDS = 4
MISSED_FACTS = 0.02  # share of the messages that tell something which may count as telling nothing
WRONG_QUESTIONS = 0.04  # share of other messages that may seem to ask for what was told
SURELY_WRONG = 0.02  # … that may count as surely asking for it
_ASKING = ("recall_", "abstain_", "use_recall_quiz", "use_asked_back", "use_name")
_UNCLEAR = ("use_", "user_not_her", "unknown", "history_not_memory", "forget_", "already_known", "said_again")


def labelled_messages(dialogues: Sequence[Dialogue], people: Sequence[dict]) -> list[tuple[str, int, str]]:
    """(message, index in KINDS, family) of dialogues and of data/memory rows.

    Dialogues in which a memory helps, but is not asked for, are left out: people disagree about them.
    """
    found = []
    for one in dialogues:
        family = root_family(one.family)
        if one.memory is not None:
            found.append((one.user, 1, family))
        elif family.startswith(_ASKING):
            found.append((one.user, 2, family))
        elif not family.startswith(_UNCLEAR):
            found.append((one.user, 0, family))
    for person in people:
        found += [
            (question["question"], 2 if question["asks"] else 0, person["id"]) for question in person["questions"]
        ]
    return found


def train_message_kinds(
    embedder: Embedder, messages: Sequence[tuple[str, int, str]], seed: int = 0
) -> tuple[MessageKinds, dict]:
    """Fit on all messages; choose the thresholds out of fold, no family on both sides.

    Args:
        messages: see labelled_messages. seed: of the folds.

    Returns:
        The classifier and a card for save_weights.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    texts = [text for text, _, _ in messages]
    kinds = np.array([kind for _, kind, _ in messages])
    vectors = np.concatenate([embedder.embed_queries(texts[i : i + 64]) for i in range(0, len(texts), 64)])
    mean = vectors.mean(axis=0)
    features = centred(vectors, mean)

    def fit(rows: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=INVERSE_PENALTY, max_iter=500).fit(features[rows], kinds[rows])

    out_of_fold = np.zeros((len(texts), len(KINDS)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, kinds, [family for *_, family in messages]):
        out_of_fold[test] = fit(train).predict_proba(features[test])
    model = fit(np.arange(len(texts)))
    tells, asks = out_of_fold[:, 1], out_of_fold[:, 2]
    may_tell = float(np.quantile(tells[kinds == 1], MISSED_FACTS))
    may_ask = float(np.quantile(asks[kinds != 2], 1 - WRONG_QUESTIONS))
    surely_asks = float(np.quantile(asks[kinds != 2], 1 - SURELY_WRONG))
    found = MessageKinds(
        embedder,
        model.coef_.astype(np.float32),
        model.intercept_.astype(np.float32),
        mean.astype(np.float32),
        may_tell,
        may_ask,
        surely_asks,
    )
    card = {
        "data": f"{len(texts)} messages of data/dialogues (training families) and of data/memory "
        "(training, calibration)",
        "seed": seed,
        "command": "python -m ohlora.rag.message_kind_training",
        "metrics": {
            "out_of_fold_passes_though_nothing_is_told": float((tells[kinds != 1] >= may_tell).mean()),
            "out_of_fold_recall_of_questions": float((asks[kinds == 2] >= may_ask).mean()),
            "out_of_fold_recall_of_sure_questions": float((asks[kinds == 2] >= surely_asks).mean()),
            "messages": len(texts),
        },
        "licence": "Apache-2.0",
        "embedder": embedder.model,
    }
    return found, card


def training_messages() -> list[tuple[str, int, str]]:
    """What is trained on: the training families of data/dialogues, two of the files of data/memory."""
    training, _ = split_dialogues(load_dialogues())
    people = [*load_dialogue_questions("training"), *load_dialogue_questions("calibration")]
    return labelled_messages(training, people)


def main() -> None:
    """Command line: train and write the weight file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, default=outputs_folder() / "weights" / f"{WEIGHTS}.safetensors")
    given = parser.parse_args()
    kinds, card = train_message_kinds(load_embedder(given.profile), training_messages(), given.seed)
    print(save_message_kinds(given.output, kinds, card), card["metrics"])


if __name__ == "__main__":
    main()
