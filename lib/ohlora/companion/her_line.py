"""A message about what she just said: somebody answers her question, or asks back.

She takes up the answer, and explains the line; but who is sad is better comforted, who asks is answered, and a line
that was beside the point is taken back.
"""

from __future__ import annotations

from ohlora.companion.denial import contradicts
from ohlora.companion.draft import Draft
from ohlora.rag import GeneralAnswers
from ohlora.rag.follow_ups import ANSWERS_HER, ASKS_BACK, WHICH, read_follow_ups
from ohlora.rag.intents import GeneralAnswer

FITTED = 0.45
"""Probability that her line was a good answer from which she explains it when asked back. Of 72 such questions in talks
19 came after one, and contradicted nothing: explained .37 are good, taken back .42; of the others .19 and .60; of 47
written to her lines by people who liked them .85 and .19. "Which one?" is not among them: she always explains (of 10 in
talks .5 are good, taken back none)."""


def about_her_line(answers: GeneralAnswers | None, draft: Draft, said: str, before: str) -> list[GeneralAnswer]:
    """What was written for such a message (ohlora.rag.follow_ups); none where she had better say something else.

    Args:
        answers: tell whether the message sounds bad or asks, and whether her line was a good one; None: it is taken
            for granted that all is well.
        said: her last words. before: what the user said before it; "": nothing.
    """
    want = draft.reading.wants
    if want == ANSWERS_HER:
        passes = answers is None or not (answers.sounds_bad(draft.plain, before) or answers.seems_to_ask(draft.plain))
    elif want in ASKS_BACK - {WHICH}:
        passes = answers is None or not (contradicts(draft.plain) or answers.fit(said, before) < FITTED)
    else:
        passes = want == WHICH
    if not passes:
        return []
    found = read_follow_ups().answers(said, want, draft.plain)
    return [one for one in found if one.language == draft.language]
