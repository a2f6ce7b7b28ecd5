"""What a page says of a run, in words."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.template.loader import render_to_string

from cone.accounting.port.documents import Kind
from cone.accounting.runs.values import (
    Compared,
    Halt,
    Progress,
    RunHead,
    RunRow,
    RunState,
    RunView,
    UndoBy,
    UndoProgress,
)
from cone.web.formats import show_lasting

_STARTED_AT = datetime(2026, 3, 1, tzinfo=UTC)
_CONNECTION = {"provider_name": "Fake Ledger", "held_until": datetime(2026, 4, 1, tzinfo=UTC)}
_NOTHING = Progress(total=0, done=0, failed=0, left=0, dropped=0)


def view(
    state: RunState, progress: Progress = _NOTHING, *, undo: UndoProgress | None = None, halt: Halt = ""
) -> RunView:
    """A run as its page shows it."""
    return RunView(
        head=RunHead(uuid4(), _STARTED_AT.date(), state, "", _STARTED_AT, halt),
        ended_at=None,
        progress=progress,
        compared_count=0,
        as_predicted=0,
        differing=(),
        undo=undo,
        refused=(),
        customers_made=0,
        services_made=0,
    )


def undoing(*, left: int = 0, refused: int = 0, by: UndoBy = "void") -> UndoProgress:
    """How far the undoing of nine records has come."""
    return UndoProgress(by=by, total=9, done=9 - left - refused, refused=refused, left=left)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "Less than a minute left."), (400, "About 7 min left."), (7500, "About 2 h 5 min left.")],
)
def test_time_left_is_a_sentence(seconds: int, words: str) -> None:
    progress = Progress(total=9, done=4, failed=0, left=5, dropped=0, time_left=timedelta(seconds=seconds))
    page = render_to_string("settings/_run.html", {"run": view("running", progress)})
    assert f"5 to go. {words}" in page


@pytest.mark.parametrize(
    ("state", "progress", "words"),
    [
        (
            "cancelled",
            Progress(total=9, done=4, failed=0, left=5, dropped=2),
            "4 of 11 sent, 5 still under way, 2 not sent.",
        ),
        ("finished", Progress(total=9, done=4, failed=5, left=0, dropped=0), "Over, but not all was sent"),
        ("finished", Progress(total=9, done=9, failed=0, left=0, dropped=0), "Finished"),
    ],
)
def test_end_of_a_run_says_what_became_of_it(state: RunState, progress: Progress, words: str) -> None:
    page = render_to_string("settings/_run.html", {"run": view(state, progress)})
    assert words in page
    assert ("Finished" in page) is (progress.done == progress.total)


def test_lasting_hours_count_minutes_too() -> None:
    assert show_lasting(timedelta(hours=1)) == "about 1 h 0 min"


@pytest.mark.parametrize(
    ("kind", "label", "words"),
    [
        ("payment", "the payment of 1,920.00 GBP", "The payment of 1,920.00 GBP"),
        ("payment", "", "Payment"),
        ("service", "Advice", "Service Advice"),
    ],
)
@pytest.mark.parametrize("template", ["settings/_compared.html", "settings/_undo.html"])
def test_record_that_is_kept_is_named_once(kind: Kind, label: str, words: str, template: str) -> None:
    kept = Compared(kind, uuid4(), label, "It was edited here.")
    context = {"rows": [kept], "run_uuid": uuid4(), "plan": {"kept": [kept], "kept_count": 1}}
    page = render_to_string(template, context)
    assert f">{words}" in page
    assert "Payment the" not in page


@pytest.mark.parametrize(("total", "words"), [(1, ""), (155, "The first 1 of 155.")])
def test_list_that_is_cut_says_so(total: int, words: str) -> None:
    kept = Compared("invoice", uuid4(), "INV-0001", "It was edited here.")
    page = render_to_string("settings/_compared.html", {"rows": [kept], "total": total})
    assert words in page
    assert ("The first" in page) is bool(words)


@pytest.mark.parametrize(("refused", "words"), [(0, "Undone<"), (3, "Undone in part<")])
def test_run_that_is_undone_in_part_says_so(refused: int, words: str) -> None:
    page = render_to_string("settings/_run.html", {"run": view("undone", undo=undoing(refused=refused))})
    assert words in page


@pytest.mark.parametrize(
    ("state", "left", "failed", "refused", "words"),
    [
        ("running", 3, 1, 0, "Being sent"),
        ("running", 0, 0, 0, "Sent; being compared with the preview"),
        ("cancelled", 3, 1, 0, "Stopped"),
        ("finished", 0, 1, 0, "Over, but not all was sent"),
        ("finished", 0, 0, 0, "Finished"),
        ("undoing", 0, 1, 1, "Being taken back"),
        ("undone", 0, 1, 2, "Undone in part"),
        ("undone", 0, 1, 0, "Undone"),
    ],
)
def test_list_says_of_a_run_what_its_page_does(
    state: RunState, left: int, failed: int, refused: int, words: str
) -> None:
    progress = Progress(total=9, done=9 - left - failed, failed=failed, left=left, dropped=0)
    assert signs(view(state, progress, undo=undoing(refused=refused) if "undo" in state else None)) == [words] * 3


def signs(run: RunView) -> list[str]:
    """The state of a run by its page, by its card under Manage and by the list."""
    pages = (
        render_to_string("settings/_run.html", {"run": run, "page": {"connection": _CONNECTION}}),
        render_to_string("settings/_run_brief.html", {"run": run}),
        render_to_string("settings/runs.html", {"runs": [run.row]}),
    )
    found = [re.search('<span class="state [a-z]+">(.*?)</span>', page) for page in pages]
    return [re.sub("<[^>]*>", "", each[1]) for each in found if each]


_HALTS: list[tuple[Halt, str, str]] = [
    ("paused", "Paused", "Sync is paused."),
    ("reconnect", "Waiting for reconnection", "Goes on once Fake Ledger is connected again."),
    ("read_only", "Can&#x27;t write", "Goes on once Fake Ledger can be written to again."),
    ("disconnected", "Not connected", "Goes on once the same company is connected again."),
    ("allowance", "Waiting for allowance", "The month's allowance is used up until 1 Apr 2026."),
]


@pytest.mark.parametrize(("halt", "sign", "sentence"), _HALTS)
@pytest.mark.parametrize("state", ["running", "undoing"])
def test_run_that_stands_still_says_what_it_waits_for(state: RunState, halt: Halt, sign: str, sentence: str) -> None:
    undo = undoing(left=4) if state == "undoing" else None
    run = view(state, Progress(total=9, done=4, failed=0, left=5, dropped=0), undo=undo, halt=halt)

    page = render_to_string("settings/_run.html", {"run": run, "page": {"connection": _CONNECTION}})

    assert signs(run) == [sign] * 3
    assert f"to go. {sentence}" in page
    assert "turning" not in page


@pytest.mark.parametrize(("halt", "sentence"), [(halt, sentence) for halt, _, sentence in _HALTS])
def test_stopped_run_says_what_the_rest_under_way_waits_for(halt: Halt, sentence: str) -> None:
    run = view("cancelled", Progress(total=9, done=4, failed=0, left=5, dropped=2), halt=halt)

    page = render_to_string("settings/_run.html", {"run": run, "page": {"connection": _CONNECTION}})

    assert signs(run) == ["Stopped"] * 3
    assert f"5 still under way, 2 not sent. {sentence}" in page


@pytest.mark.parametrize("state", ["running", "cancelled", "finished", "undoing", "undone"])
def test_run_of_which_nothing_is_to_go_waits_for_nothing(state: RunState) -> None:
    head = RunHead(uuid4(), _STARTED_AT.date(), state, "", _STARTED_AT, "paused")
    assert RunRow(head).halt == ""


def test_run_waits_for_the_sync_and_for_the_connection_where_both_stand_still() -> None:
    run = view("running", Progress(total=9, done=4, failed=0, left=5, dropped=0), halt="reconnect")

    page = render_to_string(
        "settings/_run.html", {"run": run, "page": {"connection": _CONNECTION | {"is_paused": True}}}
    )

    assert "Goes on once Fake Ledger is connected again and the sync is resumed." in page
