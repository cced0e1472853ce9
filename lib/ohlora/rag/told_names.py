"""Whether what was taken for a name may be one, whose it is, and whose name is asked for.

"hiya, just in the door" tells none, "나 민재임" tells 민재; "what's my wife's name?" does not ask for the user's own.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.change_wording import tells_of_change
from ohlora.rag.korean_words import ends_in_consonant
from ohlora.rag.own_name import says_my_name

PLAIN_NAME_KEYS, NICKNAME_KEYS = ("이름", "name"), ("별명", "nickname")
NAME_KEYS = (*PLAIN_NAME_KEYS, *NICKNAME_KEYS)
"""Keys of memories under which the user's own name stands."""
_SPEAKS_OF_SELF = re.compile(r"(?<![가-힣])(저는|나는|난|전|나)\s|\b(i['’]?m|i am|my name)\b", re.IGNORECASE)
_DENIES = re.compile(r"^\W*(아니|아뇨|아녀|노노|no\b|nope\b|actually\b|wrong\b)", re.IGNORECASE)
_SPEAKS_OF_A_NAME = re.compile(r"이름|성함|불러|불리|\b(name\w*|call(ed)?|go by|going by)\b", re.IGNORECASE)
_I_AM = (
    r"((?<![가-힣])(저는|저|전|제가|나는|나|난|내가)\s{value}"
    r"|\b(i['’]?m|i am|this is|it['’]?s)\s{value}\b(?!['’]s|,? (my|our)\b)|^\W*{value} here\b)"
)
_ASKED_JUST_BEFORE = re.compile(r"[^.!?？]{6,}[?？]\s*$")
_HERE = re.compile(r"(?<![\w'’] )\b[a-z]{2,12} here\W*$", re.IGNORECASE)  # "my feet are frozen. tess here"
_MY_NAME_IS = re.compile(r"(?<![가-힣])(내|제|나의|저의)\s?이름(은|이)?\s?$|\bmy name(['’]?s| is)?\s$", re.IGNORECASE)
_I_IN_KOREAN = re.compile(r"(?<![가-힣])(나|난|나는|저|전|저는)\s$")
_BESIDE_A_GRADE = re.compile(  # "난 도현 고2임"
    r"[가-힣]{2,4}\s(고|중|초|대)[1-6](?=임|이야|야|이에요|예요|입니다|[\s,.!~ㅋㅎ]|$)"
)
_CALLS_ITSELF = re.compile(  # "yo whats good, im dev": no article, and hardly anything behind it
    r"(?:(?<=\bim )|(?<=\bi['’]m ))(?!\w*(?:ed|ing|er|or|ist|ian|nt)\b)"
    r"(?!(?:nurse|chef|cook|vet|clerk|guard|pilot|coach|vegan|mechanic|paramedic|barista|intern|temp|gay|single|freelance"
    r"|police|security|sales|army|staff|admin|finance|retail|deaf|busy|broke|lazy|hungry|sad|lonely|drunk|lost|trans|awake|down|high|cold|hot"
    r"|ill|mad|glad|late|sorry|fine|good|back|here|home"
    r"|done|new|sick|\w+ish|\w+ic|\w+ean)\b)[a-z]{3,10}"
    r"(?=\W*$|[,.!]*\s(?:btw|by the way|nice to|lol|haha|\d\d)\b)",
    re.IGNORECASE,
)
_INTRODUCES = re.compile(
    r"\b(?:yo+|hi+|hey+|hello+|heya|hiya|sup|what['’]?s (?:up|good)|nice to meet|first time)\b"
    r"|\bi['’]?m \w+,? (?:btw|by the way|\d\d)\b",
    re.IGNORECASE,
)
_MAY_BE_TAKEN_FOR = ("job", "nickname")  # keys under which such a name is read
_STANDS_ALONE = re.compile(r"[가-힣]{2,4}\s*(?:[.,!~]|$)")  # "안녕 나 민수. 우리 강아지는 콩이야"
_OF_A_CRUSH = re.compile(
    r"(좋아하는\s?(애|사람|오빠|누나|여자애|남자애)|짝사랑|썸[남녀])(\s?|[^!?]*([^가-힣\s]|데|고)\s?)이름(은|이)?\s?$"
)
PET_KEYS = ("반려동물", "pet")
_PETS_IN_KOREAN = "고양이|냥이|냥냥이|강아지|강쥐|멍멍이|댕댕이|반려|햄스터|토끼|거북이|앵무새|고슴도치|물고기"
_PETS = "dog|doggo|cat|pet|tortoise|hamster|rabbit|bunny|puppy|kitten|parrot|budgie|goldfish|guinea pig|ferret"
_PET = re.compile(rf"{_PETS_IN_KOREAN}|\b({_PETS})(s|['’]s)?\b", re.IGNORECASE)
_BREEDS_IN_KOREAN = (
    r"푸들|말티즈|말티푸|포메(?:라니안)?|시츄|비숑|치와와|요크셔|진돗개|시바|(?:골든)?\s?리트리버|(?:웰시)?\s?코기|닥스훈트|비글|믹스"
    r"|코숏|코리안\s?숏헤어|러시안\s?블루|페르시안|먼치킨|랙돌"
)
_BREEDS = (
    "fish|poodle|beagle|labrador|lab|retriever|corgi|shiba|pug|husky|terrier|kelpie|collie|tabby|siamese|persian"
    "|ragdoll|spaniel|dachshund|staffy|greyhound"
)
_KIND_OF_PET = re.compile(
    rf"(?:(?:an?|my|our|the)\s)?(?:{_PETS_IN_KOREAN}|{_BREEDS_IN_KOREAN}|{_PETS}|{_BREEDS})s?", re.IGNORECASE
)
_PET_OR_BREED = re.compile(rf"{_PET.pattern}|{_BREEDS_IN_KOREAN}|\b(?:{_BREEDS})\b", re.IGNORECASE)
_PEOPLE = re.compile(
    r"친구|가족|형제|자녀|아들|딸(?!기)|손주|손자|손녀|엄마|아빠|어머니|아버지|부모|할머니|할아버지"
    r"|남편|아내|배우자|애인|짝사랑|동생|언니|오빠|누나|^형(\s|$)|사위|며느리|사촌|조카|이모(?!티콘)|삼촌"
    r"|룸메|동료|상사"
    r"|\b(\w*friends?|family(?! name)|brothers?|sisters?|siblings?|child(ren)?|kids?|sons?|daughters?|mother|father"
    r"|mum|mom|dad|parents?|grand\w+|husband|wife|spouse|partner|fianc\w+|crush|cousins?|aunt|uncle|niece|nephew"
    r"|room ?mates?|colleagues?|boss)\b",
    re.I,
)
_BABY_OR_SOMEBODY = re.compile(rf"{_PEOPLE.pattern}|{_PET.pattern}|애기|아기|\bbab(y|ies)\b", re.IGNORECASE)
SURNAMES = frozenset("김이박최정강조윤장임한오서신권황안송류유전홍고문양손배백허남심노하곽성차주우구민")
_NO_NAMES = frozenset(
    [
        "hi", "hiya", "hey", "hello", "heya", "howdy", "yo", "sup", "morning", "mornin", "evening", "evenin",
        "night", "bye", "thanks", "cheerio", "cheers",
        "yes", "no", "ok", "okay", "lol", "haha", "today", "tomorrow", "yesterday",
        "안녕", "하이", "헬로", "방가", "반가워", "ㅎㅇ", "굿모닝", "오늘", "내일", "어제",
        "재수생", "삼수생", "취준생", "휴학생", "복학생", "대학생", "중학생", "고등학생", "대학원생", "학생",
        "직장인", "회사원", "백수", "주부",
    ]
)  # fmt: skip
_NAME_IS_TOLD = (
    r"^\W*{value}\s*([,.!~]|$|is fine|here|by the way|btw)|(이름|별명|닉네임|닉|나는|난|나|저는|전)\S*\s*{value}"
    r"|\b(i'?m|i am)\b[^!?.,;]{0,25}{value}"
    r"|\b(my name\S*|names?|name'?s|call(s|ed|ing)? me|this is|it'?s|its|known as|nick\w*|goes by|i go by"
    r"|introduc\w+|sign\w*|who'?s|as)\b[^!?]*{value}|{value}\W+([^.!?]*\b)?(here|is my name|'?s my name|speaking|btw)\b"
)
_SPOKEN_OF = (  # "Sheila's shouting me", "Jake has a thing", "don't say Emma": somebody is spoken of
    r"\b{value}('?s (?!the name|my name|fine|here)"
    r"| (is(?! what)|has|was|had|will|says?|said|wants?|needs?|helps?|keeps?|asked|and i(?!['’]))\b)"
    r"|(?<!^hi )(?<!^hey )(?<!^hello )\b(with|to|from|for|and|say|about|by|of|than|i'?ve got|got|tell|told|ask|asked"
    r"|miss|love|like|want|prefer|saw|met|seen)\s+{value}\b(?! x+\W*$)"
)
_PLAINLY_ENGLISH = (
    r"(\b(i['’]?m|i am|(the|my) (full |first |real |actual |new )?name(?:'s| is)?|call(?:s|ed)? me|this is|it'?s"
    r"|i go by"
    r"|changed my name to)\s+((just|actually|really|still|called|now)\s+)?{value}\b"
    r"|^\W*{value}\s*([,.!~]|$|here|by the way|btw))"
)
_NAME_IS_SAID = (
    r"{value}\s?(이?라고|이?라\s?해|이?야(?!말로)|이에요|예요|입니다|임(?![가-힣])|이요|요)(?![가-힣]{2})"
    r"|{value}(으?로|이?라고)\s?(불러|바꿨|바꾸|개명)|이름(은|이)\s?{value}\W*$|(?<![가-힣])(나|난|저는|전|나는|저)\s{value}(인데요?|이?라고?\s?합니다)?[\Wㅋㅎㅠㅜ]*$"
)
_WHICH_CHILD = r"(?:큰|작은|막내|첫째|둘째)?\s?"
_RELATIONS = {
    "ko": {
        "딸": rf"{_WHICH_CHILD}딸(?:내미|애)?", "아들": rf"{_WHICH_CHILD}아들(?:내미)?",
        "남편": "남편|신랑", "아내": "아내|와이프|집사람", "동생": "(?:남|여|막내|막냇)?동생",
        "여자친구": r"여친|여자\s?친구", "남자친구": r"남친|남자\s?친구", "룸메이트": "룸메(?:이트)?",
        "언니": "언니", "오빠": "오빠", "누나": "누나", "형": "형", "친구": "친구|절친|단짝|베프",
        "엄마": "엄마|어머니", "아빠": "아빠|아버지", "조카": "조카", "손주": "손주|손녀|손자", "며느리": "며느리",
        "사위": "사위", "짝사랑": r"짝사랑|썸[남녀]", "자녀": "자녀|큰애|작은애|첫째|둘째|막내|큰아이|작은아이",
    },
    "en": {
        "daughter": "daughter", "son": "son", "wife": "wife", "husband": "husband", "partner": "partner|fianc[eé]e?",
        "girlfriend": "girlfriend|gf", "boyfriend": "boyfriend|bf", "sister": "sister|sis", "brother": "brother|bro",
        "mother": "mother|mum|mom|mam|mama|momma", "father": "father|dad|papa",
        "grandmother": "grandmother|grandma|granny|gran|nana|nan",
        "grandfather": "grandfather|grandad|granddad|grandpa",
        "aunt": "aunt|auntie", "uncle": "uncle", "friend": "friend|bestie",
        "roommate": "roommate|flatmate|housemate", "niece": "niece", "nephew": "nephew",
        "cousin": "cousin", "mother-in-law": "mother[- ]in[- ]law", "crush": "crush",
        "grandson": "grand-?son", "granddaughter": "grand-?daughter", "grandchild": "grand-?(?:kid|child|children)",
        "child": "kid|child|children",
    },
}  # fmt: skip
"""Keys of memories, and the words that stand before a name of whom they tell."""
_IN_ENGLISH = {
    "딸": "daughter", "아들": "son", "남편": "husband", "아내": "wife", "여자친구": "girlfriend",
    "남자친구": "boyfriend", "룸메이트": "roommate", "친구": "friend", "언니": "sister", "누나": "sister",
    "오빠": "brother", "형": "brother", "엄마": "mother", "아빠": "father",
}  # fmt: skip
_SYNONYMS = {
    "hubby": "husband", "hubs": "husband", "missus": "wife", "wifey": "wife", "마누라": "wife", "baby": "child",
    "kiddo": "child", "toddler": "child", "아기": "child", "애기": "child", "막둥이": "child", "mate": "friend",
    "bff": "friend", "buddy": "friend", "pal": "friend", "짝꿍": "friend", "베스트프렌드": "friend",
}  # fmt: skip
_MAY_BE_CHILDREN = ("boy", "girl", "boys", "girls", "twin", "twins")  # or a dog, a girlfriend, a sister
_MAY_BE = (
    {"partner", "wife", "girlfriend"}, {"partner", "husband", "boyfriend"}, {"friend", "roommate"},
    {"sister", "동생"}, {"brother", "동생"}, {"niece", "조카"}, {"nephew", "조카"}, {"child", "son"},
    {"child", "daughter"}, {"child", "자녀"}, {"자녀", "son"}, {"자녀", "daughter"}, {"grandchild", "grandson"},
    {"grandchild", "granddaughter"}, {"grandchild", "손주"}, {"crush", "짝사랑"},
    {"crush", "girlfriend"}, {"crush", "boyfriend"},
)  # fmt: skip
"""Of these one may be another: a partner may be a wife, a 동생 is a sister or a brother."""
_CALLED = {
    "ko": r"(?<![가-힣])(?<!전 )(?<!(?:친구|누나|언니|오빠|동생|엄마|아빠|남편|아내|여자|남자) )(?<!형 )(?:{relation})"
    r"(?:\s?이름(?:은|이)?|은|는|이)?\s?$",
    "en": r"(?:\b(?:my|our)\s+(?!late |ex |ex-)(?:\w+\s+){0,2}|(?:^|[.!?,]\s))(?:{relation})"
    r"(?:'?s name(?: is|'s)?| is called| called| named|,)?\s$",
}
_ANOTHER = re.compile(
    r"(아내|마누라|와이프|집사람|남편|신랑|딸|아들|자식|애기|아기|엄마|아빠|어머니|아버지|동생|언니|오빠|누나|(?:(?<![가-힣])|(?<=우리))형(?!제)|여자\s?친구|남자\s?친구|친구|여친|남친|애인|사귀는"
    rf"|{_PETS_IN_KOREAN}|사위|며느리|손주|손녀|손자|할머니|할아버지|룸메|선생|쌤|팀장|사장|상사|동료|회사|가게|학교)"
    r".*(?:이름|뭐라고?\s?(?:불|하|했|지)|누구)|(?:얘|걔|쟤|애|사람)\s?(?:이름|누구)"
    r"|\b(wife|husband|partner|girlfriend|boyfriend|gf|bf|ex|son|daughter|kid|lad|baby|mother|father|mum|mom|dad|brother|sister"
    rf"|friend|mate|{_PETS}|boss|teacher|neighbou?r|roommate|grand\w+?|niece|nephew|uncle|aunt|cousin"
    r"|company|shop|school)(?:'?s|s'?)?\b.*\b(?:names?|called)\b|\b(?:his|her|their) names?\b"
    r"|(?<![가-힣])(?:우리|내|제|저희)\s(?!진짜|본|영어|한국|한글|일본어|중국어|풀|원래|예전|새|게임|바뀐|성)([가-힣]{1,8}?)(?:의)?\s이름"
    r"|\bmy (?!(?:full|first|last|middle|nick|own|real|whole|user|english|korean|japanese|chinese|given|maiden|actual"
    r"|family|stage|pen|gamer?|screen|new|old|legal|preferred|birth|married|name)\b)(\w+?)"
    r"(?:['’]?s)? names?\b"
    r"|\bnames? (?:of|has) (?:my|our) (?:(?:little|big|older|younger|two|three|both) )*(\w+?)(?:(?<!s)s)?\b"
    r"|\bname (?:of|has) (?:my|the|that|our)\b|\bhow (?:is|are) the names?\b|\bwho(?:'?s| is) my (\w+)\b",
    re.IGNORECASE,
)


def plain_name(key: str, value: str) -> str:
    """A value as a name is written, where it is one: 민재임 → 민재, but not 김순임; priya → Priya."""
    if key.casefold() not in NAME_KEYS:
        return value
    if value.isascii() and value.islower() and key.casefold() not in NICKNAME_KEYS:
        return value.title() if value.replace(" ", "").isalpha() else value
    given_name = re.fullmatch(r"(?![김이박최정강조윤장임한오서신권황안송류전홍])[가-힣]{2}임|[가-힣]{3}임", value)
    return value[:-1] if given_name else value


def called(name: str) -> str:
    """How a friend calls somebody in Korean: 김도현 → 도현아, 서아 → 서아야; other names stay."""
    has_surname = re.fullmatch("[가-힣]{2}[^이]", name) and name[0] in SURNAMES
    given = name[1:] if has_surname else name
    if not re.fullmatch("[가-힣]{2,3}", given):
        return name
    return given + ("아" if ends_in_consonant(given) else "야")


def is_of_people(key: str) -> bool:
    """Whether a memory under a key tells of somebody beside the user."""
    return _PEOPLE.search(key) is not None


def key_of_named(key: str, message: str, begin: int) -> str:
    """The key of a fact whose words begin at a place: "my daughter |Emma" → daughter, "hi. |tess here" → name.

    Args:
        key: that was read; it stays where it is no name and nobody's, but not behind "my name is", and
            who says "im dev" is no developer.
    """
    may_be_a_name = key.casefold() in (*NAME_KEYS, *PET_KEYS) or is_of_people(key)
    if may_be_a_name and _HERE.match(message, begin):
        return PLAIN_NAME_KEYS[1]
    says_so = _BESIDE_A_GRADE.match(message, begin) or (may_be_a_name and _STANDS_ALONE.match(message, begin))
    if says_so and _I_IN_KOREAN.search(message[:begin]):
        return PLAIN_NAME_KEYS[0]
    if key in _MAY_BE_TAKEN_FOR and _INTRODUCES.search(message) and _CALLS_ITSELF.match(message, begin):
        return PLAIN_NAME_KEYS[1]
    if own := _MY_NAME_IS.search(message[:begin]):
        return PLAIN_NAME_KEYS[0 if re.search("[가-힣]", own[0]) else 1]
    if _OF_A_CRUSH.search(message[:begin]):
        return "짝사랑"
    own = key.casefold() in NAME_KEYS and _SPEAKS_OF_SELF.search(message[:begin])
    if own or not may_be_a_name:
        return key
    for language, relations in _RELATIONS.items():
        for relation, words in relations.items():
            if re.search(_CALLED[language].replace("{relation}", words), message[:begin], re.IGNORECASE):
                return relation
    return key


def calls_itself(name: str, message: str) -> bool:
    """Whether a message introduces the user by a name in the shortest way: "yo whats good, im dev", "im dev btw"."""
    found = re.search(rf"\bi['’]?m {re.escape(name)}(?!\w)", message, re.IGNORECASE)
    told = found is not None and _CALLS_ITSELF.match(message, found.end() - len(name))
    return bool(told and _INTRODUCES.search(message))


def is_said_as_name(value: str, message: str) -> bool:
    """Whether a message plainly says that a value is the user's name: "이정숙이라고 해요", "I'm Dale"."""
    said = _NAME_IS_SAID if re.search("[가-힣]", value) else _PLAINLY_ENGLISH
    return re.search(said.replace("{value}", re.escape(value)), message, re.IGNORECASE) is not None


def may_be_renamed(value: str, message: str, former: Collection[str] = ()) -> bool:
    """Whether a further name of a user whose name is known may be one.

    "저는 정약용입니다" behind the question whom one would like to meet is none, nor is "미경이라고 해요" of a wife.

    Args:
        former: names that were known before: one of these may come back ("아니, 저는 박정호입니다").
    """
    if value in former or tells_of_change(message):
        return True
    if not is_said_as_name(value, message):
        return False
    written = re.search(_I_AM.replace("{value}", re.escape(value)), message, re.IGNORECASE)
    answers_itself = written is not None and _ASKED_JUST_BEFORE.search(message[: written.start()])
    plainly = written is not None and not answers_itself
    return bool(plainly or _DENIES.search(message) or _SPEAKS_OF_A_NAME.search(message))


def relations(language: str) -> dict[str, str]:
    """The words that name somebody, as a regular expression, by the key of memories about them; pets are the last.

    Args:
        language: ``"ko"`` or ``"en"``.
    """
    if language == "ko":
        return _RELATIONS["ko"] | {PET_KEYS[0]: f"{_PETS_IN_KOREAN}|{_BREEDS_IN_KOREAN}"}
    return _RELATIONS["en"] | {PET_KEYS[1]: f"{_PETS}|{_BREEDS}"}


def pet_key(word: str, language: str) -> str:
    """The key of pets where a word names one, else "". language: ``"ko"`` or ``"en"``, of the key."""
    return PET_KEYS[0 if language == "ko" else 1] if _PET.fullmatch(word) else ""


def names_a_pet(text: str) -> bool:
    """Whether a text speaks of a pet, or of a kind of them."""
    return _PET_OR_BREED.search(text) is not None


def relation_key(word: str, language: str) -> str:
    """The key under which somebody is known whom a word names: "와이프" → 아내, "gf" → girlfriend; "": it names nobody.

    Args:
        language: ``"ko"`` or ``"en"``, of word and key.
    """
    relations = _RELATIONS[language].items()
    return next((name for name, words in relations if re.fullmatch(words, word, re.IGNORECASE)), "")


def is_no_name(key: str, value: str, message: str) -> bool:
    """True where a value under the key of a name is somebody else's, a greeting, a number, or a small word."""
    if key.casefold() not in NAME_KEYS:
        return False
    name = value.strip(" .,!?~").casefold()
    written = [*re.finditer(re.escape(value), message, re.IGNORECASE)]
    if any(key_of_named(key, message, one.start()) not in (key, *PLAIN_NAME_KEYS) for one in written):
        return True
    if name in _NO_NAMES or re.fullmatch(r"\d+\S?", name):
        return True
    told = re.search(_NAME_IS_TOLD.replace("{value}", re.escape(name)), message, re.IGNORECASE)
    somebody = re.search(_SPOKEN_OF.replace("{value}", re.escape(name)), message, re.IGNORECASE)
    small = written[0][0].islower() if written else value.islower()  # as it is written, not as it is stored
    return value.isascii() and told is None and (small or somebody is not None)


def whose_name_is_asked(message: str) -> str:
    """The word for somebody else, or a pet, whose name a message asks for: "dog", "his name"; "": it does not.

    The user's own name is no answer then.
    """
    asked = None if says_my_name(message) else _ANOTHER.search(message)
    whose = next(filter(None, [*asked.groups(), asked[0]])) if asked else ""
    return re.sub(r"(?<!^아)들$", "", whose)  # 고양이들, but 아들


def may_be_the_name(words: str, question: str) -> bool:
    """Whether words may be the name for which a question asks: neither whose it is, nor a kind of animal.

    Of "my rabbit Turnip" the rabbit is none, of "감자가 위로해 줌, 얘 푸들임" the poodle. True where none is asked for.
    """
    whose = whose_name_is_asked(question)
    others = re.sub(rf"{re.escape(whose)}|\b(my|our|the)\b|^(우리|내|제)\s", "", words, flags=re.IGNORECASE)
    is_kind = _PET.search(whose) and _KIND_OF_PET.fullmatch(words.strip()) and not words[:1].isupper()
    return not whose or bool(plain_letters(others) and not is_kind)


def is_of_another(key: str, message: str) -> bool:
    """Whether a memory under a key is about somebody else than the one whose name a message asks for.

    "What's my girlfriend's name?" is not answered by "sister: Anjali" nor by "pet: Rex".
    """
    whose = whose_name_is_asked(message)
    asked = _relation(whose)
    if _PET.search(message):  # "my daughter's dog"
        return bool(whose) and bool(_relation(key)) and not asked
    return bool(asked) and (key in PET_KEYS or not (_relation(key) == "" or may_be_the_same(key, whose)))


def may_be_the_same(key: str, word: str) -> bool:
    """Whether a memory under a key may be about whom a word names: "child", "daughter"; "반려동물", "강아지"."""
    if key in PET_KEYS:
        return _PET.fullmatch(word) is not None
    told, asked = _relation(key), "child" if word.casefold() in _MAY_BE_CHILDREN else _relation(word)
    return bool(told) and (told == asked or any({asked, told} <= some for some in _MAY_BE))


def is_told_of_another(value: str, text: str, question: str) -> bool:
    """Whether a text calls somebody else by a value than the one whose name a question asks for.

    "딸 이름이 뭐지?" is not answered by "남편 민석이는 교대근무라", "what's my sister called?" not by "my mom Denise".
    """
    place, asked = text.find(value), whose_name_is_asked(question)
    several = len({one[0] for one in _BABY_OR_SOMEBODY.finditer(question)}) > 1  # "누나 애기 이름 뭐였지"
    if not value or place < 0 or not asked or several:
        return False
    key = key_of_named(PLAIN_NAME_KEYS[0], text, place)
    return key not in NAME_KEYS and is_of_another(key, question)


def _relation(word: str) -> str:
    """What somebody is to the user, in English where that says it: of the key "여자친구", of the word "gf"; else ""."""
    key = next(filter(None, (relation_key(word, language) for language in _RELATIONS)), "")
    return _IN_ENGLISH.get(key, key) or _SYNONYMS.get(word.casefold(), "")


def speaks_of_another(text: str) -> bool:
    """Whether a text speaks of somebody beside the user, by what they are, or of a pet."""
    return _BABY_OR_SOMEBODY.search(text) is not None or names_a_pet(text)


def is_a_relation(word: str) -> bool:
    """Whether a word says what somebody is to the user: "granddaughter", "여동생"."""
    return bool(_relation(word))


def may_tell_own_name(words: str, text: str) -> bool:
    """Whether words of a text may be the user's own name."""
    if not words or is_no_name(PLAIN_NAME_KEYS[0], words, text):
        return False
    return words.isascii() or is_said_as_name(words, text)
