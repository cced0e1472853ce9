"""Draw docs/architecture.png: how the chapters hang together, and what happens in one turn of the chat.

python scripts/architecture_picture.py [--output docs/architecture.png]

Needs a font with Korean letters (Debian, Ubuntu: fonts-noto-cjk).
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import dataclass
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

ROOT = Path(__file__).resolve().parents[1]
KOREAN_FONTS = (
    "NotoSansCJK",
    "NotoSansKR",
    "NanumGothic",
    "malgun",
    "AppleSDGothicNeo",
    "AppleGothic",
)  # files begin so
COLOURS = {  # face and edge, one pair a chapter
    "portraits": ("#fdeee3", "#c9763a"),
    "labeling": ("#e8f3e6", "#4d8f45"),
    "recommend": ("#fdf6da", "#b3941d"),
    "llm": ("#e6eefb", "#3f6db5"),
    "rag": ("#f1e8f8", "#8250a8"),
    "person": ("#ffffff", "#555555"),
}


@dataclass(frozen=True)
class Box:
    """One station. x, y: its centre; name in English, korean below it, note: what goes on there, in small letters."""

    x: float
    y: float
    name: str
    korean: str
    note: str
    chapter: str
    width: float = 1.84
    height: float = 1.06


STATIONS = {
    "portraits": Box(1.0, 5.5, "01 portraits", "초상화 렌더링", "62 numbers →\nface, mask, truth", "portraits"),
    "stylegan": Box(3.3, 5.5, "02–03 stylegan", "생성기", "z → face", "portraits"),
    "labeling": Box(5.6, 5.5, "04–06 labeling", "라벨과 속성", "mask, gender, quality,\nseven values", "labeling"),
    "conditioning": Box(7.9, 5.5, "07 conditioning", "조건부 생성기", "z + seven values → face", "labeling"),
    "recommend": Box(10.2, 5.5, "08–09 recommend", "추천", "64 numbers, ratings,\nnearest neighbours", "recommend"),
    "you": Box(1.0, 3.55, "you", "나", "a message", "person"),
    "allowed": Box(3.3, 3.55, "15 sanctions", "제재", "may you talk now?", "rag"),
    "judged": Box(5.6, 3.55, "15 moderation", "메시지 심사", "your message, judged", "rag"),
    "recalled": Box(7.9, 3.55, "14 memory", "기억 (RAG)", "what matters now", "rag"),
    "llm": Box(10.2, 3.55, "10–13 llm", "언어 모델 + LoRA", "expression, words,\nwhat to remember", "llm"),
    "again": Box(7.9, 2.1, "15 moderation", "메시지 심사", "her words, judged", "rag"),
    "expression": Box(7.9, 0.8, "16 expression", "표정", "moves eyes, mouth, pose", "llm"),
    "painted": Box(4.9, 0.8, "07 conditioning", "조건부 생성기", "her z + the values", "labeling"),
    "stored": Box(10.2, 0.8, "14 memory", "기억 저장", "checked, then stored", "rag"),
    "shown": Box(
        1.35,
        1.45,
        "16 what you see",
        "오로라의 말과 얼굴",
        "words, and a portrait\nthat follows them",
        "person",
        2.3,
        2.36,
    ),
}


def korean_font() -> str:
    """The family of an installed font with Korean letters, made known to matplotlib; ValueError where there is none."""
    files = sorted(Path(path) for path in font_manager.findSystemFonts())
    for beginning in KOREAN_FONTS:
        if found := [path for path in files if path.name.startswith(beginning)]:
            for path in found:
                font_manager.fontManager.addfont(path)
            regular = next((path for path in found if "Regular" in path.name), found[0])
            return font_manager.FontProperties(fname=regular).get_name()
    raise ValueError(f"no Korean font is installed; allowed: a file that begins with {', '.join(KOREAN_FONTS)}")


def draw_box(axes: Axes, box: Box) -> None:
    """A station with its three lines."""
    face, edge = COLOURS[box.chapter]
    corner = (box.x - box.width / 2, box.y - box.height / 2)
    style = "round,pad=0,rounding_size=0.1"
    axes.add_patch(FancyBboxPatch(corner, box.width, box.height, style, fc=face, ec=edge, lw=1.4, zorder=3))
    axes.text(box.x, box.y + 0.31, box.name, ha="center", va="center", size=10.5, weight="bold", color=edge, zorder=4)
    axes.text(box.x, box.y + 0.06, box.korean, ha="center", va="center", size=9.5, color="#222222", zorder=4)
    axes.text(
        box.x, box.y - 0.27, box.note, ha="center", va="center", size=8, color="#444444", zorder=4, linespacing=1.1
    )


def draw_arrow(axes: Axes, start: tuple[float, float], end: tuple[float, float], bend: str = "arc3") -> None:
    """An arrow between two points."""
    shape = {"arrowstyle": "-|>", "mutation_scale": 13, "lw": 1.4, "color": "#666666", "zorder": 2}
    axes.add_patch(FancyArrowPatch(start, end, connectionstyle=bend, shrinkA=0, shrinkB=0, **shape))


def draw_line(axes: Axes, names: list[str]) -> None:
    """Arrows from station to station along a row."""
    for left, right in itertools.pairwise(names):
        one, two = STATIONS[left], STATIONS[right]
        forward = 1 if two.x > one.x else -1
        draw_arrow(axes, (one.x + forward * one.width / 2, one.y), (two.x - forward * two.width / 2, two.y))


def draw_architecture() -> Figure:
    """The whole picture."""
    figure, axes = plt.subplots(figsize=(11.6, 6.9), dpi=130)
    axes.set(xlim=(-0.1, 11.4), ylim=(0.02, 6.6))
    axes.axis("off")
    for bottom, height, title in [
        (4.8, 1.7, "what chapters 1–3 build · 1–3장에서 만드는 것"),
        (0.1, 4.5, "one turn of the chat · 대화 한 차례"),
    ]:
        band = FancyBboxPatch((-0.05, bottom), 11.35, height, "round,pad=0,rounding_size=0.12", fc="#f6f7f9", ec="none")
        axes.add_patch(band)
        axes.text(0.08, bottom + height - 0.2, title, size=9.5, color="#666666", va="center")
    for box in STATIONS.values():
        draw_box(axes, box)
    draw_line(axes, ["portraits", "stylegan", "labeling", "conditioning", "recommend"])
    draw_line(axes, ["you", "allowed", "judged", "recalled", "llm"])
    draw_line(axes, ["expression", "painted"])
    llm, again, painted, shown = (STATIONS[name] for name in ("llm", "again", "painted", "shown"))
    draw_arrow(axes, (llm.x, 3.02), (llm.x, 1.33))  # what to remember
    draw_arrow(axes, (llm.x - 0.45, 3.02), (again.x + 0.92, again.y + 0.1))  # words
    draw_arrow(axes, (llm.x - 0.2, 3.02), (again.x + 0.92, 1.0))  # expression
    for one in (again, painted):
        draw_arrow(axes, (one.x - one.width / 2, one.y), (shown.x + shown.width / 2, one.y))
    return figure


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "architecture.png")
    arguments = parser.parse_args()
    plt.rcParams["font.family"] = [korean_font()]
    draw_architecture().savefig(arguments.output, bbox_inches="tight", pad_inches=0.05)


if __name__ == "__main__":
    main()
