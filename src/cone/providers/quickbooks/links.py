"""Addresses where a person sees a record in QuickBooks' own pages."""

from collections.abc import Mapping
from urllib.parse import urlencode

from cone.accounting.port.documents import Kind

_APPS: Mapping[str, str] = {
    "sandbox": "https://app.sandbox.qbo.intuit.com",
    "production": "https://app.qbo.intuit.com",
}


def record_url(app: str, *, company_id: str, kind: Kind, remote_id: str) -> str:
    """The record's page; a service is shown in the list of products and services, which has no page per item."""
    if not app:
        return ""
    match kind:
        case "customer":
            return _page(app, "customerdetail", {"nameId": remote_id}, company_id)
        case "service":
            return _page(app, "items", {}, company_id)
        case "invoice":
            return _page(app, "invoice", {"txnId": remote_id}, company_id)
        case "payment":
            return _page(app, "recvpayment", {"txnId": remote_id}, company_id)


def accounts_url(app: str, *, company_id: str) -> str:
    """The chart of accounts, where an account's type is changed."""
    return _page(app, "chartofaccounts", {}, company_id) if app else ""


def app_address(environment: str, *, emulator_url: str) -> str:
    """The base of QuickBooks' pages in an environment; empty when it isn't known."""
    return _APPS.get(environment, emulator_url if environment == "emulator" else "")


def _page(app: str, page: str, query: Mapping[str, str], company_id: str) -> str:
    # Intuit's pages open in the company that the browser is signed in to; only the emulator's read realmId.
    query = query if app in _APPS.values() else {**query, "realmId": company_id}
    return f"{app}/app/{page}" + (f"?{urlencode(query)}" if query else "")
