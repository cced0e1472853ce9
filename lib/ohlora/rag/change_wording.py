"""Words in which people tell of a change: "이제 테니스 쳐", "got pushed to Friday"."""

from __future__ import annotations

import re

_CHANGE = re.compile(
    r"이제|이젠|말고|대신|바꿨|바꾸|바꿈|바뀌|바뀐|바뀜|바뀔|바꼈|바꼇|바껴|바낌|아니고|갈아탔|갈아탐"
    r"|더는|더 이상|아니라|(?<![가-힣])이사\s?(했|함|왔|온|옴|갔|간(?!다고)|감|끝|마쳤)|[당땡]겨|[당땡]김"
    r"|끊었|끊음|접었|접음|관뒀|그만두|그만뒀|때려\s?(치|쳤|침)|옮겼|옮김|옮겨|밀렸|밀림|밀려|미뤘|미뤄|미룸|연기(했|됐|돼|되|해서)|무산(됐|되)|포기(했|하기로|함)"
    r"|앞당|취소|변경|떨어지고|틀었"
    r"|\b(no longer|any ?more|instead|rather than|used to|switched|changed|moved|moving|quit|stopped|gave up"
    r"|over it|is off|postponed|pushed|shifted|bumped|cancell?ed|delayed|rescheduled|became)\b",
    re.IGNORECASE,
)

MOVES = re.compile(
    r"밀렸\S*|밀림|밀려\S*|미뤘\S*|미뤄\S*|미룸|연기(?=\s?(했|됐|돼|되|해서|래))\S*|앞?[당땡][겨겼김]\S*|옮[겨겼김]\S*|바뀌\S*|바뀐\S*|바뀜|바[꼈꼇껴]\S*"
    r"|바[꿨꿈]\S*|변경\S*"
    r"|\b(moved|pushed|shifted|postponed|bumped|delayed|rescheduled|changed|switched|(pulled|brought) forward)\b",
    re.IGNORECASE,
)
"""Verbs with which a day is moved."""


def tells_of_change(text: str) -> bool:
    """Whether a text sounds like something that is now otherwise. It need not be a change of what is stored."""
    return _CHANGE.search(text) is not None
