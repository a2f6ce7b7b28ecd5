"""All entities by name and by path."""

from .account import Account
from .company import CompanyCurrency, ExchangeRate, Preferences
from .company_info import CompanyInfo
from .credit_memo import CreditMemo
from .customer import Customer
from .deposit import Deposit
from .entity import Entity
from .estimate import Estimate
from .invoice import Invoice
from .item import Item
from .lists import PaymentMethod, TaxAgency, TaxCode, TaxRate, Term
from .parties import Employee, Vendor
from .payment import Payment
from .receipts import RefundReceipt, SalesReceipt
from .roles import Roles
from .tracking import Class, Department

ENTITIES: tuple[Entity, ...] = (
    CompanyInfo(),
    Preferences(),
    Account(),
    Customer(),
    Vendor(),
    Employee(),
    Item(),
    TaxCode(),
    TaxRate(),
    TaxAgency(),
    Term(),
    PaymentMethod(),
    Invoice(),
    Payment(),
    CreditMemo(),
    SalesReceipt(),
    RefundReceipt(),
    Estimate(),
    Deposit(),
    Class(),
    Department(),
    CompanyCurrency(),
    ExchangeRate(),
)
BY_NAME = {entity.name: entity for entity in (*ENTITIES, Roles())}
BY_PATH = {entity.path: entity for entity in ENTITIES}
# Known to QuickBooks, not to this emulator: a query on them is refused as uncovered, not as unknown.
UNCOVERED = frozenset(
    {
        "attachable",
        "bill",
        "billpayment",
        "budget",
        "creditcardpayment",
        "customertype",
        "inventoryadjustment",
        "journalcode",
        "journalentry",
        "purchase",
        "purchaseorder",
        "recurringtransaction",
        "taxclassification",
        "taxpayment",
        "timeactivity",
        "transfer",
        "vendorcredit",
    }
)
