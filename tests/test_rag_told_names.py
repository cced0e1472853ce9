"""A greeting is no name, and who asks for the dog's name does not want to hear their own."""

import pytest
from companion_parts import NOW, LetterEmbedder

from ohlora.llm.reply_format import MemoryOperation
from ohlora.rag import MemoryStore, remember
from ohlora.rag.extraction import check_operation
from ohlora.rag.own_name import asks_for_own_name, names_the_own_name
from ohlora.rag.relevance import CosineRelevance
from ohlora.rag.told_names import (
    called,
    calls_itself,
    is_no_name,
    is_of_another,
    is_told_of_another,
    key_of_named,
    may_be_renamed,
    may_be_the_name,
    may_be_the_same,
    may_tell_own_name,
    plain_name,
    whose_name_is_asked,
)


@pytest.mark.parametrize(
    ("value", "message", "is_none"),
    [
        ("hiya", "hiya, just in the door from work", True),
        ("Hey", "Hey there", True),
        ("tomorow", "tomorow i finish it i hope", True),
        ("19일", "아니 그거 19일로!!", True),
        ("안녕", "안녕 ㅎㅎ", True),
        ("marcus", "im marcus btw", False),
        ("zainab", "zainab here", False),
        ("Priyanka", "Priyanka is fine", False),
        ("지훈", "나 지훈이야", False),
        ("jess", "내 이름은 jess야", False),
        ("minji", "minji, nice to meet you", False),
        ("neo7", "they call me neo7", False),
        ("Sheila", "Right, Sheila's shouting me for my tea", True),
        ("Jake", "it got pushed, Jake has a thing", True),
        ("Emma", "who am i, and dont say Emma", True),
        ("Winston", "last fare dropped off. Winston, twenty two years behind this wheel", False),
        ("Saoirse", "Saoirse's the name, before you ask", False),
        ("cheerio", "Cheerio for now", True),
        ("Leon", "Jonas wants Otto and i want Leon", True),
        ("Sheila", "Oh I'm alright, I've got Sheila", True),
        ("Just In The Door", "hiya, just in the door", True),
        ("Emma", "my daughter emma loves cats", True),
        ("Mornin", "mornin. stuck at a weigh station", True),
        ("재수생", "암튼 나 재수생임.. 부산 살고", True),
        ("Tara", "Hi, I'm Tara", False),
        ("Dave", "hiya mate, Dave here", False),
        ("Amy", "I'm Jake's sister Amy", False),
        ("Priya", "hello from Priya!", False),
        ("Priya", "Priya and I'm 24", False),
        ("Emma", "love Emma x", False),
    ],
)
def test_what_may_be_a_name(value: str, message: str, is_none: bool) -> None:
    assert is_no_name("name", value, message) is is_none
    assert not is_no_name("home", value, message)


def test_what_is_no_name_is_not_stored() -> None:
    assert check_operation(MemoryOperation("add", "name", "hiya"), "hiya, just in the door") == "no value"
    assert check_operation(MemoryOperation("add", "job", "the"), "i have a shift at the campus") == "no value"
    assert check_operation(MemoryOperation("add", "name", "Marcus"), "im Marcus btw") is None
    assert check_operation(MemoryOperation("add", "job", "IT"), "I work in IT") is None
    assert check_operation(MemoryOperation("add", "혈액형", "A"), "혈액형은 A야") is None


def test_the_ending_of_casual_korean_is_no_part_of_a_name() -> None:
    assert plain_name("이름", "민재임") == "민재" and plain_name("이름", "혜임") == "혜임"
    assert plain_name("이름", "김순임") == "김순임" and plain_name("이름", "김민재임") == "김민재"
    assert plain_name("습관", "매일임") == "매일임"
    assert plain_name("name", "priya") == "Priya" and plain_name("job", "nurse") == "nurse"


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("what's my brother called?", True),
        ("do you remember my dog, how is the name?", True),
        ("and you know what is my wife name?", True),
        ("what's the name of my restaurant?", True),
        ("내 여친 이름 뭐였지?", True),
        ("우리 고양이 이름 뭐게", True),
        ("너 얘 이름 기억나?", True),
        ("내 이름 뭐게", False),
        ("what's my name?", False),
        ("do you remember what I'm called", False),
        ("우리 강아지 너무 귀엽지", False),
        ("언니 내 이름 뭐야?", False),
        ("친구들이 나 뭐라고 불러?", False),
        ("회사에서 쓰는 내 영어 이름 뭐였지?", False),
        ("hey mate what's my name?", False),
        ("its been ages, do you know my name?", False),
    ],
)
def test_whose_name_is_asked_for(message: str, asks: bool) -> None:
    assert bool(whose_name_is_asked(message)) is asks


@pytest.mark.parametrize(
    ("message", "whose"),
    [
        ("whats my dogs name", "dog"),
        ("우리 딸 이름 기억해?", "딸"),
        ("남편 이름은 뭐라고 했는지 아세요?", "남편"),
        ("i like it", ""),
    ],
)
def test_the_word_for_somebody_else_is_known(message: str, whose: str) -> None:
    assert whose_name_is_asked(message) == whose


@pytest.mark.parametrize(
    ("message", "asks"),
    [
        ("hey its me. you even remember who i am", True),
        ("Emma's my daughter. whats MY name", True),
        ("혹시 제 이름 기억하세요?", True),
        ("나 누구게", True),
        ("나 누구랑 사는지도 알아?", False),
        ("do you know who I am meeting tomorrow", False),
        ("what's my dog's name?", False),
        ("who am I, then? no peeking", True),
        ("who am i meeting tomorrow?", False),
    ],
)
def test_the_own_name_is_asked_for(message: str, asks: bool) -> None:
    assert asks_for_own_name(message) is asks


@pytest.mark.parametrize(
    ("key", "message", "value", "right"),
    [
        ("name", "my daughter Emma helps sometimes", "Emma", "daughter"),
        ("pet", "my roommate Hannah bakes", "Hannah", "roommate"),
        ("반려동물", "세 살 딸 서아가 문 앞에서 기다렸어", "서아", "딸"),
        ("이름", "나 하윤이라고 해", "하윤", "이름"),
        ("name", "I'm Dale", "Dale", "name"),
        ("결혼", "우리 막내딸이 5월 30일에 시집갑니다", "5월 30일", "결혼"),
        ("late wife", "my late wife Jean snored", "Jean", "late wife"),
        ("child", "my sister's son Leo", "Leo", "child"),
        ("partner", "my boss's wife Carol", "Carol", "partner"),
        ("친구", "내 여자 친구 이름은 지은", "지은", "여자친구"),
        ("배우자", "친구 남편은 의사래", "의사", "배우자"),
        ("이름", "저는 민수 친구 지훈이에요", "지훈", "이름"),
        ("이름", "우리반에 좋아하는 애 있음.. 이름 지민이", "지민이", "짝사랑"),
        ("이름", "좋아하는 애 있어. 아 참 내 이름은 건우", "건우", "이름"),
    ],
)
def test_who_is_named_beside_a_relation_is_no_one_else(key: str, message: str, value: str, right: str) -> None:
    assert key_of_named(key, message, message.index(value)) == right
    assert is_no_name(key, value, message) is (key in ("name", "이름") and right != key)


@pytest.mark.parametrize(
    ("key", "message", "value", "right"),
    [
        ("pet", "my feet are frozen. tess here", "tess", "name"),
        ("job", "hi, nurse here", "nurse", "job"),
        ("diet", "vegan here!", "vegan", "diet"),
        ("city", "we just moved here", "moved", "city"),
        ("학년", "난 도현 고2임", "도현", "이름"),
        ("학년", "난 도현 고2임", "고2", "학년"),
        ("학교", "나 학원 고2반 다녀", "학원", "학교"),
    ],
)
def test_who_says_to_be_here_says_the_own_name(key: str, message: str, value: str, right: str) -> None:
    assert key_of_named(key, message, message.index(value)) == right


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("하윤", "하윤아"),
        ("김도현", "도현아"),
        ("서아", "서아야"),
        ("Priya", "Priya"),
        ("남궁세아", "남궁세아"),
        ("구름이", "구름이야"),
    ],
)
def test_a_friend_is_called_in_korean(name: str, said: str) -> None:
    assert called(name) == said


def test_another_name_is_only_believed_where_it_is_said_or_changed(tmp_path) -> None:
    with MemoryStore(tmp_path / "memory.sqlite", LetterEmbedder(), lambda: NOW, CosineRelevance(0.3)) as store:
        store.add("u", "이름", "하윤")

        def told(message: str, value: str, kind: str = "add") -> list[str]:
            remember(store, "u", message, MemoryOperation(kind, "이름", value), rules=False)
            return [one.value for one in store.memories("u") if one.key == "이름"]

        assert told("광주 사는 사람들은 다 그래", "광주") == ["하윤"]
        assert told("이름 바꿨어, 이제 서연으로 불러 줘", "서연") == ["서연"]
        assert told("내 이름은 지은이야", "지은") == ["지은"]
        store.add("u", "이름", "광주")
        assert told("아니 내 이름은 지은이야", "지은") == ["지은"], "what else was taken for it goes"


@pytest.mark.parametrize(
    ("key", "message", "another"),
    [
        ("sister", "do you know my girlfriends name?", True), ("girlfriend", "whats my gfs name", False),
        ("pet", "what's my sister's name?", True), ("pet", "what's my dog called?", False),
        ("daughter", "what's my dog called?", True), ("pet", "what's my daughter's dog called?", False),
        ("여자친구", "내 여친 이름 뭐야?", False), ("girlfriend", "내 여친 이름 뭐야?", False),
        ("동생", "여친 이름 뭐야?", True),
        ("wife", "what's my partner's name?", False), ("crush", "do you know my girlfriends name?", False),
        ("hobby", "what's my sister's name?", False), ("sister", "what's my school called?", False),
        ("누나", "what's my sister's name?", False), ("sister", "where does my sister go on vacation?", False),
        ("여자친구", "내 여자친구 이름 뭐야?", False), ("동생", "내 여자친구 이름 뭐야?", True),
        ("sister", "whats my gfs name", True), ("boyfriend", "what's my wife's name?", True),
        ("mother-in-law", "what's my sister's name?", True), ("sister", "내 인형 이름 뭐야?", False),
        ("partner", "what's my husband's name?", False), ("wife", "what's my husband's name?", True),
        ("조카", "what's my niece's name?", False), ("friend", "who takes care of my dog when I'm away?", False),
    ],
)  # fmt: skip
def test_a_memory_of_a_sister_names_no_girlfriend(key: str, message: str, another: bool) -> None:
    assert is_of_another(key, message) is another


@pytest.mark.parametrize(
    ("value", "text", "question", "another"),
    [
        ("민석", "ㅎㅎ고마워 남편 민석이는 교대근무라", "우리 딸 이름 기억나?", True),
        ("소율", "딸은 소율이야", "우리 딸 이름 기억나?", False),
        ("Denise", "he ate her slipper. mom is called Denise btw", "do you know how my sister is called?", True),
        ("다은이", "그래도 여자친구 다은이가", "우리 강아지 이름 뭐게?", True),
        ("Pipoca", "my girlfriend Luiza is in Recife, and my dog Pipoca too", "what's my dog called", False),
        ("Tess", "my wife Tess", "what's my partner's name?", False),
        ("하준이", "조카 하준이 돌잔치", "누나 애기 이름 까먹음 뭐였지", False),
        ("Tess", "my wife Tess", "where does she work?", False), ("", "my wife Tess", "what's my dog called?", False),
    ],
)  # fmt: skip
def test_what_a_text_calls_somebody_else_is_no_answer(value: str, text: str, question: str, another: bool) -> None:
    assert is_told_of_another(value, text, question) is another


@pytest.mark.parametrize(
    ("words", "question", "may"),
    [
        ("my rabbit.", "what's my rabbit called then", False), ("rabbit Turnip", "what's my rabbit called then", True),
        ("푸들", "우리 강쥐 이름은?", False), ("감자", "우리 강쥐 이름은?", True),
        ("제제", "우리 강아지 이름 뭐게", True),
        ("Bunny", "what's my cat called?", True), ("poodle", "what kind of dog is it?", True),
    ],
)  # fmt: skip
def test_neither_a_kind_of_animal_nor_whose_it_is_is_the_name(words: str, question: str, may: bool) -> None:
    assert may_be_the_name(words, question) is may


@pytest.mark.parametrize(
    ("value", "message", "may"),
    [
        ("정약용", "누구를 만나고 싶으세요? 저는 정약용입니다", False), ("미경", "미경이라고 해요. 요즘 바빠요", False),
        ("민재", "난 요즘 최애가 민재야", False), ("서연", "이름 바꿨어, 이제 서연으로 불러 줘", True),
        ("박정호", "제 이름은 박정호입니다", True), ("정호", "네? 저는 정호예요", True), ("Sam", "huh? I'm Sam", True),
        ("박정호", "아니요 박정호예요", True), ("Ann", "nah it's Ann. autocorrect lol", True),
    ],
)  # fmt: skip
def test_a_further_name_is_told_plainly(value: str, message: str, may: bool) -> None:
    assert may_be_renamed(value, message) is may
    assert may_be_renamed(value, message, [value]), "it was known before"


@pytest.mark.parametrize(
    ("key", "word", "same"),
    [("child", "daughter", True), ("반려동물", "강아지", True), ("pet", "dog", True), ("pet", "sister", False),
     ("granddaughter", "daughter", False), ("grandchild", "granddaughter", True), ("자녀", "아들", True),
     ("crush", "crush", True), ("hobby", "dog", False), ("sister", "", False)],
)  # fmt: skip
def test_whom_a_key_and_a_word_mean(key: str, word: str, same: bool) -> None:
    assert may_be_the_same(key, word) is same


def test_a_granddaughter_is_no_daughter() -> None:
    assert is_told_of_another("Lily", "My granddaughter Lily, she is 6", "what is my daughter called?")
    assert whose_name_is_asked("who is my crush?") == "crush"
    assert whose_name_is_asked("우리 아들 둘 이름도 기억하시나요?") == "아들"
    assert whose_name_is_asked("우리 고양이들 이름은 기억하냐") == "고양이"
    assert whose_name_is_asked("what are the names of my little brothers?") == "brother"


def test_a_name_alone_behind_i_is_the_own_one() -> None:
    message = "안녕 나 민수. 우리 강아지 이름은 콩이야"
    assert key_of_named("반려동물", message, message.index("민수")) == "이름"
    assert key_of_named("취미", "나 농구.", 2) == "취미"


@pytest.mark.parametrize(
    ("name", "message", "calls"),
    [
        ("dev", "yo whats good, im dev", True), ("jay", "yo i'm jay nice to meet u", True),
        ("bea", "hi!! im bea haha first time", True), ("dev", "lol. im dev btw, 17, senior in hs", True),
        ("nurse", "hi im nurse", False), ("tired", "im tired", False),
        ("dev", "im dev lead at a startup", False), ("student", "im student btw", False), ("back", "yo im back", False),
        ("dev", "dev is great", False),
    ],
)  # fmt: skip
def test_the_shortest_way_to_tell_a_name(name: str, message: str, calls: bool) -> None:
    assert calls_itself(name, message) is calls
    begin = message.index(name)
    assert (key_of_named("job", message, begin) == "name") is calls


def test_boys_may_be_children_and_a_mama_is_a_mother() -> None:
    assert may_be_the_same("child", "boys")
    assert may_be_the_same("mother", "mama")
    assert is_of_another("child", "whats my mamas name")
    assert not is_of_another("child", "whats my boys names")
    assert asks_for_own_name("내 누군지 알겠나?")


@pytest.mark.parametrize("message", [
    "I'm police", "hi im security", "hey i'm sales", "hi im admin", "hi im korean btw", "lol im staff",
    "im lazy", "hi im hungry lol",
    "im dev",
])  # fmt: skip
def test_a_state_or_a_trade_is_no_name(message: str) -> None:
    assert not calls_itself(message.split("m ")[1].split()[0], message)


def test_words_for_one_person() -> None:
    for key, word in (
        ("husband", "hubby"),
        ("daughter", "baby"),
        ("딸", "아기"),
        ("아내", "마누라"),
        ("friend", "mate"),
    ):
        assert may_be_the_same(key, word), word
    for key, question in (
        ("girlfriend", "what's my girl's name?"),
        ("sister", "what's my twin's name?"),
        ("pet", "what's my boy's name?"),
    ):
        assert not is_of_another(key, question), question


def test_who_may_be_remembered() -> None:
    assert names_the_own_name("do you remember my name?")
    assert not names_the_own_name("do you remember me?")
    assert not names_the_own_name("나 기억해?")
    assert may_tell_own_name("dave", "names dave btw")
    assert may_tell_own_name("민수", "나 민수ㅋㅋ")
    assert may_tell_own_name("민수", "저 민수인데요")
    assert not may_tell_own_name("anika", "theres this girl anika in my physics class and im down bad")
    assert not may_tell_own_name("", "hi")
