"""She did not know what was asked for, and asked back: the next message likely answers that, whatever it looks like.

"When's my birthday?" – "I don't know that about you. What is it?" – "9 March!" is no wedding, and after "what's my
wife's name?" nobody says the own one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ohlora.companion.kind_of_answer import can_answer
from ohlora.llm.language import text_language
from ohlora.rag import Reading
from ohlora.rag.fact_reader import Fact
from ohlora.rag.korean_words import morphemes
from ohlora.rag.message_reader import POSSIBLE
from ohlora.rag.proposals import CLEAR_KEY
from ohlora.rag.sentences import sentences_of, stands_in
from ohlora.rag.told_names import NAME_KEYS, is_a_relation, is_of_people, pet_key, relation_key, whose_name_is_asked

_SHORTEST_KEY = {"ko": 2, "en": 3}  # letters: "형" stands in other words, too
_DECLINES = re.compile(
    r"됐어|아냐|아니야|몰라|글쎄|비밀|안\s?알려|나중에|\b(nvm|never ?mind|idk|not telling|no idea|forget it|guess)\b",
    re.IGNORECASE,
)
_NOT_TOLD_YET = re.compile(  # "아냐 말한 적 없어 ㅎㅎ 5월 17일이에요"
    r"말(?:한|해\s?준)\s?(?:적|거|기억)\s?(?:은|이|도)?\s?없|안\s?(?:말|알려)\S*\s?[했줬]"
    r"|\b(?:never|haven['’]?t|didn['’]?t) (?:told|tell|say|said)\b",
    re.IGNORECASE,
)
_NAME_IN_KOREAN = re.compile(  # "아 뭉치라고 뭉치ㅠㅠ", "도희라고 함", "뭉치!"
    r"^(?:(?:아+|어|응|야|에이|헐|참|아니|아니요|네)\s|[ㄱ-ㅎㅏ-ㅣ.~!\s])*(?P<name>[가-힣]{2,5}?)"
    r"(?P<ending>이?잖아|이?라고(?:\s?(?:했|함|해)\S*)?|이?라니까|야|이에요|예요|이요|임|입니다)?요?"
    r"(?=[\s!.,~ㅋㅎㅠㅜㅡ]|$)(?P<again>.*)",
    re.DOTALL,
)
_NAME_IN_ENGLISH = re.compile(  # "its Miguel!", "she's called Biscotti", "Biscotti"
    r"^(?:\W|\b(?:no+|oh|oof|um|uh|well|so|ha(?:ha)*|aw+|hey|lol)\b)*"
    r"(?P<leads>(?:it|that|s?he|they)(?:['’]?s| is| was|['’]re| are)(?: called| named)? |called "
    r"|(?:his|her|their|its|the|my \w+['’]?s) name(?:['’]?s| is| was) )?"
    r"(?P<name>[a-zà-ž][a-zà-ž'’-]+(?: (?-i:[A-Z])[a-zà-ž]+)?)(?=[!.,~]|$| (?:lol|haha|of course|obviously))",
    re.IGNORECASE,
)
_NO_NAME = re.compile(
    r"^(?:yes|yeah|yep|no|nope|ok(?:ay)?|sure|right|wrong|hm+|ha(?:ha)*|lol|wow|why|what|who|sorry|thanks?|please|nothing|nobody"
    r"|really|seriously|correct|exactly|maybe|wait|hello|hey|bye|close|good|great|fine|cute|sad|rude|ouch|later|a|the|not|just|way|idea|clue|chance|true|you|i|me"
    r"|yup|yea|ya|nah|whatever|bruh|bro|dude|man|lmf?ao|oops|u+gh+|damn|omg|dunno|think|al+right|complicated|weird|funny"
    r"|unfair|dead|gone)$"
    r"|^(?:진짜|정말|맞아|맞다|틀렸|땡|힌트|미안|괜찮|그래|뭐|누구|왜|아까|어제|오늘|이름|헐|대박|몰라|글쎄|비밀|됐"
    r"|바보|멍청|농담|장난|거짓말|실망|퀴즈|테스트|문제|아쉽|슬프)",
    re.IGNORECASE,
)


def key_asked_for(question: str, keys: Sequence[str]) -> str:
    """The key of the fact about the user, or of who is the user's, that a question asks for; "" where it names none.

    Args:
        keys: that may be meant, each behind "my": the longest is.
    """
    language = text_language(question) or "ko"
    whose = whose_name_is_asked(question)
    if whose:
        return pet_key(whose, language) or relation_key(whose, language)
    if is_of_people(question):
        return ""  # "when's my brother's birthday?"
    possible = [key for key in keys if len(key) >= _SHORTEST_KEY[language] and key.casefold() not in NAME_KEYS]
    mine = r"(?:(?<![가-힣])(?:내|제|나의|저의)|\b(?:my|our))\s(?:next\s)?"
    ends = (  # no further noun: "my job interview" is no job
        r"(?=(?:[은는이가도을를]|['’]?s)?\s*(?:\W*$|뭐|뭘|언제|며칠|어디|몇|얼마|누구|무슨|어느|알|기억|[이였]|야|지"
        r"|(?:again|is|was|on|called|now|and|then)\b))"
    )
    named = [key for key in possible if re.search(f"{mine}{re.escape(key)}{ends}", question, re.IGNORECASE)]
    return max(named, key=len, default="")


def as_answer(reading: Reading, message: str, question: str, keys: Sequence[str]) -> Reading:
    """What is read of a message that follows a question which she could not answer: its first fact is the answer.

    Not where that is surely something else, or cannot be the answer.

    Args:
        reading: of the message. question: that she could not answer; "": there is none. keys: see key_asked_for.
    """
    sentences = sentences_of(message)
    tells = [one for one in sentences if any(stands_in(fact.value, one) for fact in reading.facts)]
    first = next((one for one in sentences if one in tells or not _NOT_TOLD_YET.search(one)), "".join(sentences[:1]))
    if not question or _DECLINES.search(first) or not (key := key_asked_for(question, keys)):
        return reading
    if whose_name_is_asked(question) and (name := _name_alone(message)):
        others = tuple(fact for fact in reading.facts if name not in fact.value)
        return replace(reading, tells=max(reading.tells, POSSIBLE), facts=(Fact(key, name, 1.0), *others))
    told = [fact for fact in reading.facts if stands_in(fact.value, first) and can_answer(question, fact.value)]
    answer = min(told, key=lambda fact: first.index(fact.value), default=None)
    if answer is None or (answer.key_probability >= CLEAR_KEY and answer.key.casefold() not in NAME_KEYS):
        return reading
    facts = [replace(fact, key=key, key_probability=1.0) if fact is answer else fact for fact in reading.facts]
    return replace(reading, facts=tuple(facts))


def _name_alone(message: str) -> str:
    """The name that a message says where one was asked for: "뭉치잖아 뭉치!!", "its Miguel!"; "": it says none so."""
    if found := _NAME_IN_ENGLISH.match(message):
        name, alone = found["name"], not message[found.end() :].removesuffix("lol").strip(" !.~")
        plainly = found["leads"] or alone or name[:1].isupper()
        return name if plainly and _may_be_a_name(name) else ""
    found = _NAME_IN_KOREAN.match(message)
    if found is None or not _may_be_a_name(found["name"]):
        return ""
    is_noun = all(one.tag.startswith("NN") or one.form == "이" for one in morphemes(found["name"]))
    plainly = is_noun and (found["ending"] or not found["again"].strip(" !.~ㅋㅎㅠㅜ"))
    twice = re.search(rf"(?<![가-힣]){found['name']}(?![가-힣])", found["again"])  # "뭉치잖아 뭉치": it may be a verb
    return found["name"] if plainly or twice else ""


def _may_be_a_name(word: str) -> bool:
    """Whether a word may be somebody's name: neither a mere reaction nor what they are, "고양이"."""
    return not (_NO_NAME.search(word) or is_a_relation(word) or pet_key(word, "en"))
