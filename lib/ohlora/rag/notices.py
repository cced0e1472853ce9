"""What a user reads when she asks, warns, pauses, cares or does not remember: data/moderation/notices.yaml."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

import yaml

from ohlora.config import DATA
from ohlora.llm.language import LANGUAGES
from ohlora.rag.sanctions import Sanction


def sanction_notice(sanction: Sanction, language: str, now: datetime) -> str:
    """The word that goes with a new offence: a warning with what comes next, or a pause with when it ends.

    Args:
        sanction: what SanctionLog.record returned.
        language: ``"ko"`` or ``"en"``.
        now: the time, with the zone in which the end is shown.
    """
    texts = _texts(language)
    label = texts["classes"][sanction.label]
    if sanction.is_warning:
        pause = sanction.next_pause
        following = texts["next_block"].format(duration=duration_text(pause, language)) if pause else texts["next_warn"]
        return texts["warn"].format(label=label, next=following)
    return texts["block"].format(label=label, **_end(sanction, language, now))


def active_notice(sanction: Sanction, language: str, now: datetime) -> str:
    """The word for someone who writes during a pause: when it ends."""
    return _texts(language)["active"].format(**_end(sanction, language, now))


def care_notice(language: str) -> str:
    """Help lines for someone who may be in danger from themselves."""
    return _texts(language)["self_harm"].strip()


def asking_notice(language: str) -> str:
    """Her question whether what sounded like abuse was meant so."""
    return _texts(language)["ask_abuse"].strip()


def gentle_notice(language: str) -> str:
    """Who helps, beside her answer to what may be danger or nothing of the kind."""
    return _texts(language)["may_be_self_harm"].strip()


def refusal_notice(reason: str, language: str) -> str | None:
    """Why she did not remember (``"secret"``, ``"instruction"``) or not speak (``"reply_withheld"``); else None."""
    return _texts(language).get(reason) if reason in ("secret", "instruction", "reply_withheld") else None


def which_notice(lines: Sequence[str], language: str) -> str:
    """Her question which of these memories shall be forgotten."""
    return _texts(language)["ask_which"].format(lines=" / ".join(lines))


def duration_text(duration: timedelta, language: str) -> str:
    """``1 day 2 hours``, ``5분``: the two largest units, minutes rounded up."""
    texts = _texts(language)
    minutes = max(1, -(-int(duration.total_seconds()) // 60))
    counts = {"days": minutes // 1440, "hours": minutes // 60 % 24, "minutes": minutes % 60}
    words = [texts[unit]["one" if n == 1 else "many"].format(n=n) for unit, n in counts.items() if n]
    return " ".join(words[:2])


def _end(sanction: Sanction, language: str, now: datetime) -> dict[str, str]:
    until = sanction.ends.astimezone(now.tzinfo).strftime(_texts(language)["moment"])
    return {"until": until, "left": duration_text(sanction.ends - now, language)}


@cache
def _all_texts() -> dict:
    return yaml.safe_load((DATA / "moderation" / "notices.yaml").read_text(encoding="utf-8"))


def _texts(language: str) -> dict:
    if language not in LANGUAGES:
        raise ValueError(f"language={language!r} is unknown; allowed: {', '.join(LANGUAGES)}")
    return _all_texts()[language]
