"""Companies outside the US: two in the UK, one each in Australia, Canada and Ireland."""

from dataclasses import replace
from decimal import Decimal

from .charts import with_tax_account
from .plan import CodePlan, CompanyPlan, ItemPlan, RatePlan

_ITEMS = (
    ItemPlan("Services", "Services", description="General services"),
    ItemPlan("Hours", "Services", price=Decimal(85)),
    ItemPlan("Consulting", "Consulting Income", price=Decimal(120)),
)

UK_MAIN = CompanyPlan(
    name="Harbour & Vale Ltd",
    legal_name="Harbour & Vale Limited",
    country="GB",
    address={
        "Line1": "14 Quayside Row",
        "City": "Bristol",
        "CountrySubDivisionCode": "Bristol",
        "PostalCode": "BS1 4QA",
    },
    phone="0117 496 0100",
    accounts=with_tax_account("VAT Control"),
    agency="HM Revenue & Customs (VAT)",
    rates=(
        RatePlan(5, "0.0% Z", Decimal(0), "ZERO_RATE"),
        RatePlan(6, "0.0% Z Purchases", Decimal(0), "ZERO_RATE"),
        RatePlan(8, "20.0% S", Decimal(20)),
        RatePlan(9, "20.0% S Purchases", Decimal(20)),
        RatePlan(12, "5.0% R", Decimal(5)),
        RatePlan(13, "5.0% R Purchases", Decimal(5)),
        RatePlan(16, "Exempt", Decimal(0), "ZERO_RATE"),
        RatePlan(17, "Exempt Purchases", Decimal(0), "ZERO_RATE"),
        RatePlan(20, "No VAT", Decimal(0), "ZERO_RATE"),
        RatePlan(21, "No VAT Purchases", Decimal(0), "ZERO_RATE"),
    ),
    codes=(
        CodePlan("4", "0.0% Z", ("0.0% Z",), ("0.0% Z Purchases",), "Zero rated"),
        CodePlan("6", "20.0% S", ("20.0% S",), ("20.0% S Purchases",), "Standard rate"),
        CodePlan("8", "5.0% R", ("5.0% R",), ("5.0% R Purchases",), "Reduced rate"),
        CodePlan("10", "Exempt", ("Exempt",), ("Exempt Purchases",), "Exempt from VAT"),
        CodePlan("12", "No VAT", ("No VAT",), ("No VAT Purchases",), "Outside the scope of VAT", taxable=False),
    ),
    items=_ITEMS,
    customers=(
        {
            "DisplayName": "Marlowe Interiors",
            "CompanyName": "Marlowe Interiors",
            "PrimaryEmailAddr": {"Address": "accounts@marlowe.example"},
            "BillAddr": {"Line1": "3 Castle Street", "City": "Exeter", "PostalCode": "EX4 3PT", "Country": "GB"},
        },
        {
            "DisplayName": "Tamar Valley Growers",
            "CompanyName": "Tamar Valley Growers",
            "BillAddr": {"Line1": "Lower Farm", "City": "Tavistock", "PostalCode": "PL19 8AA", "Country": "GB"},
        },
    ),
    vendors=({"DisplayName": "Severn Office Supplies"}, {"DisplayName": "Bright Power"}),
    employees=({"GivenName": "Ines", "FamilyName": "Calder"},),
)

UK_SECOND = replace(
    UK_MAIN,
    name="Saltmarsh Studios Ltd",
    legal_name="Saltmarsh Studios Limited",
    phone="01603 555 010",
    address={"Line1": "2 Mill Lane", "City": "Norwich", "CountrySubDivisionCode": "Norfolk", "PostalCode": "NR1 1AA"},
    customers=({"DisplayName": "Fenland Press"},),
    vendors=(),
    employees=(),
)

UK_CLOSED = replace(
    UK_MAIN,
    name="Ravensworth & Co Ltd",
    legal_name="Ravensworth & Company Limited",
    preferences={"AccountingInfoPrefs": {"BookCloseDate": "2026-03-31"}},
)

AU_MAIN = CompanyPlan(
    name="Wattle Creek Trading",
    legal_name="Wattle Creek Trading Pty Ltd",
    country="AU",
    address={"Line1": "88 Flinders Lane", "City": "Melbourne", "CountrySubDivisionCode": "VIC", "PostalCode": "3000"},
    accounts=with_tax_account("GST Liabilities Payable"),
    agency="Australian Taxation Office",
    rates=(
        RatePlan(4, "GST", Decimal(10)),
        RatePlan(5, "GST Purchases", Decimal(10)),
        RatePlan(6, "GST free", Decimal(0), "ZERO_RATE"),
        RatePlan(7, "GST free Purchases", Decimal(0), "ZERO_RATE"),
        RatePlan(8, "Out of Scope", Decimal(0), "ZERO_RATE"),
    ),
    codes=(
        CodePlan("4", "GST", ("GST",), ("GST Purchases",)),
        CodePlan("5", "GST free", ("GST free",), ("GST free Purchases",)),
        CodePlan("6", "Out of Scope", ("Out of Scope",), ("Out of Scope",), taxable=False),
    ),
    items=_ITEMS,
    customers=({"DisplayName": "Yarra Bicycles"},),
)

CA_MAIN = CompanyPlan(
    name="Northern Pine Supply",
    legal_name="Northern Pine Supply Inc.",
    country="CA",
    address={"Line1": "410 Water Street", "City": "Vancouver", "CountrySubDivisionCode": "BC", "PostalCode": "V6B 1B8"},
    accounts=with_tax_account("GST/HST Payable"),
    agency="Receiver General",
    rates=(
        RatePlan(3, "GST", Decimal(5), display=""),
        RatePlan(4, "GST Purchases", Decimal(5), display=""),
        RatePlan(5, "PST BC", Decimal(7), display=""),
        RatePlan(6, "HST ON", Decimal(13), display=""),
        RatePlan(7, "HST ON Purchases", Decimal(13), display=""),
        RatePlan(10, "QST 9.975", Decimal("9.975"), display=""),
        RatePlan(8, "Zero-rated", Decimal(0), "ZERO_RATE", display=""),
        RatePlan(9, "Exempt", Decimal(0), "ZERO_RATE", display=""),
    ),
    codes=(
        CodePlan("3", "GST", ("GST",), ("GST Purchases",)),
        CodePlan("4", "GST/PST BC", ("GST", "PST BC"), ("GST Purchases",)),
        CodePlan("5", "HST ON", ("HST ON",), ("HST ON Purchases",)),
        CodePlan("8", "GST/QST QC", ("GST", "QST 9.975"), ("GST Purchases",)),
        CodePlan("6", "Zero-rated", ("Zero-rated",), ("Zero-rated",)),
        CodePlan("7", "Exempt", ("Exempt",), ("Exempt",)),
    ),
    items=_ITEMS,
    customers=({"DisplayName": "Lakeshore Dental"},),
)

IE_MAIN = CompanyPlan(
    name="Liffey Row Supplies",
    legal_name="Liffey Row Supplies Limited",
    country="IE",
    address={
        "Line1": "9 Merchants Quay",
        "City": "Dublin",
        "CountrySubDivisionCode": "Dublin",
        "PostalCode": "D08 X2Y4",
    },
    accounts=with_tax_account("VAT Control"),
    agency="Revenue Commissioners",
    rates=(
        RatePlan(3, "23.0% S", Decimal(23), display=""),
        RatePlan(4, "23.0% S Purchases", Decimal(23), display=""),
        RatePlan(5, "13.5% R", Decimal("13.5"), display=""),
        RatePlan(6, "13.5% R Purchases", Decimal("13.5"), display=""),
        RatePlan(7, "0.0% Z", Decimal(0), "ZERO_RATE", display=""),
        RatePlan(8, "Exempt", Decimal(0), "ZERO_RATE", display=""),
    ),
    codes=(
        CodePlan("3", "23.0% S", ("23.0% S",), ("23.0% S Purchases",), "Standard rate"),
        CodePlan("4", "13.5% R", ("13.5% R",), ("13.5% R Purchases",), "Reduced rate"),
        CodePlan("5", "0.0% Z", ("0.0% Z",), ("0.0% Z",), "Zero rated"),
        CodePlan("6", "Exempt", ("Exempt",), ("Exempt",), "Exempt from VAT"),
    ),
    items=_ITEMS,
    customers=({"DisplayName": "Howth Harbour Hotel"},),
)
