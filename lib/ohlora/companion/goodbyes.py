"""Plain goodbyes, and what is said to them.

The network of intents hears a sentence as a whole, and few of these: "take care now" behind a stew is a recipe to it,
"ta ra" bad news. What is unmistakable is a rule (ohlora.rag.goodbye_words); what is not ("i'm off on friday") is left
to the network.
"""

from __future__ import annotations

from ohlora.companion.good_night import wishes_good_night
from ohlora.rag import GeneralAnswers
from ohlora.rag.goodbye_words import is_more_than_a_goodbye, plainly_leaves
from ohlora.rag.intents import GeneralAnswer, act_of_intent

_LEAVES, _NIGHT = "leaves", "good_night"  # an act, an intent


def plain_goodbye(sentence: str) -> str:
    """The goodbye with which a sentence plainly ends, or that it is as a whole; "": there is none."""
    if goodbye := plainly_leaves(sentence):
        return goodbye
    asks = sentence.rstrip().endswith(("?", "？"))
    return sentence if not asks and wishes_good_night(sentence) and not is_more_than_a_goodbye(sentence) else ""


def farewells(answers: GeneralAnswers, goodbye: str, language: str) -> list[GeneralAnswer]:
    """What she says to a goodbye, the best first: whatever else its words may sound like she says goodbye.

    To a good night that comes first, to whatever else it is not said.
    """
    leaving = [one for one in answers.best(goodbye, "", language) if _act(one) == _LEAVES]
    night = wishes_good_night(goodbye) or (answers.likeliest_intent(goodbye) == _NIGHT and answers.is_clear(goodbye))
    said = [one for one in leaving if one.intent == _NIGHT]
    others = [one for one in leaving if one.intent != _NIGHT]
    return [*said, *others] if night else others


def _act(answer: GeneralAnswer) -> str:
    return act_of_intent().get(answer.intent, answer.intent)
