"""The log under the books: whole entries come back, one that was cut off by a kill does not."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from qbo_emulator.ledger_log import LedgerLog
from qbo_emulator.store import Journal, Replay, Row

ENTRIES: list[list[Any]] = [["record", ["1", b"{}", None]], ["fact", ["clock", b"\x00\xff"]], []]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "log"
    log = LedgerLog(found)
    for entry in ENTRIES:
        log.append(entry)
    log.close()
    return found


def test_entries_come_back(path: Path) -> None:
    log = LedgerLog(path)
    assert list(log.entries()) == ENTRIES
    log.append(["more"])
    assert list(log.entries()) == [*ENTRIES, ["more"]]
    log.clear()
    assert (list(log.entries()), log.size, path.stat().st_size) == ([], 0, 0)
    log.close()


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_entry_that_was_cut_off_is_left_out(path: Path, cut: int) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) - cut])
    log = LedgerLog(path)
    found = list(log.entries())
    assert found == ENTRIES[: len(found)]
    assert len(found) < len(ENTRIES)
    log.close()


def test_damaged_entry_ends_the_log(path: Path) -> None:
    text = bytearray(path.read_bytes())
    text[9] ^= 0xFF
    path.write_bytes(text)
    log = LedgerLog(path)
    assert list(log.entries()) == []
    log.close()


def test_room_grows_with_what_is_written(path: Path) -> None:
    large = [b"x" * 1_500_000, 1]
    log = LedgerLog(path)
    log.append(large)
    log.append(["small"])
    log.append(large)
    assert list(log.entries()) == [*ENTRIES, large, ["small"], large]
    log.close()
    log = LedgerLog(path)
    assert (list(log.entries())[-1], log.size) == (large, path.stat().st_size)
    log.close()


def test_room_that_a_kill_left_unused_is_used_again(path: Path) -> None:
    path.write_bytes(path.read_bytes() + bytes(5000))
    log = LedgerLog(path)
    log.append(["more"])
    assert list(log.entries()) == [*ENTRIES, ["more"]]
    log.close()


def test_changes_written_together_are_one_entry(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with journal.together():
        journal.write("1", [Row("Customer", "7", {"Notes": "a"})])
        journal.write("1", [Row("Customer", "8", {"Notes": "b"})], Replay("r", 200, b"", 5, "d"))
    journal.close()
    log = LedgerLog(tmp_path / "emulator.log")
    [entry] = log.entries()
    assert [change[0] for change in entry] == ["record", "record", "replay"]
    log.close()


def test_what_was_replaced_is_left_out_when_much_is(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for round_ in range(60):
        journal.write("1", [Row("Customer", "7", {"Notes": "n" * 100_000, "at": round_})])
    journal.write("2", [Row("Customer", "7", {"Notes": "other"})])
    journal.close()
    before = (tmp_path / "emulator.log").stat().st_size
    for _ in range(2):
        journal = Journal(tmp_path)
        assert [(realm, row.body.get("at")) for realm, row in journal.rows()] == [("1", 59), ("2", None)]
        journal.close()
    assert (tmp_path / "emulator.log").stat().st_size * 50 < before


def test_directory_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "emulator.sqlite3")) as database, database:
        database.execute("CREATE TABLE record (realm, entity, id, deleted_at, body)")
        database.execute("CREATE TABLE replay (realm, request_id, status, body, at, digest)")
        database.execute("CREATE TABLE fact (kind, key, body)")
        database.execute("INSERT INTO record VALUES ('1', 'Customer', '7', NULL, ?)", [b'{"Notes":"old"}'])
        database.execute("INSERT INTO record VALUES ('1', 'Customer', '8', NULL, ?)", [b'{"Notes":"old"}'])
        database.execute("INSERT INTO replay VALUES ('1', 'r', 200, ?, 5, 'd')", [b"x"])
        database.execute("INSERT INTO fact VALUES ('app', 'a', ?)", [b"{}"])
    log = LedgerLog(tmp_path / "emulator.log")
    log.append([("record", ("1", "Customer", "8", None, b'{"Notes":"new"}'))])
    log.close()
    for _ in range(2):
        journal = Journal(tmp_path)
        assert [row.body["Notes"] for _, row in journal.rows()] == ["old", "new"]
        assert list(journal.replays()) == [("1", Replay("r", 200, b"x", 5, "d"))]
        assert list(journal.facts()) == [("app", "a", {})]
        journal.close()
    assert not (tmp_path / "emulator.sqlite3").exists()


def test_last_word_counts_over_many_starts(tmp_path: Path) -> None:
    for round_ in ("a", "b"):
        journal = Journal(tmp_path)
        journal.write("1", [Row("Customer", "7", {"Notes": round_})], Replay("r", 200, round_.encode(), 5, "d"))
        journal.keep_facts([("app", round_, {"name": round_}), ("app", "gone", {})])
        journal.keep_facts([("app", "gone", None)])
        journal.close()
    journal = Journal(tmp_path)
    assert list(journal.rows()) == [("1", Row("Customer", "7", {"Notes": "b"}))]
    assert list(journal.replays()) == [("1", Replay("r", 200, b"b", 5, "d"))]
    assert sorted(journal.facts()) == [("app", "a", {"name": "a"}), ("app", "b", {"name": "b"})]
    journal.forget_realm("1")
    journal.close()
    journal = Journal(tmp_path)
    assert (list(journal.rows()), list(journal.replays())) == ([], [])
    journal.close()
