"""Plain questions about her that a rule knows behind whatever else a message says: "ta. did you miss me?".

The network that knows what messages want (ohlora.rag.wants) hears a message as a whole: behind three sentences about a
dog "do you ever get nervous?" is lost. These wordings leave little doubt.
"""

from __future__ import annotations

import re
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.rag.complaint_words import holds_complaint
from ohlora.rag.sentences import sentences_of

HER_NAME = "name"
"""A fact that nobody else's could be taken for: "니 이름이 뭐꼬" asks for nothing told."""
_MOOD = "mood"
_YOU = r"(?:you|u|ya)"
_HER = r"(?:^|[\s.,!?~ㅋㅎㅠ])(?:너|넌|너는|니는|당신은|오로라\s?(?:님|씨|야)?(?:은|는|도)?)\s(?:혹시\s|근데\s)?"
_GRIEF = re.compile(
    r"돌아가셨|죽었|잘렸|쓰러[지졌]|\b(?:died|dead|funeral|fired|laid off|broke up|lost my)\b", re.IGNORECASE
)
_WAS_SAID = re.compile(r"^(?:이러|이래|그러|하고|하면서|라고|고\s)")  # "너 첫사랑 누구야? 이래서 당황함"
_REPORTED = re.compile(  # he texted "do you miss me?", "너 연애하냐?고 물어봤어"
    r"[?？]?[\"”’]?\s?(?:라고|냐고|고)\s?(?:물|묻|했|하|그러|그래|톡|카톡|문자)"
    r"|(?<!can i )(?<!let me )(?<!gonna )(?<!wanna )(?<!want to )(?<!wanted to )(?<!meant to )(?<!never )(?<!may i )"
    r"\b(?:ask(?:s|ed|ing)?|text(?:s|ed)?|(?<!you )(?:said|says)|wrote|goes|went|was like|messaged|keeps going)\b"
    r"[^.!?]{0,16}[\s,:\"“‘']*$",
    re.IGNORECASE,
)
_IMAGINES = r"\bwould (?:yo)?u (?:do|say|pick|choose|rather|want|go|be|live)\b|(?<![가-힣])(?:너|네|니)라면"
_VIEW = re.compile(
    r"(?:뭐가|어느\s?(?:게|쪽이)|어떤\s?게)\s?(?:더\s)?(?:나을|좋을|낫|나아)|(?:어떨|나을|좋을|[가-힣]\s걸)까"
    r"|[가-힣]까\s?말까(?!\s?하[는던])|우[째예찌]\s?생각|어떻노|어[케떻]\S*\s생각(?!했|한다고)|(?<![가-힣])(?:네|니|너의|오로라\S*)\s(?:생각|의견)|추천\s?(?:좀|해)(?!\s?(?:준|줬|주셨|달라|달랬|받))"
    rf"|\bwhat (?:would|do|should) (?:yo)?u (?:think(?! my)|do|say|pick|choose|suggest|recommend)\b|{_IMAGINES}",
    re.IGNORECASE,
)
_OFFERS = re.compile(
    r"(?:썰|얘기|이야기|사연|소식|비밀)\S*\s?(?:들을래|들어\s?[볼줄]래|(?:들려|풀어|말해|해)\s?줄까|궁금하)"
    r"|(?:^|\b(?:do )?(?:yo)?u )(?:wanna|want to) (?:hear|know) (?:about|what|how|a|the|my|something)\b"
    r"|\bcan i tell (?:yo)?u (?:something|about)\b",
    re.IGNORECASE,
)
_ASKS_FOR_FACT = re.compile(
    r"(?:언제|뭐|어디|며칠|누구)\S*(?:였|이)?(?:지|더라)|\b(?:when|where|what)(?:['’]?s| is| was) my\b"
)


def asks_for_her_view(message: str) -> bool:
    """Whether a message plainly asks for her view, not for what was told: "뭐가 나을까요?", "what would you do?"."""
    *others, last = sentences_of(message) or [""]
    return _VIEW.search(last) is not None and not any(map(_ASKS_FOR_FACT.search, others))


def offers_to_tell(message: str) -> bool:
    """Whether a message ends with an offer to tell something: "초밥 먹은 썰 들을래?", "wanna hear what he said?"."""
    *_, last = sentences_of(message) or [""]
    return _OFFERS.search(last) is not None


def asks_to_imagine(message: str) -> bool:
    """Whether a message asks what she would do in the user's place: nothing that was told answers that."""
    return re.search(_IMAGINES, message, re.IGNORECASE) is not None


def plainly_asked(message: str) -> str:
    """The fact of data/persona/oh_lora.yaml that a message plainly asks for at its end; "": none.

    The last sentence counts, and the one before it where the last does not ask; but how she is only where nothing that
    matters more is told: "how are you? my dog died", "ugh, he dumped me. how are you?".
    """
    *_, before, last = "", "", *sentences_of(message)
    if asked := _asked_in(last):
        return "" if asked == _MOOD and (holds_complaint(message) or _GRIEF.search(message)) else asked
    asked = "" if "?" in last or _WAS_SAID.match(last) else _asked_in(before)
    return "" if asked == _MOOD else asked


def _asked_in(sentence: str) -> str:
    """The fact that a sentence asks for, not that somebody else asked for: "she texted: do you miss me?"."""
    for fact, form in _patterns().items():
        if found := form.search(sentence):
            around = sentence[: found.start()], sentence[found.end() :]
            return "" if _REPORTED.search(around[0]) or _REPORTED.match(around[1]) else fact
    return ""


@cache
def _patterns() -> dict[str, re.Pattern[str]]:
    rows = yaml.safe_load((DATA / "persona" / "plain_questions.yaml").read_text(encoding="utf-8"))
    return {
        fact: re.compile("|".join(forms).replace("{you}", _YOU).replace("{her}", _HER), re.IGNORECASE)
        for fact, forms in rows.items()
    }
