"""The log under the books: whole entries come back, one that was cut off by a kill does not."""

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
