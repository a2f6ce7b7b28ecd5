"""Two owners at one run over existing invoices: the second to act is told who was first, and nothing is done twice."""

from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from cone.books.models import BackfillRun, Invoice, RunRecord
from cone.domain.permissions import Role
from tests.builders import Cast, make_invoice, make_member
from tests.fakes.ledger import FakeLedger
from tests.integration.accounting.conftest import connect
from tests.integration.web.conftest import ClientOf


@pytest.fixture
def existing(cast: Cast, ledger: FakeLedger) -> Invoice:
    """An invoice from before the firm connected."""
    invoice = make_invoice(cast.owner, is_issued=True)
    connect(cast.owner, ledger)
    return invoice


@pytest.fixture
def second(cast: Cast, client_of: ClientOf) -> Client:
    """The browser of another owner of the firm."""
    return client_of(make_member(cast.workspace, Role.OWNER))


@pytest.mark.usefixtures("existing")
def test_second_to_send_existing_invoices_is_led_to_the_run_of_the_first(
    cast: Cast, owner: Client, second: Client
) -> None:
    asked = {"from_date": "2020-01-01"}
    first = owner.post(reverse("run_start"), asked)

    answer = second.post(reverse("run_start"), asked, follow=True)

    assert answer.redirect_chain == [(first["Location"], 302)]
    assert f"{cast.owner.user} is sending existing invoices since" in answer.text
    assert "or stop it first." in answer.text
    assert BackfillRun.objects.filter(state="running").count() == 1

    owner.post(reverse("run_cancel", args=[BackfillRun.objects.get(state="running").uuid]))
    BackfillRun.objects.filter(state="cancelled").update(
        state="undoing", undo_by="void", undone_by=cast.owner.user, undo_started_at=timezone.now()
    )
    RunRecord.objects.filter(kind="invoice").update(outcome="created", undo="wanted")
    answer = second.post(reverse("run_start"), asked, follow=True)
    assert f"{cast.owner.user} is taking back what a run sent since" in answer.text
    # Nothing can stop an undo.
    assert "Wait until that&#x27;s over.<" in answer.text


@pytest.mark.usefixtures("existing")
def test_second_to_stop_or_undo_a_run_is_told_who_did(cast: Cast, owner: Client, second: Client) -> None:
    owner.post(reverse("run_start"), {"from_date": "2020-01-01"})
    run = BackfillRun.objects.get()
    cancel, undo = (reverse(name, args=[run.uuid]) for name in ("run_cancel", "run_undo"))
    assert "This run is still sending. Stop it first" in second.post(undo, {"by": "void"}, follow=True).text
    owner.post(cancel)
    assert "was stopped or is over already" in second.post(cancel, follow=True).text

    RunRecord.objects.filter(kind="invoice").update(outcome="created", undo="")
    owner.post(undo, {"by": "void"})
    RunRecord.objects.filter(kind="invoice").update(undo="wanted")
    BackfillRun.objects.update(state="undoing")
    told = unescape(second.post(undo, {"by": "delete"}, follow=True).text)
    assert f"{cast.owner.user} has had it undone already: it's being taken back." in told
    # Asked for in the dialog, it's said on the page.
    assert second.get(undo, headers={"HX-Request": "true"})["HX-Redirect"] == reverse("run", args=[run.uuid])
    BackfillRun.objects.update(state="undone")
    assert f"{cast.owner.user} has had it undone already." in second.post(undo, {"by": "delete"}, follow=True).text
    assert BackfillRun.objects.get().undo_by == "void"
