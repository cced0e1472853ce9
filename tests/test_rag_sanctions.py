"""The ladder: monotone, per user, survives a restart, cannot be escaped, never touches those who need help."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohlora.rag import SanctionLog, StateError, active_notice, care_notice, sanction_notice
from ohlora.rag.sanctions import load_ladder, parse_duration

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
LADDER = load_ladder()
CLASSES = sorted(LADDER.classes)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock():
    return FakeClock()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(CLASSES), st.integers(1, 20), st.integers(0, 20), st.integers(0, 3), st.integers(0, 3))
def test_ladder_is_monotone(label, of_class, others, more_class, more_others):
    now = LADDER.step(label, of_class, of_class + others)
    later = LADDER.step(label, of_class + more_class, of_class + others + more_class + more_others)
    assert later >= now


@settings(max_examples=10, deadline=None)
@given(labels=st.lists(st.sampled_from(CLASSES), min_size=1, max_size=8))
def test_pauses_never_get_shorter_while_offences_go_on(tmp_path_factory, labels):
    with SanctionLog(tmp_path_factory.mktemp("log") / "s.sqlite", FakeClock()) as log:
        ends = [log.record("a", label).ends for label in labels for _ in range(2)]
        longest = [end for end in ends if end]
        active = log.active("a")
        assert (active is None) == (not longest)
        assert active is None or active.ends == max(longest)


def test_warning_then_pause_that_ends_and_survives_a_restart(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        first = log.record("a", "hate", "…")
        assert first.is_warning and first.next_pause == timedelta(hours=1) and log.active("a") is None
        second = log.record("a", "hate", "…")
        assert second.ends == START + timedelta(hours=1)
        assert log.active("someone else") is None
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        assert log.active("a").ends == START + timedelta(hours=1)
        clock.now = START + timedelta(hours=1)
        assert log.active("a") is None
        clock.now = START + timedelta(days=40)  # offences are forgiven after the window
        assert log.record("a", "hate").is_warning


def test_changing_classes_does_not_help(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        mild = ["political", "romantic_pressure", "political", "romantic_pressure"]
        assert [log.record("a", label).is_warning for label in mild] == [True, True, True, False]


def test_setting_the_clock_back_does_not_help(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        log.record("a", "hate")
        clock.now = START - timedelta(days=365)
        assert not log.record("a", "hate").is_warning


def test_reset_forgives_and_the_log_keeps_everything(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        assert log.record("a", "threat", "what was said").is_warning, "a false alarm must not cost a pause"
        log.record("a", "threat", "what was said")
        log.appeal("a", "I quoted a film")
        assert log.active("a") is not None
        log.reset("a", "it was a film")
        assert log.active("a") is None and log.record("a", "hate").is_warning
        assert [event.kind for event in log.events("a")] == ["offence", "offence", "appeal", "reset", "offence"]


def test_log_is_append_only(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        log.record("a", "hate")
    connection = sqlite3.connect(tmp_path / "s.sqlite")
    for statement in ("DELETE FROM events", "UPDATE events SET label = 'political'"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("label", ["normal", "self_harm", "nonsense"])
def test_no_ladder_for_need_or_nonsense(tmp_path, clock, label):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log, pytest.raises(ValueError, match="has no ladder"):
        log.record("a", label)


def test_two_windows_cannot_both_be_first(tmp_path, clock):
    windows = [SanctionLog(tmp_path / "s.sqlite", clock) for _ in range(2)]
    results, barrier = [], threading.Barrier(2)

    def offend(log):
        barrier.wait()
        for _ in range(5):
            results.append(log.record("a", "hate").count)

    threads = [threading.Thread(target=offend, args=(log,)) for log in windows]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(1, 11))


def test_newer_schema_is_refused_and_untouched(tmp_path, clock):
    path = tmp_path / "s.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.execute("CREATE TABLE future(x)")
    connection.commit()
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StateError, match="schema version 99"):
        SanctionLog(path, clock)
    assert path.read_bytes() == before


@pytest.mark.parametrize("step", ["soon", "0h", "1 hour", "-1d"])
def test_bad_steps_are_named(step):
    with pytest.raises(ValueError, match="allowed: warn"):
        parse_duration(step)


def test_notices_tell_when_it_ends(tmp_path, clock):
    with SanctionLog(tmp_path / "s.sqlite", clock) as log:
        warning, pause = log.record("a", "hate"), log.record("a", "hate")
        assert "1시간" in sanction_notice(warning, "ko", START) and "1 hour" in sanction_notice(warning, "en", START)
        assert "2026-03-02 13:00" in sanction_notice(pause, "en", START)
        assert "1시간" in active_notice(log.active("a"), "ko", START)
    assert "109" in care_notice("ko") and "1577-0199" in care_notice("ko") and "988" in care_notice("en")
