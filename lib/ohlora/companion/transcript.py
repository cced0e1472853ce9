"""The conversation as HTML: inside the widget, and as one file that needs no kernel and no network.

Everything that a person or a model wrote is escaped here and nowhere else.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from ohlora.companion.face import encode_portrait
from ohlora.companion.turn import Turn

LONGEST_SHOWN = 200  # characters of a message that was not answered: it goes back into the box

_LABELS = {
    "ko": {"recalled": "떠올린 기억", "stored": "새로 기억한 것", "timings": "걸린 시간", "seconds": "초"},
    "en": {"recalled": "recalled", "stored": "stored", "timings": "timings", "seconds": "s"},
}
_STAGES = {
    "sanction": {"ko": "제한 확인", "en": "allowed to talk?"},
    "moderate": {"ko": "메시지 검사", "en": "message checked"},
    "recall": {"ko": "기억 찾기", "en": "memories recalled"},
    "first_words": {"ko": "첫마디까지", "en": "until first words"},
    "generate": {"ko": "말 만들기", "en": "reply generated"},
    "moderate_reply": {"ko": "답 검사", "en": "reply checked"},
    "remember": {"ko": "기억하기", "en": "memory stored"},
    "portrait": {"ko": "얼굴 그리기", "en": "portrait painted"},
    "total": {"ko": "모두", "en": "total"},
}

STYLE = """
.ohlora {font: 15px/1.5 system-ui, 'Noto Sans KR', sans-serif; color: #222}
.ohlora .line {display: flex; gap: .6em; align-items: flex-end; margin: .5em 0}
.ohlora .you {flex-direction: row-reverse}
.ohlora .words {max-width: 75%; padding: .45em .8em; border-radius: 1em; background: #eef1f6;
  white-space: pre-wrap; overflow-wrap: anywhere}
.ohlora .you .words {background: #2f6fde; color: #fff}
.ohlora .notice {margin: .5em auto; padding: .3em .8em; border-left: 3px solid #c77700; background: #fff6e5;
  color: #5b3a00; font-size: 13px; white-space: pre-wrap; overflow-wrap: anywhere}
.ohlora .small {margin-left: .3em; color: #667; font-size: 12px; overflow-wrap: anywhere}
.ohlora img {border-radius: 12px; display: block}
.ohlora .line img {width: 96px; height: 96px; flex: none}
""".strip()


def escape(text: str) -> str:
    """Text as HTML that shows it and does nothing else; control characters are left out."""
    visible = "".join(letter for letter in text if letter in "\n\t" or letter.isprintable() or letter == "\u200d")
    return html.escape(visible, quote=True)


def words_line(text: str, you: bool, portrait: np.ndarray | None = None) -> str:
    """One speech bubble. text: raw, escaped here. portrait: uint8 picture beside it, or None."""
    picture = "" if portrait is None else f'<img alt="" src="{picture_address(portrait)}">'
    return f'<div class="line{" you" if you else ""}">{picture}<div class="words">{escape(text)}</div></div>'


def picture_address(portrait: np.ndarray) -> str:
    """A portrait as a ``data:`` address."""
    return "data:image/jpeg;base64," + base64.b64encode(encode_portrait(portrait)).decode("ascii")


def turn_lines(turn: Turn, language: str = "ko", portraits: bool = False) -> str:
    """One turn: what the user wrote, what she said with which face, what she recalled, notices."""
    labels = _LABELS[language]
    parts = [words_line(_shortened(turn.message) if turn.message_is_free else turn.message, you=True)]
    if turn.reply:
        parts.append(words_line(turn.reply, you=False, portrait=turn.portrait if portraits else None))
        facts = [f"{turn.expression} {turn.intensity:.1f}"]
        facts += [f"{labels['recalled']}: {', '.join(turn.recalled)}"] if turn.recalled else []
        facts += [f"{labels['stored']}: {', '.join(turn.stored)}"] if turn.stored else []
        parts.append(f'<div class="small">{escape(" · ".join(facts))}</div>')
    if turn.notice:
        parts.append(f'<div class="notice">{escape(turn.notice)}</div>')
    return "".join(parts)


def _shortened(message: str) -> str:
    """A refused 100 kB paste would make every later update of the page slow; the Turn still has all of it."""
    return message if len(message) <= LONGEST_SHOWN else f"{message[:LONGEST_SHOWN]}… ({len(message):,})"


def timings_fold(timings: Mapping[str, float], language: str = "ko") -> str:
    """Seconds by stage, folded; empty when there are none."""
    if not timings:
        return ""
    unit = _LABELS[language]["seconds"]
    rows = "".join(
        f"<tr><td>{escape(_STAGES.get(name, {}).get(language, name))}</td>"
        f'<td style="text-align:right">{seconds:.2f} {unit}</td></tr>'
        for name, seconds in timings.items()
    )
    return f'<details class="small"><summary>{_LABELS[language]["timings"]}</summary><table>{rows}</table></details>'


def render_transcript(turns: Sequence[Turn], title: str = "Oh-LoRA", language: str = "ko") -> str:
    """A whole HTML page of the conversation, portraits inside; no script in it at all."""
    body = "".join(turn_lines(turn, language, portraits=True) + timings_fold(turn.timings, language) for turn in turns)
    return f"""<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{escape(title)}</title>
<style>
{STYLE}
body {{max-width: 46em; margin: 2em auto; padding: 0 1em}}
</style>
</head>
<body class="ohlora">
<h1>{escape(title)}</h1>
{body}
</body>
</html>
"""


def write_transcript(turns: Sequence[Turn], path: Path, title: str = "Oh-LoRA", language: str = "ko") -> Path:
    """Write render_transcript's page, whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(render_transcript(turns, title, language), encoding="utf-8")
    temporary.replace(path)
    return path
