"""The tables. Import them from here."""

from cone.books.models.activity import Activity
from cone.books.models.backfill import BackfillRun, RunRecord
from cone.books.models.budget import RequestBudget
from cone.books.models.connection import Connection, ConnectionTokens, OAuthState, Revocation
from cone.books.models.customer import Customer
from cone.books.models.invoice import Invoice, InvoiceLine, InvoiceTax
from cone.books.models.notice import Notice
from cone.books.models.payment import Payment, PaymentAllocation
from cone.books.models.reference import ReferenceRecord, ServiceAccount, TaxMapping
from cone.books.models.sent_form import SentForm
from cone.books.models.service import Service
from cone.books.models.sync import Attempt, Batch, Link, OutboxRow, RemoteCompany, RemoteName
from cone.books.models.tax_rate import TaxRate
from cone.books.models.user import User
from cone.books.models.workspace import Counter, Invitation, Membership, Role, Workspace

__all__ = [
    "Activity",
    "Attempt",
    "BackfillRun",
    "Batch",
    "Connection",
    "ConnectionTokens",
    "Counter",
    "Customer",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "Link",
    "Membership",
    "Notice",
    "OAuthState",
    "OutboxRow",
    "Payment",
    "PaymentAllocation",
    "ReferenceRecord",
    "RemoteCompany",
    "RemoteName",
    "RequestBudget",
    "Revocation",
    "Role",
    "RunRecord",
    "SentForm",
    "Service",
    "ServiceAccount",
    "TaxMapping",
    "TaxRate",
    "User",
    "Workspace",
]
