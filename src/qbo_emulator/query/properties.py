"""Which properties of which entity a statement may filter and order by; everything else is fault 4001."""

_COMMON = ("Id", "SyncToken", "MetaData.CreateTime", "MetaData.LastUpdatedTime")
_NAMES = (
    "DisplayName",
    "GivenName",
    "MiddleName",
    "FamilyName",
    "CompanyName",
    "FullyQualifiedName",
    "PrintOnCheckName",
    "Title",
    "Suffix",
    "PrimaryEmailAddr",
    "PrimaryPhone",
    "Balance",
    "Taxable",
    "Job",
    "ParentRef",
    "Level",
)
_SALES = (
    "DocNumber",
    "TxnDate",
    "CustomerRef",
    "Balance",
    "TotalAmt",
    "EmailStatus",
    "PrintStatus",
    "CurrencyRef",
)
_QUERYABLE = {
    "Account": (
        "Name",
        "FullyQualifiedName",
        "AccountType",
        "AccountSubType",
        "Classification",
        "AcctNum",
        "CurrentBalance",
        "SubAccount",
        "ParentRef",
        "CurrencyRef",
        "Description",
    ),
    "Customer": _NAMES,
    "Vendor": (*_NAMES, "AcctNum", "Vendor1099"),
    "Employee": (*_NAMES, "BillableTime"),
    "Item": (
        "Name",
        "FullyQualifiedName",
        "Sku",
        "Type",
        "Description",
        "UnitPrice",
        "Taxable",
        "IncomeAccountRef",
        "QtyOnHand",
        "SubItem",
        "ParentRef",
        "Level",
    ),
    "Invoice": (
        "DocNumber",
        "TxnDate",
        "DueDate",
        "CustomerRef",
        "Balance",
        "TotalAmt",
        "SalesTermRef",
        "EmailStatus",
        "PrintStatus",
        "CurrencyRef",
    ),
    "Payment": (
        "TxnDate",
        "CustomerRef",
        "TotalAmt",
        "UnappliedAmt",
        "PaymentRefNum",
        "PaymentMethodRef",
        "DepositToAccountRef",
        "CurrencyRef",
    ),
    "TaxCode": ("Name", "Description", "Taxable", "TaxGroup", "Hidden"),
    "TaxRate": ("Name", "Description", "RateValue", "AgencyRef", "SpecialTaxType"),
    "TaxAgency": ("DisplayName", "TaxTrackedOnSales", "TaxTrackedOnPurchases"),
    "Term": ("Name", "Type", "DueDays"),
    "PaymentMethod": ("Name", "Type"),
    "CreditMemo": _SALES,
    "SalesReceipt": (*_SALES, "DepositToAccountRef", "PaymentMethodRef", "PaymentRefNum"),
    "RefundReceipt": (*_SALES, "DepositToAccountRef", "PaymentMethodRef", "PaymentRefNum"),
    "Estimate": (*_SALES, "TxnStatus", "ExpirationDate", "DueDate"),
    "Deposit": ("TxnDate", "TotalAmt", "DocNumber", "DepositToAccountRef", "CurrencyRef"),
    "Class": ("Name", "FullyQualifiedName", "SubClass", "ParentRef"),
    "Department": ("Name", "FullyQualifiedName", "SubDepartment", "ParentRef"),
    "CompanyCurrency": ("Code", "Name"),
    "ExchangeRate": ("SourceCurrencyCode", "TargetCurrencyCode", "AsOfDate"),
    "CompanyInfo": ("CompanyName", "Country"),
    "Preferences": (),
}
# Documents are voided or deleted, never inactive.
_DOCUMENTS = ("Invoice", "Payment", "CreditMemo", "SalesReceipt", "RefundReceipt", "Estimate", "Deposit")


def _known(name: str) -> dict[str, str]:
    properties = [*_COMMON, *([] if name in _DOCUMENTS else ["Active"]), *_QUERYABLE[name]]
    return {each.lower(): each for each in properties}


PROPERTIES = {name: _known(name) for name in _QUERYABLE}
