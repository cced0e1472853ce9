"""How people tell what they do for a living: "병원에서 일해", "I drive a bus", "이직했어".

The network that finds facts takes other words for a job, too ("I'll feed Mochi and go to bed").
"""

from __future__ import annotations

import re

JOB_KEYS = ("직업", "job")
"""Keys of memories under which the user's job stands."""
_SAYS_ITS_JOB = re.compile(
    r"직업|(?<!서서 )일(?:해|하고 있|한다|합니다)|다녀|다닌|근무|출근|전직|이직|입사|취직|취업|합격|알바|됐|되었|아니"
    r"|몬다|몰[아고]"
    r"|(?<=[가-힣])(?:이?야|이?에요|예요|입니다|임|거든)(?=[\s.,!~ㅋㅎ]|$)"
    r"|\b(?:i['’]?m|i am)\b(?! (?:in|at|on|off|with|near)\b)|\bi (?:work|teach|run|drive)\b|\bmy (?:new )?job\b"
    r"|\bas an?\b|\bhired\b|\b(?:got|started) (?:a |my )?(?:new )?job\b|\bfor a living\b",
    re.IGNORECASE,
)


def says_a_job(message: str) -> bool:
    """Whether a message is worded as one that tells what the user does for a living."""
    return _SAYS_ITS_JOB.search(message) is not None
