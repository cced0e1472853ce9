"""Train the moderation classifier: logistic regression, threshold from held-out families."""

from __future__ import annotations

import argparse
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ohlora.config import DATA, outputs_folder
from ohlora.rag.embeddings import Embedder, load_embedder
from ohlora.rag.moderation import (
    HELD_OUT_WEIGHTS,
    LABELS,
    WEIGHTS,
    Classifier,
    LabelledRow,
    judged_pieces,
    load_rows,
    moderation_features,
    save_classifier,
)
from ohlora.rag.normalisation import normalise

INVERSE_PENALTY = 3.0  # C of the logistic regression, chosen by cross-validation over families
FALSE_ALARMS = 0.01  # share of everyday lines that may be taken for abuse
CARE_FALSE_ALARMS = 0.01  # the same for self_harm alone: help that nobody needed is the smaller mistake
FOLDS = 4
EVERYDAY = {"training": 10_000, "calibration": 3000, "test": 1000}  # messages and replies of the dialogues: normal talk
_NOT_EVERYDAY = ("crisis", "romance", "no_body", "unknown_body")  # how families begin in which users may go too far


def split_rows(rows: Sequence[LabelledRow]) -> tuple[list[LabelledRow], list[LabelledRow]]:
    """Training and test rows: about a quarter of the families of each language and class is kept for the test.

    They are listed in data/moderation/held_out_families.txt: a rule would move families when new ones are written, and
    what the embeddings learned from must not become test.
    """
    names = (DATA / "moderation" / "held_out_families.txt").read_text(encoding="utf-8").split()
    held_out = frozenset(names)
    return [row for row in rows if row.family not in held_out], [row for row in rows if row.family in held_out]


def everyday_rows(part: str = "training", count: int | None = None) -> list[LabelledRow]:
    """Messages and replies of ``data/dialogues`` as normal rows.

    Half of the families are for training, a quarter chooses the thresholds, a quarter is the test. Dialogues about
    refusals and crises are left out: what users say there is often not normal.

    Args:
        part: training, calibration or test. count: at most so many; default: EVERYDAY's.
    """
    places = {"training": (0, 2), "calibration": (1,), "test": (3,)}[part]
    texts: dict[str, LabelledRow] = {}
    for path in sorted((DATA / "dialogues").glob("*.jsonl")):
        if path.name.startswith("refusals"):
            continue
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            family = f"{row['language']}-everyday-{row['family']}"
            if row["family"].startswith(_NOT_EVERYDAY) or _hash(family) % 4 not in places:
                continue
            for side in ("user", "reply"):
                if row[side].strip():
                    identifier = f"{row['id']}-{side}"
                    texts.setdefault(row[side], LabelledRow(identifier, family, row["language"], row[side], "normal"))
    return sorted(texts.values(), key=lambda row: _hash(row.id))[: count or EVERYDAY[part]]


def train_classifier(
    embedder: Embedder,
    rows: Sequence[LabelledRow],
    everyday: Sequence[LabelledRow] = (),
    calibration: Sequence[LabelledRow] = (),
    seed: int = 0,
) -> tuple[Classifier, dict]:
    """Fit on all rows given; choose the thresholds on normal talk that was not fitted.

    Args:
        embedder: see embeddings.Embedder.
        rows: labelled rows; they are kept as the examples that explain verdicts.
        everyday: more normal rows. calibration: normal talk of other families; the thresholds let nearly all of it
            pass. Out-of-fold probabilities of ``everyday`` are too good: the embeddings were taught those families.
            Without it, they have to do.
        seed: of the folds.

    Returns:
        The classifier and a card for save_weights.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedGroupKFold

    everything = [*rows, *everyday]
    texts = [normalise(row.text) for row in everything]
    vectors = embedder.embed_queries(texts)
    labels = np.array([LABELS.index(row.label) for row in everything])
    families = np.array([row.family for row in everything])
    mean = vectors.mean(axis=0)
    features = moderation_features(texts, vectors, mean)
    missing = sorted(set(LABELS) - {row.label for row in everything})
    if missing:
        raise ValueError(f"rows hold none of the class {missing[0]!r}; each of {', '.join(LABELS)} needs some")

    def fit(index: np.ndarray) -> LogisticRegression:
        return LogisticRegression(C=INVERSE_PENALTY, max_iter=300, tol=1e-3).fit(features[index], labels[index])

    out_of_fold = np.zeros((len(everything), len(LABELS)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for train, test in folds.split(features, labels, families):
        model = fit(train)
        out_of_fold[np.ix_(test, model.classes_)] = model.predict_proba(features[test])
    # Everyday talk decides about the thresholds: the normal rows of `rows` are mostly traps, rarer than life.
    harmless = np.arange(len(everything)) >= len(rows) if everyday else labels == 0
    suspicion, worry = 1 - out_of_fold[:, 0], out_of_fold[:, LABELS.index("self_harm")]
    model = fit(np.arange(len(everything)))
    told = np.column_stack([suspicion, worry])[harmless]
    if calibration:
        # As the moderator judges: a text is as suspicious as its worst sentence.
        pieces = [judged_pieces(row.text) for row in calibration]
        first = np.cumsum([0, *map(len, pieces[:-1])])
        unheard = [piece for parts in pieces for piece in parts]
        unseen = model.predict_proba(moderation_features(unheard, embedder.embed_queries(unheard), mean))
        told = np.column_stack([1 - unseen[:, 0], unseen[:, LABELS.index("self_harm")]])
        told = np.maximum.reduceat(told, first)
    threshold = float(np.float32(np.quantile(told[:, 0], 1 - FALSE_ALARMS)))
    care_threshold = float(np.float32(np.quantile(told[:, 1], 1 - CARE_FALSE_ALARMS)))
    stopped = (suspicion >= threshold) | (worry >= care_threshold)
    classifier = Classifier(
        model.coef_.astype(np.float32),
        model.intercept_.astype(np.float32),
        mean.astype(np.float32),
        threshold,
        care_threshold,
        tuple(rows),
        vectors[: len(rows)].astype(np.float32),
    )
    card = {
        "data": f"data/moderation: {len(rows)} rows written for this project, and {len(everyday)} everyday lines of "
        f"data/dialogues as normal talk; thresholds from {len(calibration)} lines of other families",
        "seed": seed,
        "command": "python -m ohlora.rag.moderation_training",
        "metrics": {
            "out_of_fold_recall_of_abuse": float(stopped[labels > 0].mean()),
            "out_of_fold_false_alarms_everyday": float(stopped[harmless].mean()),
            "out_of_fold_false_alarms_normal_rows": float(stopped[: len(rows)][labels[: len(rows)] == 0].mean()),
            "folds": FOLDS,
            "rows": len(everything),
        },
        "licence": "Apache-2.0",
        "embedder": embedder.model,
    }
    return classifier, card


def train_for(embedder: Embedder, held_out: bool = False, seed: int = 0) -> tuple[Classifier, dict]:
    """Train on all rows, or (held_out) without the test families and lines: the twin that is measured."""
    rows = load_rows()
    known = split_rows(rows)[0] if held_out else rows
    everyday = everyday_rows() if held_out else [*everyday_rows(), *everyday_rows("test", EVERYDAY["training"])]
    classifier, card = train_classifier(embedder, known, everyday, everyday_rows("calibration"), seed)
    card["held_out_families"] = held_out
    return classifier, card


def main() -> None:
    """Command line: train and write the weight file."""
    parser = argparse.ArgumentParser(description="Train the moderation classifier.")
    parser.add_argument("--profile", default="embedded")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--held-out", action="store_true", help="leave out the test families: the twin to measure")
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    name = HELD_OUT_WEIGHTS if arguments.held_out else WEIGHTS
    output = arguments.output or outputs_folder() / "weights" / f"{name}.safetensors"
    classifier, card = train_for(load_embedder(arguments.profile), arguments.held_out, arguments.seed)
    card["command"] += " --held-out" if arguments.held_out else ""
    print(save_classifier(output, classifier, card), card["metrics"], f"threshold {classifier.threshold:.3f}")


def _hash(name: str) -> int:
    return zlib.crc32(name.encode("utf-8"))


if __name__ == "__main__":
    main()
