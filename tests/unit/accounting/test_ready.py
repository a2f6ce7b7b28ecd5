"""The queue of planned rows: what goes at once, what together, what only by itself."""

from datetime import timedelta

from cone.accounting.plan.decisions import Decision, Repeat, Send
from cone.accounting.port.documents import Create
from cone.accounting.port.provider import WireRequest
from cone.accounting.ready import BATCH_FROM, Planned, Ready
from cone.accounting.records import OpenAttempt
from cone.kit.values import replace
from tests.unit.accounting.builders import NAMED, subject


def planned(row_id: int, *, priority: int = 0, tries: int = 0, decision: Decision | None = None) -> Planned:
    named = subject(NAMED)
    row = replace(named.row, id=row_id, priority=priority, tries=tries)
    chosen = decision or Send(Create(NAMED))
    assert isinstance(chosen, Send | Repeat)
    return Planned(replace(named, row=row), chosen)


def open_attempt(batch_id: int | None) -> OpenAttempt:
    return OpenAttempt(
        id=1,
        operation="create",
        revision=1,
        request=WireRequest(line="POST /customer", body=b"{}"),
        request_id="id",
        expected=None,
        sends=1,
        age_seconds=9,
        silence=timedelta(seconds=9),
        batch_id=batch_id,
        batch_place=None if batch_id is None else 1,
    )


def ids(taken: list[Planned]) -> list[int]:
    return [one.row_id for one in taken]


def test_few_live_rows_go_at_once_each_by_itself() -> None:
    ready = Ready()
    ready.add([planned(1), planned(2)])

    first, second = ready.take_live(), ready.take_live()

    assert first is not None
    assert second is not None
    assert (first.row_id, second.row_id, ready.take_live(), len(ready)) == (1, 2, None, 0)


def test_many_live_rows_are_a_backlog_and_go_together() -> None:
    ready = Ready()
    ready.add([planned(number) for number in range(BATCH_FROM)])

    assert ready.take_live() is None
    assert ready.is_head_live()
    assert ids(ready.take_batch(4)) == [0, 1, 2, 3]
    assert ids(ready.take_batch(4)) == [4, 5]


def test_backlog_goes_live_first_and_oldest_first() -> None:
    ready = Ready()
    ready.add([planned(3, priority=10), planned(9, priority=10), *(planned(number) for number in range(20, 26))])

    assert ids(ready.take_batch(30)) == [20, 21, 22, 23, 24, 25, 3, 9]


def test_what_looks_first_or_failed_often_goes_by_itself() -> None:
    ready = Ready()
    looks = Send(Create(NAMED), find_first=True)
    ready.add([planned(1, priority=10, decision=looks), planned(2, priority=10, tries=3), planned(3, priority=10)])

    assert (ready.count_singles(), ready.count_batchable()) == (2, 1)
    assert ids(ready.take_single(may_split=False)) == [1]
    assert ids(ready.take_single(may_split=False)) == [2]
    assert ready.take_single(may_split=False) == []
    assert ids(ready.take_single(may_split=True)) == [3]


def test_unknown_items_of_one_batch_are_taken_together() -> None:
    ready = Ready()
    together = [planned(number, decision=Repeat(open_attempt(batch_id=7))) for number in (1, 3)]
    ready.add([*together, planned(2, decision=Repeat(open_attempt(batch_id=8)))])

    assert ready.take_live() is None
    assert ids(ready.take_single(may_split=False)) == [1, 3]
    assert ids(ready.take_single(may_split=False)) == [2]


def test_cleared_queue_is_empty() -> None:
    ready = Ready()
    ready.add([planned(1), planned(2, priority=10)])
    assert sorted([one.row_id for one in ready]) == [1, 2]

    ready.clear()

    assert (len(ready), ready.take_live(), ready.take_batch(30)) == (0, None, [])
