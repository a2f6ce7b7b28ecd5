"""All entities by name and by path."""

from .account import Account
from .customer import Customer
from .entity import Entity
from .invoice import Invoice
from .item import Item
from .lists import CompanyInfo, PaymentMethod, Preferences, TaxAgency, TaxCode, TaxRate, Term
from .parties import Employee, Vendor
from .payment import Payment
from .roles import Roles

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
        "class",
        "companycurrency",
        "creditcardpayment",
        "creditmemo",
        "customertype",
        "department",
        "deposit",
        "estimate",
        "exchangerate",
        "inventoryadjustment",
        "journalcode",
        "journalentry",
        "purchase",
        "purchaseorder",
        "recurringtransaction",
        "refundreceipt",
        "salesreceipt",
        "taxclassification",
        "taxpayment",
        "timeactivity",
        "transfer",
        "vendorcredit",
    }
)
