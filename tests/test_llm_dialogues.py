"""Her dialogues: every row obeys the schema, no family lies on both sides of the split, rows become training text."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from ohlora.evaluation.llm import nearest_training_rows, persona_questions
from ohlora.llm.dialogues import (
    Dialogue,
    DialogueError,
    is_held_out,
    load_dialogues,
    parse_dialogue,
    split_dialogues,
    training_rows,
)
from ohlora.llm.reply_format import EXPRESSIONS, parse_reply
from ohlora.llm.rules import violations

GOOD = {
    "id": "x-1", "family": "x", "language": "ko", "history": [], "memories": [], "now": "2026-03-02T21:10",
    "user": "안녕", "reply": "안녕!", "expression": "happy", "intensity": 0.8, "memory": None,
}  # fmt: skip


@pytest.fixture(scope="module")
def dialogues() -> list[Dialogue]:
    return load_dialogues()


def test_there_is_enough_of_everything(dialogues: list[Dialogue]) -> None:
    languages = Counter(dialogue.language for dialogue in dialogues)
    kinds = Counter(dialogue.memory.kind for dialogue in dialogues if dialogue.memory)
    assert languages["ko"] >= 300 and languages["en"] >= 200
    assert len({dialogue.family for dialogue in dialogues}) >= 60
    assert {dialogue.expression for dialogue in dialogues} == set(EXPRESSIONS)
    assert all(kinds[kind] >= 10 for kind in ("add", "update", "forget"))
    assert any(dialogue.history for dialogue in dialogues) and any(dialogue.memories for dialogue in dialogues)


def test_her_own_replies_break_no_rule(dialogues: list[Dialogue]) -> None:
    broken = {}
    for dialogue in dialogues:
        rules = violations(parse_reply(dialogue.target()), dialogue)
        if rules:
            broken[dialogue.id] = (rules, dialogue.user, dialogue.reply, dialogue.memory)
    assert len(broken) <= 0.01 * len(dialogues), broken


def test_no_two_rows_ask_the_same_and_answer_differently_across_the_split(dialogues: list[Dialogue]) -> None:
    training, held_out = split_dialogues(dialogues)

    def asked(dialogue: Dialogue) -> tuple:
        return re.sub(r"\W+", "", dialogue.user), tuple(dialogue.memories), len(dialogue.history)

    seen = {asked(dialogue) for dialogue in training if re.sub(r"\W+", "", dialogue.user)}
    leaked = [dialogue.id for dialogue in held_out if asked(dialogue) in seen]
    assert len(leaked) <= 0.03 * len(held_out), leaked


def test_families_never_cross_the_split(dialogues: list[Dialogue]) -> None:
    training, held_out = split_dialogues(dialogues)
    assert not {dialogue.family for dialogue in training} & {dialogue.family for dialogue in held_out}
    assert len(training) + len(held_out) == len(dialogues)
    assert 0.03 < len(held_out) / len(dialogues) < 0.25
    assert {dialogue.language for dialogue in held_out} == {"ko", "en"}
    assert {dialogue.memory is None for dialogue in held_out} == {True, False}


def test_the_split_is_the_same_everywhere() -> None:
    held_out = {family for family in ("sad", "politics", "greeting_plain") if is_held_out(_row(family=family))}
    assert held_out == {"politics", "greeting_plain"}
    assert not is_held_out(_row(id="persona-ko-politics-01", family="politics"))


def test_held_out_questions_never_occur_in_training(dialogues: list[Dialogue]) -> None:
    questions = persona_questions(held_out=True)
    said = {dialogue.user for dialogue in dialogues}
    assert len(questions) >= 30 and not [one.text for one in questions if one.text in said]


def test_the_nearest_training_row_is_found_by_its_letters() -> None:
    training = [parse_dialogue({**GOOD, "user": text}) for text in ("good morning", "내일 면접이라 떨려", "안녕")]
    held_out = [parse_dialogue({**GOOD, "user": text}) for text in ("안녕", "오늘 면접이라 떨려")]
    places, cosines = nearest_training_rows(training, held_out)
    assert list(places) == [2, 1]
    assert cosines[0] == pytest.approx(1) and 0.3 < cosines[1] < 1


def test_rows_hold_prompt_and_completion() -> None:
    [row] = training_rows([_row(memories=["이름: 민수"])])
    assert row["completion"] == "happy 0.8\n안녕!\nmemory: none<end_of_turn>"
    assert row["prompt"].startswith("<start_of_turn>system\n") and "이름: 민수" in row["prompt"]
    assert row["prompt"].endswith("<start_of_turn>user\n안녕<end_of_turn>\n<start_of_turn>model\n")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"language": "fr"}, "fr"),
        ({"expression": "smug"}, "smug"),
        ({"intensity": 2}, "intensity=2"),
        ({"reply": "가" * 200}, "200 characters"),
        ({"reply": ""}, "reply"),
        ({"now": "yesterday"}, "yesterday"),
        ({"memory": {"kind": "eat", "key": "a", "value": "b"}}, "eat"),
        ({"memory": {"key": "a"}}, "kind"),
        ({"history": [{"role": "assistant", "content": "hi"}]}, "history"),
        ({"history": [{"role": "user", "content": "hi"}]}, "end with her reply"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_row_is_named(change: dict, part: str, tmp_path: Path) -> None:
    with pytest.raises(DialogueError, match=part):
        parse_dialogue({**GOOD, **change})
    lines = [json.dumps({**GOOD, "id": "x-0"}), json.dumps({**GOOD, **change})]
    (tmp_path / "bad.jsonl").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(DialogueError, match=r"bad.jsonl, line 2"):
        load_dialogues(tmp_path)


def test_ids_are_unique_and_a_folder_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DialogueError, match="no rows"):
        load_dialogues(tmp_path)
    (tmp_path / "twice.jsonl").write_text("\n".join([json.dumps(GOOD)] * 2), encoding="utf-8")
    with pytest.raises(DialogueError, match="twice"):
        load_dialogues(tmp_path)


def _row(**change: object) -> Dialogue:
    return parse_dialogue({**GOOD, **change})
