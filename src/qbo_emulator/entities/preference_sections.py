"""The sections of a company's preferences, with every member that the schema knows."""

from __future__ import annotations

from collections.abc import Mapping

from .fields import Bool, Kept, Kind, Number, ReadOnly, Shape, Text


def _section(*switches: str, **others: Kind) -> Mapping[str, Kind]:
    return {**dict.fromkeys(switches, Bool()), **others}


_SECTIONS: Mapping[str, Mapping[str, Kind]] = {
    "AccountingInfoPrefs": _section(
        "UseAccountNumbers",
        "RequiresAccounts",
        "TrackDepartments",
        "ClassTrackingPerTxn",
        "ClassTrackingPerTxnLine",
        "AutoJournalEntryNumber",
        DefaultARAccount=Kept(),
        DefaultAPAccount=Kept(),
        DepartmentTerminology=Text(),
        FirstMonthOfFiscalYear=Text(),
        TaxYearMonth=Text(),
        TaxForm=Text(),
        BookCloseDate=ReadOnly(),
        OtherContactInfo=Kept(),
        CustomerTerminology=Text(),
    ),
    "ProductAndServicesPrefs": _section(
        "ForSales",
        "ForPurchase",
        "InventoryAndPurchaseOrder",
        "QuantityWithPriceAndRate",
        "QuantityOnHand",
        "RevenueRecognition",
        RevenueRecognitionFrequency=Text(),
        UOM=Text(),
    ),
    "SalesFormsPrefs": _section(
        "UsingProgressInvoicing",
        "CustomTxnNumbers",
        "DelayedCharges",
        "EmailCopyToCompany",
        "AllowDeposit",
        "AllowDiscount",
        "AllowEstimates",
        "ETransactionAttachPDF",
        "ETransactionPaymentEnabled",
        "IPNSupportEnabled",
        "AllowServiceDate",
        "AllowShipping",
        "AutoApplyCredit",
        "AutoApplyPayments",
        "PrintItemWithZeroAmount",
        "TrackReimbursableExpensesAsIncome",
        "UsingSalesOrders",
        "UsingPriceLevels",
        CustomField=Kept(),
        SalesEmailCc=Kept(),
        SalesEmailBcc=Kept(),
        DefaultDiscountAccount=Text(),
        EstimateMessage=Text(),
        ETransactionEnabledStatus=Text(),
        InvoiceMessage=Text(),
        DefaultShippingAccount=Text(),
        DefaultItem=Kept(),
        DefaultTerms=Kept(),
        DefaultDeliveryMethod=Text(),
        DefaultShipMethodRef=Kept(),
        DefaultMarkup=Number(),
        DefaultFOB=Text(),
        DefaultCustomerMessage=Text(),
    ),
    "EmailMessagesPrefs": dict.fromkeys(
        ("InvoiceMessage", "EstimateMessage", "SalesReceiptMessage", "StatementMessage"), Kept()
    ),
    "VendorAndPurchasesPrefs": _section(
        "EnableBills",
        "TrackingByCustomer",
        "BillableExpenseTracking",
        "AutomaticBillPayment",
        "TPAREnabled",
        "UsingInventory",
        "UsingMultiLocationInventory",
        DefaultTerms=Kept(),
        DefaultMarkup=Number(),
        DefaultMarkupAccount=Kept(),
        POCustomField=Kept(),
        MsgToVendors=Text(),
        DaysBillsAreDue=Number(),
        DiscountAccountRef=Kept(),
    ),
    "TimeTrackingPrefs": _section(
        "UseServices",
        "BillCustomers",
        "ShowBillRateToAll",
        "TimeTrackingEnabled",
        "MarkTimeEntriesBillable",
        "MarkExpensesAsBillable",
        DefaultTimeItem=Kept(),
        WorkWeekStartDate=Text(),
    ),
    "CurrencyPrefs": _section("MultiCurrencyEnabled", HomeCurrency=ReadOnly()),
    "ReportPrefs": _section("CalcAgingReportFromTxnDate", ReportBasis=Text()),
    "OtherPrefs": {"NameValue": Kept()},
}
_CLASSES = {"AccountingInfoPrefs": "CompanyAccountingPrefs"}
SECTIONS: Mapping[str, Shape] = {name: Shape(_CLASSES.get(name, name), members) for name, members in _SECTIONS.items()}
