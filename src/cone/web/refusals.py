"""The one table from a refusal to what the browser gets."""

from collections.abc import Mapping
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django_htmx.http import HttpResponseClientRedirect

from cone.accounting.connections import ConnectionBusyError, NotConnectedError
from cone.domain.errors import (
    InvalidFieldError,
    NotAllowedError,
    RecordChangedMeanwhileError,
    RecordNotFoundError,
    RefusalError,
)
from cone.domain.invoices import (
    InvoiceChangedMeanwhileError,
    InvoiceHasPaymentsError,
    InvoiceNotDeletableError,
    InvoiceStatusError,
)
from cone.domain.numbering import NumberPendingError, NumberSettledError
from cone.domain.payments import PaymentAlreadyVoidError, PaymentChangedMeanwhileError
from cone.domain.tax_rates import NoTaxIsFixedError, TaxPercentSettledError
from cone.domain.workspaces import (
    AlreadyMemberError,
    FirmExistsError,
    InvitationForAnotherError,
    InvitationInvalidError,
    LastOwnerError,
)
from cone.operations import connect_provider
from cone.operations.cancel_run import RunOverError
from cone.operations.refresh_reference import RefreshFailedError, SignInNeededError
from cone.operations.resolve_uncertain import CandidateGoneError, CandidateTakenError, NotUncertainError
from cone.operations.seen import SettingsChangedMeanwhileError
from cone.operations.send_existing_invoices import NothingToSendError, RunUnderWayError
from cone.operations.settle_name import NotAskedError, NotLinkableError
from cone.operations.sync_now import NotSendableError, SyncPausedError
from cone.operations.undo_run import RunNotUndoableError

TITLES: Mapping[HTTPStatus, str] = {
    HTTPStatus.BAD_REQUEST: "That can't be accepted",
    HTTPStatus.FORBIDDEN: "Not allowed",
    HTTPStatus.NOT_FOUND: "Not found",
    HTTPStatus.CONFLICT: "That isn't possible now",
}

STATUSES: Mapping[type[RefusalError], HTTPStatus] = {
    InvalidFieldError: HTTPStatus.BAD_REQUEST,
    NotAllowedError: HTTPStatus.FORBIDDEN,
    InvitationForAnotherError: HTTPStatus.FORBIDDEN,
    RecordNotFoundError: HTTPStatus.NOT_FOUND,
    InvitationInvalidError: HTTPStatus.NOT_FOUND,
    AlreadyMemberError: HTTPStatus.CONFLICT,
    ConnectionBusyError: HTTPStatus.CONFLICT,
    FirmExistsError: HTTPStatus.CONFLICT,
    InvoiceChangedMeanwhileError: HTTPStatus.CONFLICT,
    InvoiceHasPaymentsError: HTTPStatus.CONFLICT,
    InvoiceNotDeletableError: HTTPStatus.CONFLICT,
    InvoiceStatusError: HTTPStatus.CONFLICT,
    LastOwnerError: HTTPStatus.CONFLICT,
    NotConnectedError: HTTPStatus.CONFLICT,
    NoTaxIsFixedError: HTTPStatus.CONFLICT,
    NumberPendingError: HTTPStatus.CONFLICT,
    NumberSettledError: HTTPStatus.CONFLICT,
    PaymentAlreadyVoidError: HTTPStatus.CONFLICT,
    NotAskedError: HTTPStatus.CONFLICT,
    NotLinkableError: HTTPStatus.CONFLICT,
    PaymentChangedMeanwhileError: HTTPStatus.CONFLICT,
    NotSendableError: HTTPStatus.CONFLICT,
    CandidateGoneError: HTTPStatus.CONFLICT,
    CandidateTakenError: HTTPStatus.CONFLICT,
    NotUncertainError: HTTPStatus.CONFLICT,
    RecordChangedMeanwhileError: HTTPStatus.CONFLICT,
    RefreshFailedError: HTTPStatus.CONFLICT,
    SignInNeededError: HTTPStatus.CONFLICT,
    SyncPausedError: HTTPStatus.CONFLICT,
    RunUnderWayError: HTTPStatus.CONFLICT,
    SettingsChangedMeanwhileError: HTTPStatus.CONFLICT,
    NothingToSendError: HTTPStatus.CONFLICT,
    RunOverError: HTTPStatus.CONFLICT,
    RunNotUndoableError: HTTPStatus.CONFLICT,
    TaxPercentSettledError: HTTPStatus.CONFLICT,
    connect_provider.AlreadyConnectedError: HTTPStatus.CONFLICT,
    connect_provider.CompanyHeldError: HTTPStatus.CONFLICT,
    connect_provider.ConnectError: HTTPStatus.CONFLICT,
    connect_provider.OtherCompanyError: HTTPStatus.CONFLICT,
    connect_provider.ProviderUnavailableError: HTTPStatus.CONFLICT,
    connect_provider.ProviderUnreachableError: HTTPStatus.CONFLICT,
    connect_provider.SignInDeniedError: HTTPStatus.CONFLICT,
    connect_provider.SignInExpiredError: HTTPStatus.CONFLICT,
    connect_provider.SignInStrangeError: HTTPStatus.CONFLICT,
    connect_provider.SignInUsedError: HTTPStatus.CONFLICT,
}


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asked, for a part of the page."""
    return bool(getattr(request, "htmx", False))


def status_of(refusal: RefusalError) -> HTTPStatus:
    """The status for exactly this class: an unmapped one is a bug that the tests catch."""
    return STATUSES[type(refusal)]


def answer_refusal(request: HttpRequest, refusal: RefusalError, *, back: str = "") -> HttpResponse:
    """A message on the page that `back` leads to where there's one; else a page that says why."""
    status = status_of(refusal)
    if back and status in (HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST):
        messages.error(request, str(refusal))
        # A fragment's place can't show another page's message: the browser goes there instead.
        return HttpResponseClientRedirect(back) if is_fragment(request) else redirect(back)
    return render_refusal(request, title=TITLES[status], text=str(refusal), status=status)


def render_refusal(request: HttpRequest, *, title: str, text: str, status: HTTPStatus) -> HttpResponse:
    """The page that says what was refused, inside the frame when somebody is signed in to a firm."""
    frame = "app.html" if getattr(request, "actor", None) else "door_wide.html"
    return render(request, "errors/refused.html", {"frame": frame, "heading": title, "text": text}, status=int(status))
