"""Ways in which people hide a word. Only the measurement uses them: nothing was trained on hidden words."""

from __future__ import annotations

from collections.abc import Callable

_LEADS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
_VOWELS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
_TAILS = ["", *"ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"]
_LEET = str.maketrans("aeios", "43105")
_CYRILLIC = str.maketrans("aeopcyx", "аеорсух")


def spaced(text: str) -> str:
    """``죽여 버린다`` → ``죽 여  버 린 다``: a space between letters, two between words."""
    return "  ".join(" ".join(word) for word in text.split())


def as_jamo(text: str) -> str:
    """``시발`` → ``ㅅㅣㅂㅏㄹ``: each Korean syllable as its letters."""
    return "".join(_letters(character) for character in text)


def with_digits(text: str) -> str:
    """``kill`` → ``k1ll``; Korean: a star between the syllables of a word."""
    words = (word.translate(_LEET) if word.isascii() else "*".join(word) for word in text.split())
    return " ".join(words)


def zero_width(text: str) -> str:
    """An invisible character after every letter."""
    return "\u200b".join(text)


def look_alikes(text: str) -> str:
    """Latin letters as the Cyrillic ones that look the same."""
    return text.translate(_CYRILLIC)


ATTACKS: dict[str, Callable[[str], str]] = {
    "spacing": spaced,
    "jamo": as_jamo,
    "leet": with_digits,
    "zero_width": zero_width,
    "look_alikes": look_alikes,
}


def _letters(character: str) -> str:
    if not "가" <= character <= "힣":
        return character
    index = ord(character) - 0xAC00
    return _LEADS[index // 588] + _VOWELS[index % 588 // 28] + _TAILS[index % 28]
