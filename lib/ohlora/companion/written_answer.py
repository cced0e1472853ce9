"""What somebody wrote, said as it stands: for a message like this one, or for what such a message does.

A model of 270 million numbers garbles what it reads: beside the right dialogue it may still answer with nonsense. So
she gives the answer of a dialogue that fits (retrieval, as chat programs did before language models); where none does,
an answer that fits whatever does what the message does (ohlora.rag.dialogue_acts). The model speaks elsewhere: about
what she remembers and is told, and where nothing is sure. A question about herself is answered by any dialogue about
the fact that it asks for.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from ohlora.llm.reply_format import ReplyProgress, stream_reply
from ohlora.rag import DialogueActs, DialogueExamples, Reading, detect_language

logger = logging.getLogger(__name__)

SHORTEST = 4  # letters; what is shorter hangs on what was said before


def written_answer(
    examples: DialogueExamples | None, message: str, history: Sequence[dict[str, str]], about_her: str = ""
) -> Iterator[ReplyProgress] | None:
    """Her answer as a stream like the model's, or None where nobody wrote one that fits.

    None also for short messages in the middle of a talk, and for answers that she gave in this conversation already.

    Args:
        examples: any object with the method ``written``; without it there are no written answers.
        about_her: the fact about her that the message asks for, where that is known.
    """
    find = getattr(examples, "written", None)
    if find is None or (not about_her and history and len(message) < SHORTEST):
        return None
    known = {"about_her": about_her} if about_her else {}
    try:
        return _first_new(find(message, **known), history)
    except Exception:
        logger.exception("no written answers were found; she answers otherwise")
        return None


def general_answer(
    acts: DialogueActs | None, reading: Reading, message: str, history: Sequence[dict[str, str]]
) -> Iterator[ReplyProgress] | None:
    """An answer to what the message does, or None where that is not clear. acts: None: there are none."""
    if acts is None:
        return None
    try:
        return _first_new(acts.answers(reading, message, detect_language(message)), history)
    except Exception:
        logger.exception("no general answers were found; the model speaks")
        return None


def _first_new(found: Sequence, history: Sequence[dict[str, str]]) -> Iterator[ReplyProgress] | None:
    """The first answer that she did not give in this conversation. found: with ``reply`` and ``target()``."""
    said = {one["content"] for one in history if one["role"] == "assistant"}
    answer = next((one for one in found if one.reply not in said), None)
    return None if answer is None else stream_reply(iter([answer.target()]))
