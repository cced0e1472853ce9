"""Undo the tricks by which a word is hidden: zero-width characters, jamo, homoglyphs, leetspeak, repeats, spacing.

``normalise`` returns a text that a person still reads; the lexicon and the classifier see only this.
"""

from __future__ import annotations

import re
import unicodedata

from ohlora.llm.language import text_language

MAXIMUM_CHARACTERS = 4000
"""Longest message that the system reads (a reply of hers is far shorter)."""

# Cyrillic and Greek letters that look Latin. NFKC already folds full-width and mathematical letters.
_HOMOGLYPHS = str.maketrans(
    "абвгдеёзикмнорстухѕіјԁһԛԝυοαρντεικχβγ¡|",
    "a6brgee3nkmhopctyxsijdhqwuoapvteikxbyil",
)
_LEET = {"0": "o", "1": "i", "3": "e", "4": "a", "5": "s", "7": "t", "8": "b", "@": "a", "$": "s", "!": "i", "*": ""}
_LEET_INSIDE = re.compile(r"(?<=[a-z])[013457@$!]+(?=[a-z])|(?<![a-z0-9@$!.])[@$](?=[a-z]{2,}\b)")
_HIDDEN_BETWEEN_SYLLABLES = re.compile(
    r"(?<=[가-힣ㄱ-ㅎㅏ-ㅣ])[^\s\w가-힣ㄱ-ㅎㅏ-ㅣ.,!?~…'\"():;/&+%-](?=[가-힣ㄱ-ㅎㅏ-ㅣ])"
)
_REPEATS = re.compile(r"(.)\1{2,}")
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_LATIN_SPELLED = re.compile(r"(?<![^\s])(?:[a-z][ .\-_*]){2,}[a-z](?![^\s.,!?])")
_HANGUL_SPELLED = re.compile(r"(?<![^\s])(?:[가-힣ㄱ-ㅎㅏ-ㅣ][ .\-_*]){3,}[가-힣ㄱ-ㅎㅏ-ㅣ](?![^\s.,!?])")
_SPELLING_MARKS = re.compile(r"[ .\-_*]")

_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
_LAUGHTER = set("ㅋㅎㅇㄷㄱㄴ")  # 그래ㅋ, 오ㅎ, 아ㅇ: chat marks, not the end of a syllable


def normalise(text: str) -> str:
    """The text with hiding tricks undone; applying it twice changes nothing more.

    Raises:
        ValueError: not a string, empty, or longer than MAXIMUM_CHARACTERS.
    """
    check_length(text)
    # Each step can uncover work for an earlier one (a zero-width space between jamo), so repeat until stable.
    for _ in range(20):
        before, text = text, _one_pass(text)
        if text == before:
            break
    return text


def check_length(text: str) -> None:
    """Refuse what is no message.

    Raises:
        ValueError: not a string, empty, or longer than MAXIMUM_CHARACTERS.
    """
    if not isinstance(text, str):
        raise ValueError(f"message is a {type(text).__name__}; it must be a string")
    if not strip_invisible(text[: MAXIMUM_CHARACTERS + 1]).strip():
        raise ValueError(f"message is empty; allowed: 1 to {MAXIMUM_CHARACTERS} characters")
    if len(text) > MAXIMUM_CHARACTERS:
        raise ValueError(f"message has {len(text)} characters; allowed: 1 to {MAXIMUM_CHARACTERS}")


def detect_language(text: str) -> str:
    """``"ko"`` or ``"en"``; English where the text has no letters of either."""
    return text_language(text) or "en"


def strip_invisible(text: str) -> str:
    """Without zero-width, control and private characters (line breaks become spaces); letters stay as they are."""
    spaced = re.sub(r"\s", " ", text)
    return "".join(character for character in spaced if unicodedata.category(character)[0] != "C")


def _one_pass(text: str) -> str:
    text = _fold_characters(text)
    text = compose_jamo(text)
    text = _HIDDEN_BETWEEN_SYLLABLES.sub("", text)
    text = _LEET_INSIDE.sub(lambda match: "".join(_LEET[character] for character in match.group()), text)
    text = _REPEATS.sub(r"\1\1", text)
    text = _join_spelled(text)
    return _SPACES.sub(" ", text).strip()


def _fold_characters(text: str) -> str:
    # Compatibility jamo (ㅅ) must survive NFKC, which would turn them into conjoining ones: normalise around them.
    parts = re.split(r"([\u3131-\u318e])", text)
    folded = [
        part if len(part) == 1 and "\u3131" <= part <= "\u318e" else unicodedata.normalize("NFKC", part)
        for part in parts
    ]
    text = strip_invisible("".join(folded)).casefold()
    text = "".join(_to_compatibility_jamo(character) for character in text)
    # Accents on Latin letters (and stacked "zalgo" marks) hide words; Hangul syllables must not be taken apart.
    decomposed = "".join(c if "가" <= c <= "힣" else unicodedata.normalize("NFD", c) for c in text)
    kept = "".join(character for character in decomposed if unicodedata.category(character) not in ("Mn", "Me"))
    return unicodedata.normalize("NFC", kept).translate(_HOMOGLYPHS)


def _to_compatibility_jamo(character: str) -> str:
    """A loose conjoining jamo (U+1100 …) as the letter that a keyboard types (U+3131 …)."""
    code = ord(character)
    if 0x1100 <= code <= 0x1112:
        return _LEADS[code - 0x1100]
    if 0x1161 <= code <= 0x1175:
        return _VOWELS[code - 0x1161]
    if 0x11A8 <= code <= 0x11C2:
        return _TAILS[code - 0x11A7]
    return character


def compose_jamo(text: str) -> str:
    """ㅅㅣㅂㅏㄹ → 시발, 시바ㄹ → 시발; ㅋㅋ, ㅇㅇ and ㅠㅠ stay."""
    result: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        following = text[position + 1 : position + 2]
        if character in _LEADS and following and following in _VOWELS:
            tail, step = "", 2
            candidate = text[position + 2 : position + 3]
            after = text[position + 3 : position + 4]
            # A consonant ends this syllable unless it begins the next one.
            laughing = candidate in ("ㅋ", "ㅎ") and after == candidate
            if candidate and candidate in _TAILS and not (after and after in _VOWELS) and not laughing:
                tail, step = candidate, 3
            result.append(_syllable(character, following, tail))
            position += step
            continue
        if _is_lonely_tail(result, text, position):
            base = ord(result.pop()) - 0xAC00
            result.append(chr(0xAC00 + base + _TAILS.index(character)))
        else:
            result.append(character)
        position += 1
    return "".join(result)


def _is_lonely_tail(result: list[str], text: str, position: int) -> bool:
    character = text[position]
    if character not in _TAILS or character in _LAUGHTER or not result:
        return False
    open_syllable = "가" <= result[-1] <= "힣" and (ord(result[-1]) - 0xAC00) % 28 == 0
    following = text[position + 1 : position + 2]
    return open_syllable and not (following and "ㄱ" <= following <= "ㅣ")


def _syllable(lead: str, vowel: str, tail: str) -> str:
    return chr(0xAC00 + (_LEADS.index(lead) * 21 + _VOWELS.index(vowel)) * 28 + _TAILS.index(tail))


def _join_spelled(text: str) -> str:
    """``k i l l`` → ``kill``; two spaces or more mark the ends of the spelled words."""
    words = re.split(r"( {2,}|\n)", text)
    for index, word in enumerate(words):
        for pattern in (_LATIN_SPELLED, _HANGUL_SPELLED):
            word = pattern.sub(lambda match: _SPELLING_MARKS.sub("", match.group()), word)
        words[index] = word
    return "".join(words)
