"""The chat as people meet it: `voila notebooks/chat.ipynb` in a real browser, with all the real parts."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ohlora.config import ROOT
from ohlora.llm.language import text_language

playwright = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: make browser")
START_SECONDS = 150  # a fresh kernel reads every model; another process may be busy
TURN_SECONDS = 60


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The page's address, served as `make chat` does, with its own outputs."""
    outputs = tmp_path
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "voila", "notebooks/chat.ipynb", "--no-browser", f"--port={port}"]
    environment = {**os.environ, "OHLORA_OUTPUTS": str(outputs), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with (outputs / "voila.log").open("w") as log:
        server = subprocess.Popen(
            [*command, "--Voila.ip=127.0.0.1"], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _wait_for_port(port, server, outputs / "voila.log")
            yield f"http://127.0.0.1:{port}/"
        finally:
            server.terminate()
            server.wait(20)


def _wait_for_port(port: int, server: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        assert server.poll() is None, log.read_text()
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise AssertionError(f"Voila does not answer: {log.read_text()}")


@pytest.fixture
def page(address: str) -> Iterator[playwright.Page]:
    """The opened chat."""
    flags = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=[*flags, "--no-first-run"])
        opened = browser.new_page(viewport={"width": 1000, "height": 760})
        opened.errors = []
        opened.on("pageerror", lambda error: opened.errors.append(str(error)))
        opened.goto(address, timeout=START_SECONDS * 1000)
        _wait_until_ready(opened)
        yield opened
        browser.close()


def _wait_until_ready(page: playwright.Page) -> None:
    page.locator(".ohlora textarea").wait_for(timeout=START_SECONDS * 1000)
    page.locator(".ohlora img").first.wait_for(timeout=START_SECONDS * 1000)


def _send(page: playwright.Page, text: str) -> None:
    page.locator(".ohlora textarea").fill(text)
    page.get_by_role("button", name=re.compile("보내기|Send")).click()


def _finish_turn(page: playwright.Page, number: int) -> str:
    """Wait for the end of the turn with this number (from 1): the last bubble or notice of the transcript."""
    page.wait_for_function(
        """number => {
            const lines = document.querySelectorAll('.ohlora .line.you');
            const stop = [...document.querySelectorAll('.ohlora button')].find(b => /멈추기|Stop/.test(b.textContent));
            return lines.length >= number && stop.disabled;
        }""",
        arg=number,
        timeout=TURN_SECONDS * 1000,
    )
    return page.locator(".ohlora .words, .ohlora .notice").last.inner_text()


@pytest.mark.timeout(600)
def test_a_visit(address: str, page: playwright.Page) -> None:
    """One visit, step by step: what an earlier step wrote, a later one finds."""
    it_answers_this_machine_only(address)
    she_greets_and_her_portrait_is_painted(page)
    korean_typed_with_an_input_method_is_answered_in_korean(page)
    english_is_answered_in_english(page)
    what_is_typed_never_becomes_part_of_the_page(page)
    a_fact_appears_among_her_memories_and_can_be_forgotten(page)
    a_message_that_is_too_long_comes_back_with_the_limit(page)
    another_face_can_be_picked(page)
    an_insult_is_warned_then_blocked_and_a_reload_does_not_help(page)


def it_answers_this_machine_only(address: str) -> None:
    with urllib.request.urlopen(address.replace("127.0.0.1", "localhost"), timeout=10) as answer:
        assert answer.status == 200
    outside = _outside_address()
    if outside:
        with socket.socket() as probe:
            probe.settimeout(3)
            assert probe.connect_ex((outside, int(address.rsplit(":", 1)[1].strip("/")))) != 0


def _outside_address() -> str | None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # TEST-NET-1: nothing is sent, the kernel only picks a source address
        except OSError:
            return None
        return probe.getsockname()[0]


def she_greets_and_her_portrait_is_painted(page: playwright.Page) -> None:
    assert "오로라" in page.locator(".ohlora .words").first.inner_text()
    width = page.locator(".ohlora img").first.evaluate("image => image.naturalWidth")
    assert width >= 128


def korean_typed_with_an_input_method_is_answered_in_korean(page: playwright.Page) -> None:
    box = page.locator(".ohlora textarea")
    box.click()
    keyboard = page.context.new_cdp_session(page)
    for syllables in (("ㅇ", "아", "안"), ("ㄴ", "녀", "녕")):
        for unfinished in syllables:  # composition events, as a Korean keyboard sends them
            keyboard.send("Input.imeSetComposition", {"text": unfinished, "selectionStart": 1, "selectionEnd": 1})
        keyboard.send("Input.insertText", {"text": syllables[-1]})
    assert box.input_value() == "안녕"
    page.evaluate(
        """() => {
            window.frames_seen = new Set(); window.live = [];
            window.watching = setInterval(() => {
                window.frames_seen.add(document.querySelector('.ohlora img').src);
                const words = [...document.querySelectorAll('.ohlora .words')];
                window.live.push(words[words.length - 1].textContent);
            }, 40);
        }"""
    )
    box.press("Enter")
    reply = _finish_turn(page, 1)
    page.wait_for_timeout(1500)
    frames, live = page.evaluate(
        "() => { clearInterval(window.watching); return [window.frames_seen.size, window.live] }"
    )
    assert text_language(reply) == "ko", reply
    assert "안녕" in page.locator(".ohlora .line.you").last.inner_text()
    assert frames >= 5, "her face did not move while she spoke"
    assert "생각하는 중…" in live, "nothing showed that she was thinking"
    assert box.input_value() == ""


def english_is_answered_in_english(page: playwright.Page) -> None:
    _send(page, "Hi! I had pancakes this morning and they were great.")
    reply = _finish_turn(page, 2)
    assert text_language(reply) == "en", reply


def what_is_typed_never_becomes_part_of_the_page(page: playwright.Page) -> None:
    attack = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script> hello"
    _send(page, attack)
    _finish_turn(page, 3)
    assert page.evaluate("window.hacked") is None
    assert attack in page.locator(".ohlora .line.you").last.inner_text()


def a_fact_appears_among_her_memories_and_can_be_forgotten(page: playwright.Page) -> None:
    _send(page, "내 이름은 서준이야")
    _finish_turn(page, 4)
    memory = page.locator(".ohlora .small", has_text="이름: 서준").last
    memory.wait_for(timeout=10_000)
    page.get_by_role("button", name="잊기").first.click()
    page.get_by_text("아직 기억하는 것이 없어요.").wait_for(timeout=10_000)


def a_message_that_is_too_long_comes_back_with_the_limit(page: playwright.Page) -> None:
    _send(page, "길다 " * 400)
    notice = _finish_turn(page, 5)
    assert "600" in notice
    assert page.locator(".ohlora textarea").input_value().startswith("길다")


def another_face_can_be_picked(page: playwright.Page) -> None:
    def portrait() -> str:
        return page.locator(".ohlora img").first.get_attribute("src")

    before = portrait()
    page.get_by_role("button", name="얼굴 고르기").click()
    page.get_by_role("button", name="이 얼굴").first.wait_for(timeout=20_000)
    page.screenshot(path=_pictures() / "face_picker.png")
    page.get_by_role("button", name="이 얼굴").first.click()
    page.wait_for_function("before => document.querySelector('.ohlora img').src !== before", arg=before, timeout=10_000)
    page.get_by_role("button", name="원래 얼굴").click()
    page.get_by_role("button", name="닫기").click()


def an_insult_is_warned_then_blocked_and_a_reload_does_not_help(page: playwright.Page) -> None:
    notices = []
    for number, insult in enumerate(["너희 엄마 진짜 쓰레기다", "니 애미도 너처럼 멍청하지"], 6):
        _send(page, insult)
        notices.append(_finish_turn(page, number))
    _send(page, "안녕?")
    notices.append(_finish_turn(page, 8))
    page.screenshot(path=_pictures() / "blocked.png")
    assert "다음에는" in notices[0] and re.search(r"\d+:\d+|\d+시", notices[-1]), notices
    page.reload(timeout=START_SECONDS * 1000)
    _wait_until_ready(page)
    _send(page, "이제 괜찮지?")
    again = _finish_turn(page, 1)
    assert re.search(r"\d+:\d+|\d+시", again), "a new window must not lift the block"
    assert page.errors == []


def _pictures() -> Path:
    folder = ROOT / "outputs" / "browser"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
