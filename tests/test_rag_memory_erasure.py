"""What is forgotten is gone from the disk, while the store is open, and a plan that is over can be forgotten, too."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from datetime import timedelta
from pathlib import Path

import pytest
from test_rag_memory import START, FakeClock, open_store

from ohlora.rag.memory_store import KEPT_AFTER_END

SECRET = "Zanzibarfelsen"


def on_disk(folder: Path) -> bytes:
    """Every byte of every file in a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def test_what_is_deleted_is_in_no_file_while_the_store_is_open(tmp_path):
    with open_store(tmp_path / "m.sqlite") as store:
        first = store.add("a", "home", SECRET)
        second = store.update("a", first.id, "Leeds")
        store.add("a", "name", "Mina")
        store.search("a", "home")
        assert SECRET.encode() in on_disk(tmp_path)
        store.delete("a", second.id)
        assert SECRET.encode() not in on_disk(tmp_path) and b"Mina" in on_disk(tmp_path)
        assert not list((tmp_path / "m.sqlite.index").glob("*")), "the cache holds the vectors of what was said"
        assert [one.memory.value for one in store.search("a", "name", count=5)] == ["Mina"]


def test_within_a_turn_it_is_gone_when_the_turn_ends(tmp_path):
    with open_store(tmp_path / "m.sqlite") as store:
        known = store.add("a", "home", SECRET)
        with pytest.raises(RuntimeError), store.turn():
            store.delete("a", known.id)
            raise RuntimeError
        assert store.memories("a") == [known]
        with store.turn():
            store.delete("a", known.id)
            store.add("a", "name", "Mina")
        assert SECRET.encode() not in on_disk(tmp_path)


def test_many_changes_leave_only_what_is_stored(tmp_path):
    chance = random.Random(0)
    with open_store(tmp_path / "m.sqlite") as store:
        stored, gone = {}, []
        for number in range(90):
            if stored and chance.random() < 0.45:
                memory_id = chance.choice(sorted(stored))
                store.delete("a", memory_id)
                gone.append(stored.pop(memory_id))
            else:
                word = f"secret{number:03d}x"
                memory = store.add("a", f"key {number}", word + "z" * chance.randrange(200))
                stored[memory.id] = word
        bytes_left = on_disk(tmp_path)
    assert len(gone) > 20 and not [word for word in gone if word.encode() in bytes_left]
    assert all(word.encode() in bytes_left for word in stored.values())


_FORGETS = textwrap.dedent("""
    import sys
    sys.path.insert(0, sys.argv[2])
    from test_rag_memory import open_store
    store = open_store(sys.argv[1])
    known = store.add("a", "home", sys.argv[3])
    if sys.argv[4] == "delete":
        store.delete("a", known.id)
    else:  # as if the process had died between the deletion and what follows it
        store._connection.execute("DELETE FROM memories")
    print("done", flush=True)
    sys.stdin.read()
""")


@pytest.mark.parametrize("how", ["delete", "unfinished"])
def test_a_killed_process_leaves_nothing_that_was_deleted(tmp_path, how):
    path = tmp_path / "m.sqlite"
    command = [sys.executable, "-c", _FORGETS, str(path), str(Path(__file__).parent), SECRET, how]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "done\n"
    process.send_signal(signal.SIGKILL)
    process.wait()
    if how == "unfinished":
        assert SECRET.encode() in on_disk(tmp_path), "else this test shows nothing"
        with open_store(path):
            assert SECRET.encode() not in on_disk(tmp_path)
    assert SECRET.encode() not in on_disk(tmp_path)


def test_where_somebody_reads_it_goes_with_the_next_write(tmp_path):
    with open_store(tmp_path / "m.sqlite") as store:
        known = store.add("a", "home", SECRET)
        reader = sqlite3.connect(tmp_path / "m.sqlite", isolation_level=None)
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM memories").fetchall()
        began = time.monotonic()
        store.delete("a", known.id)
        assert time.monotonic() - began < 5 and store.memories("a") == []
        reader.execute("COMMIT")
        store.add("a", "name", "Mina")
        assert SECRET.encode() not in on_disk(tmp_path)
        reader.close()


def test_forgetting_a_user_leaves_neither_name_nor_index(tmp_path):
    with open_store(tmp_path / "m.sqlite") as store:
        for user in (f"user {SECRET}", "b"):
            store.add(user, "home", f"{SECRET} {user}" if user != "b" else "Leeds")
            store.search(user, "home")
        half_written = next((tmp_path / "m.sqlite.index").glob("*.npz")).with_suffix(".tmp")
        half_written.write_bytes(b"vectors")
        assert store.forget_user(f"user {SECRET}") == 1 and store.forget_user(f"user {SECRET}") == 0
        assert SECRET.encode() not in on_disk(tmp_path)
        assert len(list((tmp_path / "m.sqlite.index").glob("*.npz"))) == 1 and store.search("b", "home")
        assert store.search(f"user {SECRET}", "home") == []
        assert len(list((tmp_path / "m.sqlite.index").glob("*.npz"))) == 1, "who is unknown gets no file"
    with sqlite3.connect(tmp_path / "m.sqlite") as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("b",)]


def test_a_forgotten_user_who_comes_back_is_not_searched_in_an_old_index(tmp_path):
    with open_store(tmp_path / "m.sqlite") as one, open_store(tmp_path / "m.sqlite") as two:
        one.add("a", "home", "Leeds")
        assert len(two.search("a", "home")) == 1  # two holds an index of the first write
        one.forget_user("a")
        one.add("a", "name", "Mina")
        assert [found.memory.key for found in two.search("a", "name", count=5)] == ["name"]
    with open_store(tmp_path / "m.sqlite") as store:
        assert [found.memory.key for found in store.search("a", "name", count=5)] == ["name"]


def test_a_store_that_is_closed_later_brings_no_old_index_back(tmp_path):
    two = open_store(tmp_path / "m.sqlite")
    with open_store(tmp_path / "m.sqlite") as one:
        known = one.add("a", "home", "Leeds")
        two.search("a", "home")
        one.delete("a", known.id)
        two.close()
        assert not list((tmp_path / "m.sqlite.index").glob("*"))


def test_plans_that_are_over_are_listed_can_be_deleted_and_are_erased_later(tmp_path):
    clock = FakeClock()
    path = tmp_path / "m.sqlite"
    with open_store(path, clock) as store:
        plans = [store.add("a", f"plan {n}", f"{SECRET} {n}", expires=START + timedelta(days=1)) for n in range(3)]
        store.add("a", "name", "Mina")
        assert store.expired("a") == []
        clock.now = START + timedelta(days=2)
        assert store.expired("a") == plans and [one.key for one in store.memories("a")] == ["name"]
        assert store.delete("a", plans[0].id) == 1 and store.expired("a") == plans[1:]
        with pytest.raises(ValueError, match="no such memory"):
            store.delete("b", plans[1].id)
    with open_store(path, clock) as store:
        assert store.expired("a") == plans[1:], "a few days longer: the day may have been misread"
        clock.now = START + timedelta(days=1, hours=1) + KEPT_AFTER_END
    with open_store(path, clock) as store:
        assert store.expired("a") == [] and len(store.history("a")) == 1
        assert SECRET.encode() not in on_disk(tmp_path)


def test_an_older_value_alone_can_be_deleted(tmp_path):
    with open_store(tmp_path / "m.sqlite") as store:
        first = store.add("a", "home", SECRET)
        second = store.update("a", first.id, "Leeds")
        assert store.delete("a", first.id) == 1
        assert [one.value for one in store.history("a")] == ["Leeds"]
        assert store.memories("a")[0].id == second.id and store.memories("a")[0].replaces is None
        assert SECRET.encode() not in on_disk(tmp_path)
