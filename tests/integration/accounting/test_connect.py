"""Connecting: every refusal has its own message, and leaves nothing half-connected behind."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connections, transaction
from django.db.models.functions import Now

from cone.accounting.overview import list_provider_cards
from cone.accounting.port.verdicts import Answered, OutcomeUnknownError, TryLaterError
from cone.accounting.registry import register, unregister
from cone.books.models import (
    Activity,
    Connection,
    ConnectionTokens,
    OAuthState,
    OutboxRow,
    ReferenceRecord,
    RemoteCompany,
    Revocation,
    TaxMapping,
)
from cone.domain.errors import NotAllowedError
from cone.operations.actor import Actor
from cone.operations.connect_provider import (
    AlreadyConnectedError,
    CompanyHeldError,
    ConnectError,
    OtherCompanyError,
    ProviderUnavailableError,
    ProviderUnreachableError,
    SignInDeniedError,
    SignInExpiredError,
    SignInStrangeError,
    SignInUsedError,
    finish_connecting,
    start_connecting,
)
from cone.operations.disconnect_provider import disconnect_provider
from tests.builders import Cast, make_cast, make_owner
from tests.fakes.ledger import DEFAULT_COMPANY, INCOME, FakeLedger
from tests.integration.accounting.conftest import REDIRECT, SESSION, configure, connect

pytestmark = pytest.mark.django_db


@pytest.fixture
def cast(db: None) -> Cast:
    return make_cast()


def start(actor: Actor, ledger: FakeLedger, *, session: str = SESSION) -> str:
    """Begin a sign-in and return its state."""
    url = start_connecting(actor, provider_key=ledger.key, session_key=session, redirect_uri=REDIRECT)
    return url.partition("state=")[2].partition("&")[0]


def finish(actor: Actor, query: dict[str, str], *, session: str = SESSION) -> None:
    finish_connecting(actor, query=query, session_key=session, redirect_uri=REDIRECT)


def standing() -> dict[str, list[Any]]:
    """Everything a connection consists of."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in (
            Connection,
            ConnectionTokens,
            RemoteCompany,
            ReferenceRecord,
            TaxMapping,
            OutboxRow,
            Revocation,
            Activity,
        )
    }


@contextmanager
def refused(error: type[ConnectError], *, code: str) -> Iterator[None]:
    """The block is refused by exactly this class, in its own words, and leaves everything as it was."""
    before = standing()
    with pytest.raises(ConnectError) as caught:
        yield
    assert type(caught.value) is error
    assert caught.value.code == code
    assert str(caught.value).strip()
    assert standing() == before


def test_m04_connected_company_is_named_and_its_lists_are_read(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    view = finish_connecting(
        cast.owner, query={**ledger.sign_in(), "state": state}, session_key=SESSION, redirect_uri=REDIRECT
    )

    assert (view.company_name, view.state, view.environment) == ("Books of fake-company", "connected", "emulator")
    active = Connection.objects.get()
    assert view.facts_read_at == active.facts_read_at
    assert view.facts_read_at is not None
    assert (active.income_account_id, active.deposit_account_id) == (INCOME, "")
    kinds = Counter(ReferenceRecord.objects.filter(connection=active).values_list("kind", flat=True))
    assert kinds == {"account": 5, "tax_code": 4, "payment_method": 3}
    assert TaxMapping.objects.count() == 0
    assert ConnectionTokens.objects.get().connection_id == active.pk


def test_m04_denied_consent_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    with refused(SignInDeniedError, code="sign_in_denied"):
        finish(cast.owner, {"error": "access_denied", "state": state})
    assert ledger.calls == []


@pytest.mark.parametrize("query", [{}, {"state": ""}, {"state": "made-up"}, {"state": "\x00" * 3000}])
def test_m04_unknown_state_is_refused(cast: Cast, ledger: FakeLedger, query: dict[str, str]) -> None:
    start(cast.owner, ledger)
    with refused(SignInStrangeError, code="state_unknown"):
        finish(cast.owner, {**ledger.sign_in(), **query})
    assert ledger.calls == []


def test_m04_state_reused_is_refused_even_after_a_denial(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    with refused(SignInDeniedError, code="sign_in_denied"):
        finish(cast.owner, {"error": "access_denied", "state": state})
    with refused(SignInUsedError, code="state_used"):
        finish(cast.owner, {**ledger.sign_in(), "state": state})
    assert ledger.calls == []


def test_m04_state_reused_after_connecting_changes_nothing(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    finish(cast.owner, {**ledger.sign_in(), "state": state})
    with refused(SignInUsedError, code="state_used"):
        finish(cast.owner, {**ledger.sign_in(), "state": state})


def test_m04_expired_state_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    OAuthState.objects.update(expires_at=Now() - timedelta(seconds=1))
    with refused(SignInExpiredError, code="sign_in_expired"):
        finish(cast.owner, {**ledger.sign_in(), "state": state})
    assert ledger.calls == []


def test_m04_state_of_another_browser_user_or_workspace_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    query = {**ledger.sign_in(), "state": state}
    with refused(SignInStrangeError, code="state_unknown"):
        finish(cast.owner, query, session="another-browser")
    with refused(SignInStrangeError, code="state_unknown"):
        finish(cast.outsider, query)
    with refused(SignInStrangeError, code="state_unknown"):
        finish(Actor(cast.workspace, cast.outsider.user, cast.owner.role), query)
    assert ledger.calls == []
    # None of the strangers has used it up.
    finish(cast.owner, query)
    assert Connection.objects.count() == 1


def test_m04_expired_code_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    with refused(SignInExpiredError, code="sign_in_expired"):
        finish(cast.owner, {"code": "long-gone", "company": DEFAULT_COMPANY, "state": state})


def test_m04_return_without_a_company_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    state = start(cast.owner, ledger)
    with refused(SignInStrangeError, code="state_unknown"):
        finish(cast.owner, {"code": "abc", "state": state})


@pytest.mark.parametrize("call", ["exchange_code", "read_company", "read_reference"])
def test_m04_unreachable_provider_is_refused(cast: Cast, ledger: FakeLedger, call: Any) -> None:
    state = start(cast.owner, ledger)
    ledger.fail_next(call, OutcomeUnknownError(Answered(message="no answer")))
    with refused(ProviderUnreachableError, code="provider_unreachable"):
        finish(cast.owner, {**ledger.sign_in(), "state": state})


def test_m04_company_that_another_workspace_holds_is_refused_and_its_grant_lives_on(
    cast: Cast, ledger: FakeLedger
) -> None:
    connect(cast.outsider, ledger)
    state = start(cast.owner, ledger)
    with refused(CompanyHeldError, code="company_held"):
        finish(cast.owner, {**ledger.sign_in(), "state": state})
    assert ledger.revoked == []
    # Once it's let go there, it can be connected here.
    disconnect_provider(cast.outsider)
    assert connect(cast.owner, ledger).workspace == cast.workspace


def test_m03_second_provider_is_refused_while_one_is_connected(cast: Cast, ledger: FakeLedger) -> None:
    other = FakeLedger(key="other", name="Other Ledger")
    register(other)
    try:
        waiting = start(cast.owner, other)
        connect(cast.owner, ledger)
        with refused(AlreadyConnectedError, code="already_connected"):
            start(cast.owner, other)
        with refused(AlreadyConnectedError, code="already_connected"):
            finish(cast.owner, {**other.sign_in(), "state": waiting})
        assert other.calls == []
        cards = {card.key: card for card in list_provider_cards(cast.workspace.pk)}
        assert (cards["other"].blocked_by, cards["fake"].blocked_by) == ("Fake Ledger", "")
    finally:
        unregister(other.key)


def test_m03_database_itself_refuses_a_second_connection(cast: Cast, ledger: FakeLedger) -> None:
    active = connect(cast.owner, ledger)
    company = RemoteCompany.objects.create(
        workspace=cast.workspace, provider="other", environment="emulator", remote_id="1"
    )
    with pytest.raises(IntegrityError, match="connection_one_per_workspace"), transaction.atomic():
        Connection.objects.create(
            workspace=cast.workspace,
            company=company,
            provider="other",
            environment="emulator",
            company_id_remote="1",
        )
    with pytest.raises(IntegrityError, match="connection_one_per_company"), transaction.atomic():
        Connection.objects.create(
            workspace=cast.outsider.workspace,
            company=company,
            provider=active.provider,
            environment=active.environment,
            company_id_remote=active.company_id_remote,
        )


def test_provider_that_is_not_on_offer_or_not_configured_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    ledger.environment = None
    with refused(ProviderUnavailableError, code="provider_unavailable"):
        start(cast.owner, ledger)
    with refused(ProviderUnavailableError, code="provider_unavailable"):
        start_connecting(cast.owner, provider_key="nobody", session_key=SESSION, redirect_uri=REDIRECT)
    assert OAuthState.objects.count() == 0


@pytest.mark.parametrize("who", ["biller", "bookkeeper"])
def test_only_the_owner_connects(cast: Cast, ledger: FakeLedger, who: str) -> None:
    actor: Actor = getattr(cast, who)
    before = standing()
    with pytest.raises(NotAllowedError):
        start(actor, ledger)
    with pytest.raises(NotAllowedError):
        finish(actor, {**ledger.sign_in(), "state": start(cast.owner, ledger)})
    assert standing() == before
    assert ledger.calls == []


def test_m09_reconnecting_keeps_every_setting(cast: Cast, ledger: FakeLedger) -> None:
    active = connect(cast.owner, ledger)
    configure(cast.owner)
    Connection.objects.update(state="needs_reconnect", state_reason="the token is dead", paused_at=Now())
    before: dict[str, Any] = dict(Connection.objects.values().get())
    mappings = list(TaxMapping.objects.values())

    ledger.disconnect_there()
    again = connect(cast.owner, ledger)

    after: dict[str, Any] = dict(Connection.objects.values().get())
    assert again.pk == active.pk
    moved = {name for name in after if after[name] != before[name]}
    assert moved == {
        *("state", "state_reason", "not_before", "generation", "lane_epoch"),
        *("settings_revision", "facts_read_at", "try_now_at"),
    }
    assert (after["state"], after["state_reason"]) == ("connected", "")
    assert list(TaxMapping.objects.values()) == mappings


def test_reconnecting_to_another_company_is_refused(cast: Cast, ledger: FakeLedger) -> None:
    ledger.add_company("second")
    connect(cast.owner, ledger)
    Connection.objects.update(state="needs_reconnect")
    state = start(cast.owner, ledger)
    with refused(OtherCompanyError, code="other_company"):
        finish(cast.owner, {**ledger.sign_in("second"), "state": state})


def test_pending_revocation_never_meets_the_grant_of_a_later_sign_in(cast: Cast, ledger: FakeLedger) -> None:
    """Revoking any token ends the company's whole grant, a newer one included."""
    connect(cast.owner, ledger)
    ledger.fail_next("revoke", TryLaterError())
    disconnect_provider(cast.owner)
    assert Revocation.objects.count() == 1
    connect(cast.owner, ledger)
    assert Revocation.objects.count() == 0


def test_refused_sign_in_leaves_the_pending_revocation_to_be_retried(cast: Cast, ledger: FakeLedger) -> None:
    connect(cast.owner, ledger)
    ledger.fail_next("revoke", TryLaterError())
    disconnect_provider(cast.owner)
    state = start(cast.owner, ledger)
    with pytest.raises(SignInExpiredError):
        finish(cast.owner, {"code": "long-gone", "company": DEFAULT_COMPANY, "state": state})
    assert Revocation.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rivals", ["two providers of one workspace", "two workspaces for one company"])
def test_m03_of_two_sign_ins_at_the_same_moment_one_connects(ledger: FakeLedger, rivals: str) -> None:
    owner = make_owner()
    other_ledger = FakeLedger(key="other", name="Other Ledger")
    register(other_ledger)
    try:
        if rivals == "two workspaces for one company":
            sides = [(owner, ledger), (make_owner("Outside Ltd"), ledger)]
        else:
            sides = [(owner, ledger), (owner, other_ledger)]
        both_asked = threading.Barrier(2)
        outcomes: list[object] = []

        def work(actor: Actor, its: FakeLedger, query: dict[str, str]) -> None:
            both_asked.wait(5)
            try:
                finish(actor, query)
                outcomes.append("connected")
            except ConnectError as error:
                outcomes.append(type(error))
            finally:
                connections.close_all()

        threads = [
            threading.Thread(target=work, args=(actor, its, {**its.sign_in(), "state": start(actor, its)}))
            for actor, its in sides
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)

        loser = CompanyHeldError if rivals == "two workspaces for one company" else AlreadyConnectedError
        assert sorted(map(str, outcomes)) == sorted(["connected", str(loser)])
        assert (Connection.objects.count(), ConnectionTokens.objects.count()) == (1, 1)
        assert RemoteCompany.objects.count() == 1
        assert set(ReferenceRecord.objects.values_list("connection_id", flat=True)) == {Connection.objects.get().pk}
    finally:
        unregister(other_ledger.key)
