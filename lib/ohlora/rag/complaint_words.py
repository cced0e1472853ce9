"""Words that hardly anybody uses but to complain: "개빡침", "독박육아", "ugh", "rough day".

The network of intents takes a complaint that laughs ("ㅋㅋㅋ 진상 만나서 개빡침") for fun. Of 553 messages of
messages.jsonl and judged.jsonl in data/answers that hold one of the words below .81 tell of something bad, .016 of
something good.
"""

from __future__ import annotations

import re

_COMPLAINS = re.compile(
    r"빡[침치쳐친]|짜증|(기분|느낌)\S*\s?(구려|구리|구림|더러|잡[쳤침]|별로)|개소름|소름\s?끼|현타|극혐|기겁|독박"
    r"|죽을\s?맛|망했|망함|서럽|속상|억울|우울|울고\s?싶"
    r"|힘들(다|어|었|게|더|지|ㅠ)|지[친쳤]다|지쳐"
    r"|깨졌|깨짐|(?<![기이결미])혼[났남]|탈락|(?<![내첫막그새제] )(?<!만)차였|헤어졌|싸웠"
    r"|진상|답답|불안|열\s?받|(?<![워서] )미치겠|노답"
    r"|잠을?\s?(통\s)?못\s?(자|잤)|못\s?잤|밤\s?샜"
    r"|(?<![가-힣])하\.\.|에휴|(?<!밥)도둑|외로워|외롭다|갈굼|갈궈"
    r"|(?<!not )(?<!less )\b(ugh+|awful|horrible|hate (my|this|(it )?when)|stressed|anxious|exhausted"
    r"|gutted|heartbroken|skint|pissed off|freaking out|nightmare|rough (day|week|night|one|time)"
    r"|(it|this|that|life|work|school|which|today) sucks|(so|really) sad"
    r"|passed away|dumped me|yelled at me|screamed at me|dreading)\b",
    re.IGNORECASE,
)


def holds_complaint(message: str) -> bool:
    """Whether a message holds words of a complaint."""
    return _COMPLAINS.search(message) is not None
