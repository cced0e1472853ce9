"""What somebody says they cannot eat, in plain words: "I can't have salt on account of my blood pressure".

Also what they are allergic to where that stands first: "without shellfish, to which I am allergic".

Said by the way, in front of a question to her, the networks take such a message for a mere question. Korean ones ("오이
못 먹어") they find; a rule would find "한입도 못 먹어", too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ohlora.llm.reply_format import plain_letters
from ohlora.rag.fact_reader import Fact

_FOODS = (
    r"(?:salt|sugar|gluten|wheat|bread|dairy|lactose|milk|cheese|eggs?|(?:pea)?nuts?|meat|pork|beef|fish|shell ?fish"
    r"|shrimps?|prawns?|seafood|soy|alcohol|caffeine|coffee|sweets|chocolate|(?:spicy|fried) (?:food|things))"
)
_CANNOT = r"\bi(?:['’]m| am)? ?(?:can(?:['’]?t|not| not)|not (?:allowed|supposed) to|mustn['’]?t)(?: even| really)?"
_MORE = (
    r"(?! (?:to|in|at|on (?!account)|near|around|fast|after|without|while|this|that|every|again|and not|straight|raw"
    r"|right now|until|till|before|tonight|today|yet)\b)"
)
_TELLS = (
    re.compile(
        rf"(?<!says )(?<!said )(?<!thought ){_CANNOT} (?:eat|have|drink|touch) (?:any |(?:too )?much )?"
        rf"(?P<food>{_FOODS}(?: (?:or|and) {_FOODS})?)\b{_MORE}",
        re.IGNORECASE,
    ),
    re.compile(rf"\bno (?P<food>{_FOODS}) (?:because of|due to|on account of) my\b", re.IGNORECASE),
)
_ALLERGIC = re.compile(
    rf"\b(?P<food>{_FOODS}|(?!(?:some|any)thing|stuff|things?\b|foods?\b|that\b|and\b)[a-z]{{3,}}),?"
    r" (?:to )?which i(?:['’]m| am)(?: (?!not\b)\w+)? allergic\b(?! to )",
    re.IGNORECASE,
)
_KEY, _ALLERGY = "intolerance", "allergy"
_ABOUT_FOOD = re.compile(r"allergy|intolerance|diet|dislike|favou?rite", re.IGNORECASE)  # keys

_MAKES_ILL = re.compile(r"알레르기|알러지|당뇨|\ballerg|\bdiabet", re.IGNORECASE)


def with_told_diet(facts: Sequence[Fact], message: str) -> list[Fact]:
    """The facts of a message, and what it plainly says that the user cannot eat, where they do not tell that."""
    allergic = _ALLERGIC.search(message)
    if allergic is not None:  # "an absurd condition for a Norwegian": nothing else that stands there is one
        others = [one for one in facts if one.key not in (_KEY, _ALLERGY)]
        return [Fact(_ALLERGY, allergic["food"], 1.0), *others]
    found = next(filter(None, (form.search(message) for form in _TELLS)), None)
    if found is None:
        return list(facts)
    food = found["food"]
    if any(_ABOUT_FOOD.search(one.key) and plain_letters(food) in plain_letters(one.value) for one in facts):
        return list(facts)
    kept = [one for one in facts if plain_letters(one.value) != plain_letters(food)]
    return [Fact(_KEY, food, 1.0), *kept]


def makes_ill(message: str) -> bool:
    """Whether a message says that some food makes somebody ill: joy about food would hurt."""
    return _MAKES_ILL.search(message) is not None
