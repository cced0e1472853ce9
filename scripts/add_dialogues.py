"""Turn a plain table of written rows into rows of data/dialogues, or only check it.

python scripts/add_dialogues.py rows.txt --group small_talk --language ko [--write]

One row a line, nine fields between `` | ``; ``-`` leaves a field to the script:

    family | user | reply | expression | intensity | memory | memories | history | now

memory: ``-`` for nothing, ``add key = value``, ``update key = value`` or ``forget key``.
memories: what she recalls, ``key: value ;; key: value``; ``.`` for none; ``-``: sometimes unrelated ones are added,
    so that she learns to leave them alone.
history: earlier turns, user first, hers last: ``user // hers // user // hers``.
now: ``07:30`` or ``2026-12-24T21:00``; ``-``: some time between 8 and 23.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

from ohlora.config import DATA
from ohlora.evaluation.llm import persona_questions
from ohlora.llm.dialogues import DialogueError, load_dialogues, parse_dialogue
from ohlora.llm.language import LANGUAGES
from ohlora.llm.reply_format import parse_reply, plain_letters
from ohlora.llm.rules import violations

UNRELATED_SHARE = 0.35
TOO_NEAR = 0.8  # share of letter pairs that a message may have in common with a question kept for the evaluation


def read_row(line: str, group: str, language: str, chance: random.Random, unrelated: list[str]) -> dict[str, Any]:
    """One line of the table as the fields of data/dialogues, without its id.

    Raises:
        ValueError: not nine fields, or a memory field that cannot be read.
    """
    fields = [field.strip() for field in line.split(" | ")]
    if len(fields) != 9:
        raise ValueError(f"nine fields are needed, this row has {len(fields)}")
    family, user, reply, expression, intensity, memory, memories, history, now = fields
    messages = [] if history == "-" else [part.strip() for part in history.split(" // ")]
    recalled = [] if memories in ("-", ".") else [part.strip() for part in memories.split(" ;; ")]
    if memories == "-" and memory == "-" and group != "memory" and chance.random() < UNRELATED_SHARE:
        recalled = chance.sample(unrelated, chance.randint(1, 2))
    return {
        "family": family,
        "language": language,
        "history": [
            {"role": "assistant" if index % 2 else "user", "content": content} for index, content in enumerate(messages)
        ],
        "memories": recalled,
        "now": _moment(now, chance),
        "user": user,
        "reply": reply,
        "expression": expression,
        "intensity": float(intensity),
        "memory": _operation(memory),
    }


def _operation(text: str) -> dict[str, str] | None:
    if text == "-":
        return None
    kind, _, rest = text.partition(" ")
    key, equals, value = (part.strip() for part in rest.partition("="))
    if (kind == "forget") == bool(equals):
        raise ValueError(f"memory={text!r} must be 'add key = value', 'update key = value' or 'forget key'")
    return {"kind": kind, "key": key, "value": value}


def _moment(text: str, chance: random.Random) -> str:
    day = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
    if text == "-":
        return f"{day}T{chance.randint(8, 22):02}:{chance.randint(0, 59):02}"
    return text if "T" in text else f"{day}T{text}"


def _pairs(text: str) -> set[str]:
    letters = plain_letters(text)
    return {letters[index : index + 2] for index in range(len(letters) - 1)}


def _is_near(left: set[str], right: set[str]) -> bool:
    return bool(left | right) and len(left & right) / len(left | right) > TOO_NEAR


def main() -> None:
    """Check every row, say what is wrong with which line, and append the rows if nothing is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--group", required=True)
    parser.add_argument("--language", choices=LANGUAGES, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="append to data/dialogues/<group>.<language>.jsonl")
    given = parser.parse_args()
    known = load_dialogues()
    asked = {(plain_letters(row.user), row.memories, row.history != ()) for row in known}
    said = Counter(row.reply for row in known)
    held_out = [_pairs(question.text) for question in persona_questions(held_out=True)]
    numbers = Counter(row.family for row in known if row.id.startswith(f"{given.group}-{given.language}-"))
    lines = {line for row in known if row.language == given.language for line in row.memories}
    unrelated = sorted(line for line in lines if not line.startswith("말투"))  # how she speaks is never unrelated
    chance, rows, wrong = random.Random(given.seed), [], []
    for number, line in enumerate(given.table.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            row = read_row(line, given.group, given.language, chance, unrelated)
            numbers[row["family"]] += 1
            row = {"id": f"{given.group}-{given.language}-{row['family']}-{numbers[row['family']]:02}", **row}
            dialogue = parse_dialogue(row)
            broken = violations(parse_reply(dialogue.target()), dialogue)
            if broken:
                raise ValueError(f"breaks the rules: {', '.join(broken)}")
            seen = (plain_letters(dialogue.user), dialogue.memories, dialogue.history != ())
            if seen in asked and seen[0]:
                raise ValueError(f"the message was asked before: {dialogue.user!r}")
            said[dialogue.reply] += 1
            if said[dialogue.reply] > 2:
                raise ValueError(f"the reply stands there twice already: {dialogue.reply!r}")
            if any(_is_near(_pairs(dialogue.user), question) for question in held_out):
                raise ValueError(f"too near to a question that is kept for the evaluation: {dialogue.user!r}")
            asked.add(seen)
            rows.append(row)
        except (DialogueError, ValueError) as error:
            wrong.append(f"line {number}: {error}")
    print(*wrong, sep="\n")
    print(f"{len(rows)} rows are fine, {len(wrong)} are not")
    if given.write and not wrong:
        path = DATA / "dialogues" / f"{given.group}.{given.language}.jsonl"
        with path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        print(f"added to {path}")


if __name__ == "__main__":
    main()
