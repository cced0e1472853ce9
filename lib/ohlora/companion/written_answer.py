"""What somebody wrote for nearly the same message, said as it stands.

A model of 270 million numbers garbles what it reads: beside the right dialogue it may still answer with nonsense. So a
message that nearly equals one that a dialogue was written for gets its answer (retrieval, as chat programs did before
language models), and the model speaks wherever nobody wrote anything.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence

from ohlora.llm.reply_format import ReplyProgress, stream_reply
from ohlora.rag import DialogueExamples

logger = logging.getLogger(__name__)

SHORTEST = 4  # letters; what is shorter hangs on what was said before
_OWN = re.compile(r"(^|\s)(내|제|우리|저희|나의)(\s|가\s|게\s)|\b(my|mine|our)\b", re.IGNORECASE)


def written_answer(
    examples: DialogueExamples | None, message: str, history: Sequence[dict[str, str]]
) -> Iterator[ReplyProgress] | None:
    """Her answer as a stream like the model's, or None where the model has to speak.

    None for short messages in the middle of a talk, for messages about the user's own things (only her memory knows
    them), and for answers that she gave in this conversation already.

    Args:
        examples: any object with the method ``written``; without it there are no written answers.
    """
    find = getattr(examples, "written", None)
    if find is None or _OWN.search(message) or (history and len(message) < SHORTEST):
        return None
    said = {one["content"] for one in history if one["role"] == "assistant"}
    try:
        found = next((dialogue for dialogue in find(message) if dialogue.reply not in said), None)
    except Exception:
        logger.exception("no written answers were found; the model speaks")
        return None
    return None if found is None else stream_reply(iter([found.target()]))
