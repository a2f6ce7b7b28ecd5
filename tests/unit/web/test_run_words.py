"""What a page says of a run, in words."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.template.loader import render_to_string

from cone.accounting.port.documents import Kind
from cone.accounting.runs.values import Compared, Progress, RunHead, RunRow, RunState, UndoProgress
from cone.web.formats import show_lasting


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(20, "Less than a minute left."), (400, "About 7 min left."), (7500, "About 2 h 5 min left.")],
)
def test_time_left_is_a_sentence(seconds: int, words: str) -> None:
    progress = Progress(total=9, done=4, failed=0, left=5, dropped=0, time_left=timedelta(seconds=seconds))
    page = render_to_string(
        "settings/_run.html", {"run": {"head": {"uuid": uuid4(), "state": "running"}, "progress": progress}}
    )
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
def test_end_of_a_run_says_what_became_of_it(state: str, progress: Progress, words: str) -> None:
    page = render_to_string(
        "settings/_run.html", {"run": {"head": {"uuid": uuid4(), "state": state}, "progress": progress}}
    )
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
    undo = UndoProgress(by="void", total=5, done=5 - refused, refused=refused, left=0)
    page = render_to_string("settings/_run.html", {"run": {"head": {"uuid": uuid4(), "state": "undone"}, "undo": undo}})
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
    started_at = datetime(2026, 3, 1, tzinfo=UTC)
    head = RunHead(uuid4(), started_at.date(), state, "", started_at)
    row = RunRow(head, left=left, failed=failed, refused=refused)
    progress = Progress(total=9, done=9 - left - failed, failed=failed, left=left, dropped=0)
    undo = UndoProgress(by="void", total=9, done=9 - refused, refused=refused, left=0) if "undo" in state else None
    run = {"head": head, "progress": progress, "undo": undo}
    words_of = [
        re.sub("<[^>]*>", "", each[1])
        for page in (
            render_to_string("settings/_run.html", {"run": run}),
            render_to_string("settings/runs.html", {"runs": [row]}),
        )
        if (each := re.search('<span class="state [a-z]+">(.*?)</span>', page))
    ]
    assert words_of == [words, words]
