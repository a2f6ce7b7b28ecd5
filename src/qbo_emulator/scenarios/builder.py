"""Making a company's books from its plan, through the same rules that requests go through."""

from __future__ import annotations

from typing import Any

from qbo_emulator.books import Books, Txn
from qbo_emulator.entities.currencies import HOME_CURRENCY
from qbo_emulator.entities.registry import BY_NAME
from qbo_emulator.jsonio import Json, plain
from qbo_emulator.operations import create

from .plan import CodePlan, CompanyPlan, RatePlan


def build(books: Books, plan: CompanyPlan) -> None:
    """Fill empty books; one transaction per layer, since a layer refers to the one before."""
    txn = Txn(books)
    _put(txn, "CompanyInfo", "1", _company_info(plan))
    _put(txn, "Preferences", "1", _preferences(plan))
    _put(
        txn,
        "TaxAgency",
        "1",
        {"DisplayName": plan.agency, "TaxTrackedOnSales": True, "TaxTrackedOnPurchases": plan.country != "US"},
    )
    for rate in plan.rates:
        _put(txn, "TaxRate", str(rate.id), _tax_rate(rate))
    for code in plan.codes:
        _put(txn, "TaxCode", code.id, _tax_code(plan, code))
    txn.commit()
    accounts = _accounts(books, plan)
    # Foreign customers add their currency's receivable account to the roles.
    _roles(books, accounts, plan)
    _lists(books, plan, accounts)
    for currency, worth, day in plan.exchange_rates:
        _create(
            books, "ExchangeRate", {"SourceCurrencyCode": currency, "Rate": worth, "AsOfDate": day}, f"{currency}:{day}"
        )
    if plan.documents is not None:
        plan.documents(books)


def _put(txn: Txn, entity: str, number: str, body: Json) -> None:
    txn.put(
        entity,
        {
            **body,
            "domain": "QBO",
            "sparse": False,
            "Id": number,
            "SyncToken": "0",
            "MetaData": {"CreateTime": txn.now, "LastUpdatedTime": txn.now},
        },
    )


def _company_info(plan: CompanyPlan) -> Json:
    address = {"Id": "1", **plan.address, "Country": plan.country}
    return {
        "CompanyName": plan.name,
        "LegalName": plan.legal_name,
        "CompanyAddr": address,
        "CustomerCommunicationAddr": dict(address),
        "LegalAddr": dict(address),
        "PrimaryPhone": {"FreeFormNumber": plan.phone} if plan.phone else {},
        "CompanyStartDate": "2019-04-06",
        "FiscalYearStartMonth": "January" if plan.country == "US" else "April",
        "Country": plan.country,
        "Email": {"Address": plan.email},
        "WebAddr": {},
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "NeoEnabled", "Value": "true"},
            {"Name": "ItemCategoriesFeature", "Value": "true"},
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "SubscriptionStatus", "Value": "PAID"},
        ],
    }


def _preferences(plan: CompanyPlan) -> Json:
    tax: Json = {"UsingSalesTax": True}
    if plan.default_tax_code:
        tax["TaxGroupCodeRef"] = {"value": plan.default_tax_code}
    sections: Json = {
        "AccountingInfoPrefs": {
            "FirstMonthOfFiscalYear": "January" if plan.country == "US" else "April",
            "UseAccountNumbers": True,
            "TaxYearMonth": "January",
            "ClassTrackingPerTxn": False,
            "TrackDepartments": False,
            "CustomerTerminology": "Customers",
            "DepartmentTerminology": "Location",
            "ClassTrackingPerTxnLine": False,
        },
        "ProductAndServicesPrefs": {
            "ForSales": True,
            "ForPurchase": True,
            "QuantityWithPriceAndRate": True,
            "QuantityOnHand": False,
        },
        "SalesFormsPrefs": {
            "CustomTxnNumbers": True,
            "AllowDeposit": True,
            "AllowDiscount": True,
            "AllowEstimates": True,
            "ETransactionEnabledStatus": "NotApplicable",
            "AllowServiceDate": True,
            "AllowShipping": False,
            "AutoApplyCredit": False,
            "AutoApplyPayments": False,
        },
        "TaxPrefs": tax,
        "CurrencyPrefs": {"MultiCurrencyEnabled": False, "HomeCurrency": {"value": HOME_CURRENCY[plan.country]}},
        "ReportPrefs": {"ReportBasis": "Accrual", "CalcAgingReportFromTxnDate": False},
        "OtherPrefs": {"NameValue": []},
    }
    for name, changes in plan.preferences.items():
        sections[name] = {**sections[name], **changes}
    return sections


def _tax_rate(rate: RatePlan) -> Json:
    percent = plain(rate.percent)
    shown = {"DisplayType": rate.display} if rate.display else {}
    return {
        "Name": rate.name,
        "Description": rate.description or rate.name,
        "Active": True,
        "RateValue": percent,
        "AgencyRef": {"value": "1"},
        "SpecialTaxType": rate.kind,
        **shown,
        "EffectiveTaxRate": [{"RateValue": percent, "EffectiveDate": "2011-01-04T00:00:00-08:00"}],
    }


def _tax_code(plan: CompanyPlan, code: CodePlan) -> Json:
    numbers = {rate.name: str(rate.id) for rate in plan.rates}

    def listed(names: tuple[str, ...]) -> Json:
        return {
            "TaxRateDetail": [
                {
                    "TaxRateRef": {"value": numbers[name], "name": name},
                    "TaxTypeApplicable": "TaxOnAmount",
                    "TaxOrder": position,
                }
                for position, name in enumerate(names)
            ]
        }

    body: Json = {
        "Name": code.name,
        "Description": code.description or code.name,
        "Active": True,
        "Hidden": False,
        "Taxable": code.taxable,
        "TaxGroup": bool(code.sales or code.purchases),
    }
    if code.id.isdigit():
        body["SalesTaxRateList"] = listed(code.sales)
        body["PurchaseTaxRateList"] = listed(code.purchases)
        body["TaxCodeConfigType"] = "USER_DEFINED" if plan.country == "US" else "SYSTEM_GENERATED"
    return body


def _accounts(books: Books, plan: CompanyPlan) -> dict[str, str]:
    """Create the chart of accounts; answers name to id."""
    txn = Txn(books)
    taken = {account.id for account in plan.accounts if account.id is not None}
    free = (number for number in range(1, 10_000) if number not in taken)
    found: dict[str, str] = {}
    for account in plan.accounts:
        body: Json = {"Name": account.name, "AccountType": account.type, "AccountSubType": account.subtype}
        if account.number:
            body["AcctNum"] = account.number
        if account.currency:
            body["CurrencyRef"] = {"value": account.currency}
        number = str(account.id if account.id is not None else next(free))
        found[account.name] = create(txn, BY_NAME["Account"], body, number=number)["Id"]
    txn.commit()
    return found


def _lists(books: Books, plan: CompanyPlan, accounts: dict[str, str]) -> None:
    for number, (name, days) in enumerate(plan.terms, start=1):
        _create(books, "Term", {"Name": name, "DueDays": days}, str(number))
    for number, (name, kind) in enumerate(plan.payment_methods, start=1):
        _create(books, "PaymentMethod", {"Name": name, "Type": kind}, str(number))
    for item in plan.items:
        body: Json = {
            "Name": item.name,
            "Type": "Service",
            "UnitPrice": item.price,
            "Taxable": item.taxable,
            "IncomeAccountRef": {"value": accounts[item.account]},
        }
        if item.on_hand is not None:
            body |= {
                "Type": "Inventory",
                "TrackQtyOnHand": True,
                "QtyOnHand": item.on_hand,
                "PurchaseCost": item.cost,
                "InvStartDate": "2026-01-01",
                "AssetAccountRef": {"value": accounts["Inventory Asset"]},
                "ExpenseAccountRef": {"value": accounts["Cost of Goods Sold"]},
            }
        if item.description:
            body["Description"] = item.description
        _create(books, "Item", body, str(item.id) if item.id is not None else None)
    for entity, bodies in (("Customer", plan.customers), ("Vendor", plan.vendors), ("Employee", plan.employees)):
        for body in bodies:
            _create(books, entity, {key: value for key, value in body.items() if key != "Id"}, body.get("Id"))


def _create(books: Books, entity: str, body: Json, number: Any = None) -> None:
    txn = Txn(books)
    create(txn, BY_NAME[entity], body, number=number or txn.next_id(BY_NAME[entity].sequence))
    txn.commit()


def _roles(books: Books, accounts: dict[str, str], plan: CompanyPlan) -> None:
    roles = {"Id": "1"}
    for account in plan.accounts:
        if account.type == "Accounts Receivable":
            roles["receivable"] = accounts[account.name]
        if account.subtype in {"SalesTaxPayable", "GlobalTaxPayable"}:
            roles["tax_payable"] = accounts[account.name]
        for role, subtype in (("undeposited", "UndepositedFunds"), ("opening_equity", "OpeningBalanceEquity")):
            if account.subtype == subtype:
                roles[role] = accounts[account.name]
    txn = Txn(books)
    txn.put("Roles", roles)
    txn.commit()
