"""Connect accounting software: send the browser to its sign-in, and take in what it brings back.

Nothing half-connected stays behind: the connection, its tokens and what was read of the company are stored in one
transaction, after everything that can be refused has been asked.
"""

from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from psycopg import errors

from cone.accounting import network
from cone.accounting.allowance import lift_hold
from cone.accounting.keyring import seal
from cone.accounting.outbox import find_active_connection, wake
from cone.accounting.overview import view_connection
from cone.accounting.port.company import CompanyFacts, TokenGrant
from cone.accounting.port.provider import AuthorizationRefusedError, Provider
from cone.accounting.port.verdicts import VERDICTS, MisconfiguredError
from cone.accounting.reference import list_item_names, store_books
from cone.accounting.registry import get_provider
from cone.accounting.release import release_all
from cone.accounting.values import ConnectionView
from cone.books.models import Connection, ConnectionTokens, OAuthState, RemoteCompany, Revocation, Workspace
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission
from cone.operations.actor import Actor
from cone.operations.records import note

_SIGN_IN_MAY_TAKE = timedelta(minutes=15)
_RECONNECTABLE = ("needs_reconnect", "read_only")


class ConnectError(RefusalError):
    """The accounting software wasn't connected."""

    code = "not_connected_now"


class ProviderUnavailableError(ConnectError):
    """That accounting software isn't on offer here."""

    code = "provider_unavailable"


class AlreadyConnectedError(ConnectError):
    """Other accounting software is connected; disconnect it first. Only one can be connected at a time."""

    code = "already_connected"


class SignInDeniedError(ConnectError):
    """The sign-in was cancelled there, so nothing was connected. Connect again whenever you like."""

    code = "sign_in_denied"


class SignInStrangeError(ConnectError):
    """This return belongs to no sign-in started in this browser. Nothing was connected; start again from Connect."""

    code = "state_unknown"


class SignInUsedError(ConnectError):
    """This sign-in was used already. Nothing was changed; to connect again, start from Connect."""

    code = "state_used"


class SignInExpiredError(ConnectError):
    """The sign-in took too long and has expired. Nothing was connected; start again from Connect."""

    code = "sign_in_expired"


class CompanyHeldError(ConnectError):
    """That company is already connected to another workspace of this installation. Disconnect it there first."""

    code = "company_held"


class OtherCompanyError(ConnectError):
    """That's another company than the one this workspace is connected to. Disconnect first to change companies."""

    code = "other_company"


class ProviderUnreachableError(ConnectError):
    """The accounting software couldn't be reached, so nothing was connected. Try again in a minute."""

    code = "provider_unreachable"


def start_connecting(actor: Actor, *, provider_key: str, session_key: str, redirect_uri: str) -> str:
    """Return the address of the provider's sign-in, with a state that is good for one return in this browser.

    Raises: NotAllowedError, ProviderUnavailableError, AlreadyConnectedError.
    """
    actor.check_may(Permission.INTEGRATIONS)
    provider = _find_provider(provider_key)
    environment = provider.availability().environment
    if environment is None:
        raise ProviderUnavailableError(provider.availability().explanation)
    _check_only_one(actor, provider_key)
    state = token_urlsafe(32)
    # Abandoned and used sign-ins needn't be kept for longer than their messages make sense.
    OAuthState.objects.filter(workspace=actor.workspace, expires_at__lt=Now() - timedelta(days=1)).delete()
    OAuthState.objects.create(
        state_sha256=_digest(state),
        workspace=actor.workspace,
        user=actor.user,
        session_sha256=_digest(session_key),
        provider=provider_key,
        environment=environment,
        expires_at=Now() + _SIGN_IN_MAY_TAKE,
    )
    return provider.authorize_url(state=state, redirect_uri=redirect_uri)


def finish_connecting(actor: Actor, *, query: Mapping[str, str], session_key: str, redirect_uri: str) -> ConnectionView:
    """Take in the browser's return, store the connection and return it.

    Raises: NotAllowedError and every ConnectError; after any of them nothing is connected that wasn't before.
    """
    actor.check_may(Permission.INTEGRATIONS)
    started = _use_state(actor, query.get("state", ""), session_key)
    provider = _find_provider(started.provider)
    if provider.availability().environment != started.environment:
        # Configured anew while the person was away: the code is of the other environment.
        raise SignInExpiredError
    _check_only_one(actor, started.provider)
    try:
        returned = provider.read_return(query)
        _put_off_revocations(started, returned.company_id)
        grant, facts, reference = network.exchange_and_read(
            provider,
            code=returned.code,
            company_id=returned.company_id,
            redirect_uri=redirect_uri,
            item_names=list_item_names(actor.workspace.pk),
        )
    except AuthorizationRefusedError as refused:
        raise _refusal_of(refused) from refused
    except MisconfiguredError as verdict:
        raise ProviderUnavailableError(f"{provider.name} refused: {verdict}") from verdict
    except VERDICTS as verdict:
        raise ProviderUnreachableError from verdict
    # A grant that can't be kept is dropped, not revoked: revoking would end the other workspace's grant too.
    try:
        with transaction.atomic():
            active = _store(actor, started, returned.company_id, grant, facts)
            store_books(active, facts, reference)
            _want_what_changed(active)
            # What was just read was answered.
            lift_hold(active)
            release_all(active)
            note(actor, "connection", active.uuid, "connected", provider=provider.name, company=facts.name)
            wake(active.pk)
            active.refresh_from_db()
    except IntegrityError as error:
        raise _conflict_of(error) from error
    return view_connection(active)


def _find_provider(key: str) -> Provider:
    try:
        return get_provider(key)
    except KeyError as missing:
        raise ProviderUnavailableError from missing


def _check_only_one(actor: Actor, provider_key: str) -> None:
    active = find_active_connection(actor.workspace.pk)
    if active is None:
        return
    if active.provider != provider_key or active.state not in _RECONNECTABLE:
        raise AlreadyConnectedError(
            f"{get_provider(active.provider).name} is connected. Only one accounting software can be connected at a "
            "time: disconnect it first."
        )


def _use_state(actor: Actor, state: str, session_key: str) -> OAuthState:
    mine = OAuthState.objects.filter(
        state_sha256=_digest(state),
        workspace=actor.workspace,
        user=actor.user,
        session_sha256=_digest(session_key),
    )
    if mine.filter(used_at__isnull=True, expires_at__gt=Now()).update(used_at=Now()):
        return mine.get()
    found = mine.first()
    if found is None:
        raise SignInStrangeError
    raise SignInUsedError if found.used_at else SignInExpiredError


def _refusal_of(refused: AuthorizationRefusedError) -> ConnectError:
    match refused.reason:
        case "denied":
            return SignInDeniedError()
        case "expired":
            return SignInExpiredError()
        case "unreachable":
            return ProviderUnreachableError()
        case _:
            return SignInStrangeError()


# Revoking a token ends the whole grant of app and company (api: Revoke), a newer one included: what a failed revoke
# left to retry must not meet the grant of this sign-in. Put off, not dropped: the sign-in may still be refused.
def _revocations_of(started: OAuthState, company_id: str) -> QuerySet[Revocation]:
    return Revocation.objects.filter(
        provider=started.provider, environment=started.environment, company_id_remote=company_id
    )


def _put_off_revocations(started: OAuthState, company_id: str) -> None:
    _revocations_of(started, company_id).update(not_before=Now() + _SIGN_IN_MAY_TAKE)


def _store(actor: Actor, started: OAuthState, company_id: str, grant: TokenGrant, facts: CompanyFacts) -> Connection:
    # Changes of the books in flight end first (`enqueue` shares this row): each either sees this connection and
    # enqueues, or has committed and is seen by `_want_what_changed`.
    Workspace.objects.select_for_update().get(pk=actor.workspace.pk)
    _revocations_of(started, company_id).delete()
    company, _ = RemoteCompany.objects.get_or_create(
        workspace=actor.workspace,
        provider=started.provider,
        environment=started.environment,
        remote_id=company_id,
    )
    active = (
        Connection.objects.select_for_update().filter(workspace=actor.workspace).exclude(state="disconnected").first()
    )
    if active is None:
        active = Connection.objects.create(
            workspace=actor.workspace,
            company=company,
            provider=started.provider,
            environment=started.environment,
            company_id_remote=company_id,
            company_name=facts.name,
            connected_by=actor.user,
        )
    elif active.state not in _RECONNECTABLE:
        raise AlreadyConnectedError
    elif active.company_id != company.pk:
        raise OtherCompanyError
    else:
        active.state, active.state_reason, active.not_before = "connected", "", Now()
        active.generation += 1
        # A lane that still works with the old tokens must not speak for the new ones.
        active.lane_epoch += 1
        active.save(update_fields=["state", "state_reason", "not_before", "generation", "lane_epoch"])
    _store_tokens(active, grant)
    return active


def _store_tokens(active: Connection, grant: TokenGrant) -> None:
    values = {
        "access_token": seal(grant.access_token),
        "refresh_token": seal(grant.refresh_token),
        "access_expires_at": Now() + grant.access_lifetime,
        "refresh_expires_at": Now() + grant.refresh_lifetime,
        "refreshed_at": Now(),
        "generation": active.generation,
    }
    # Deleted and made anew: a refresh in flight holds the old row's generation and can no longer store its result.
    ConnectionTokens.objects.filter(connection=active).delete()
    ConnectionTokens.objects.create(connection=active, **values)


# Of items only those that we made follow their services.
_CHANGED = """
insert into books_outboxrow (company_id, kind, record_uuid, wanted_revision)
select %(company)s, r.kind, r.uuid, r.revision
from (select 'customer' as kind, uuid, revision from books_customer where workspace_id = %(workspace)s
      union all select 'service', uuid, revision from books_service where workspace_id = %(workspace)s
      union all select 'invoice', uuid, revision from books_invoice where workspace_id = %(workspace)s
      union all select 'payment', uuid, revision from books_payment where workspace_id = %(workspace)s) r
where exists (select from books_link l where l.company_id = %(company)s and l.kind = r.kind
                and l.record_uuid = r.uuid and l.synced_revision < r.revision
                and (l.kind <> 'service' or l.is_made_here))
    or exists (select from books_attempt a where a.company_id = %(company)s and a.kind = r.kind
                and a.record_uuid = r.uuid and a.state = 'unknown')
on conflict (company_id, kind, record_uuid) do update
    set wanted_revision = greatest(books_outboxrow.wanted_revision, excluded.wanted_revision),
        state = 'due', cause_key = null, cause = null, tries = 0, not_before = now()
"""


def _want_what_changed(active: Connection) -> None:
    """Records of this company that changed while nothing was connected are due again, unknown outcomes first."""
    with connection.cursor() as cursor:
        cursor.execute(_CHANGED, {"company": active.company_id, "workspace": active.workspace_id})


def _conflict_of(error: IntegrityError) -> Exception:
    cause = error.__cause__
    constraint = cause.diag.constraint_name if isinstance(cause, errors.UniqueViolation) else None
    if constraint == "connection_one_per_company":
        return CompanyHeldError()
    if constraint == "connection_one_per_workspace":
        return AlreadyConnectedError()
    return error


def _digest(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
