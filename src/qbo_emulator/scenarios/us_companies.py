"""Companies in the US: Intuit's well-known sample company by its published ids and names, and a small plain one."""

from dataclasses import replace
from decimal import Decimal

from qbo_emulator.tax.automated_table import TABLE

from .charts import with_tax_account
from .plan import AccountPlan, CodePlan, CompanyPlan, ItemPlan, RatePlan
from .us_documents import sell

_RATES = (
    RatePlan(1, "AZ State tax", Decimal("7.1"), description="Sales Tax"),
    RatePlan(2, "Tucson City", Decimal(2), description="Sales Tax"),
    RatePlan(3, "California", Decimal(8), description="Sales Tax"),
)
_CODES = (
    CodePlan("2", "California", ("California",)),
    CodePlan("3", "Tucson", ("AZ State tax", "Tucson City")),
    CodePlan("TAX", "TAX", description="TAX"),
    CodePlan("NON", "NON", description="NON", taxable=False),
    CodePlan("CustomSalesTax", "CustomSalesTax", description="CustomSalesTax"),
)

_SAMPLE_ACCOUNTS = (
    AccountPlan("Services", "Income", "ServiceFeeIncome", id=1),
    AccountPlan("Undeposited Funds", "Other Current Asset", "UndepositedFunds", id=4),
    AccountPlan("Fees Billed", "Income", "ServiceFeeIncome", id=5),
    AccountPlan("Advertising", "Expense", "AdvertisingPromotional", id=7),
    AccountPlan("Automobile", "Expense", "Auto", id=55),
    AccountPlan("Bank Charges", "Expense", "BankCharges", id=8),
    AccountPlan("Insurance", "Expense", "Insurance", id=11),
    AccountPlan("Office Expenses", "Expense", "OfficeGeneralAdministrativeExpenses", id=15),
    AccountPlan("Rent or Lease", "Expense", "RentOrLeaseOfBuildings", id=17),
    AccountPlan("Travel", "Expense", "Travel", id=22),
    AccountPlan("Utilities", "Expense", "Utilities", id=24),
    AccountPlan("Interest Earned", "Other Income", "InterestEarned", id=25),
    AccountPlan("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", id=33),
    AccountPlan("Opening Balance Equity", "Equity", "OpeningBalanceEquity", id=34),
    AccountPlan("Checking", "Bank", "Checking", id=35),
    AccountPlan("Savings", "Bank", "Savings", id=36),
    AccountPlan("Truck", "Fixed Asset", "Vehicles", id=37),
    AccountPlan("Mastercard", "Credit Card", "CreditCard", id=41),
    AccountPlan("Visa", "Credit Card", "CreditCard", id=42),
    AccountPlan("Notes Payable", "Long Term Liability", "OtherLongTermLiabilities", id=44),
    AccountPlan("Landscaping Services", "Income", "SalesOfProductIncome", id=45),
    AccountPlan("Fountains and Garden Lighting", "Income", "SalesOfProductIncome", id=48),
    AccountPlan("Maintenance and Repair", "Income", "SalesOfProductIncome", id=53),
    AccountPlan("Pest Control Services", "Income", "SalesOfProductIncome", id=54),
    AccountPlan("Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs", id=80),
    AccountPlan("Inventory Asset", "Other Current Asset", "Inventory", id=81),
    AccountPlan("Design income", "Income", "SalesOfProductIncome", id=82),
    AccountPlan("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", id=84),
    AccountPlan("Discounts given", "Income", "DiscountsRefundsGiven", id=86),
    AccountPlan("Board of Equalization Payable", "Other Current Liability", "SalesTaxPayable", id=90),
)

US_SAMPLE = CompanyPlan(
    name="Craig's Design and Landscaping Services",
    legal_name="Craig's Design and Landscaping Services",
    country="US",
    address={"Line1": "123 Sierra Way", "City": "San Pablo", "CountrySubDivisionCode": "CA", "PostalCode": "87999"},
    accounts=_SAMPLE_ACCOUNTS,
    agency="Board of Equalization",
    rates=_RATES,
    codes=_CODES,
    items=(
        ItemPlan("Services", "Services", id=1),
        ItemPlan("Hours", "Services", id=2),
        ItemPlan("Concrete", "Fountains and Garden Lighting", id=3, taxable=True),
        ItemPlan("Design", "Design income", price=Decimal(75), id=4, description="Custom Design"),
        ItemPlan(
            "Rock Fountain",
            "Fountains and Garden Lighting",
            price=Decimal(275),
            id=5,
            taxable=True,
            description="Rock Fountain",
            on_hand=2,
            cost=Decimal(125),
        ),
        ItemPlan("Gardening", "Landscaping Services", id=6, description="Weekly Gardening Service"),
        ItemPlan("Installation", "Landscaping Services", price=Decimal(50), id=7),
        ItemPlan("Lighting", "Fountains and Garden Lighting", id=8, taxable=True),
        ItemPlan("Maintenance & Repair", "Maintenance and Repair", id=9),
        ItemPlan(
            "Pest Control", "Pest Control Services", price=Decimal(35), id=10, description="Pest Control Services"
        ),
        ItemPlan(
            "Pump",
            "Fountains and Garden Lighting",
            price=Decimal(15),
            id=11,
            taxable=True,
            description="Fountain Pump",
            on_hand=25,
            cost=Decimal(10),
        ),
        ItemPlan("Rocks", "Landscaping Services", id=12, taxable=True, description="Garden Rocks"),
        ItemPlan("Trimming", "Landscaping Services", price=Decimal(35), id=18, description="Tree and Shrub Trimming"),
    ),
    customers=(
        {
            "Id": "1",
            "DisplayName": "Amy's Bird Sanctuary",
            "CompanyName": "Amy's Bird Sanctuary",
            "GivenName": "Amy",
            "FamilyName": "Lauterbach",
            "PrimaryPhone": {"FreeFormNumber": "(650) 555-3311"},
            "PrimaryEmailAddr": {"Address": "birds@example.com"},
            "BillAddr": {
                "Line1": "4581 Finch St.",
                "City": "Bayshore",
                "CountrySubDivisionCode": "CA",
                "PostalCode": "94326",
                "Lat": "INVALID",
                "Long": "INVALID",
            },
        },
        {
            "Id": "2",
            "DisplayName": "Bill's Windsurf Shop",
            "CompanyName": "Bill's Windsurf Shop",
            "GivenName": "Bill",
            "FamilyName": "Lucchini",
            "BillAddr": {
                "Line1": "12 Ocean Dr.",
                "City": "Half Moon Bay",
                "CountrySubDivisionCode": "CA",
                "PostalCode": "94213",
            },
        },
        {
            "Id": "3",
            "DisplayName": "Cool Cars",
            "CompanyName": "Cool Cars",
            "GivenName": "Grace",
            "FamilyName": "Pariente",
        },
        {"Id": "4", "DisplayName": "Diego Rodriguez", "GivenName": "Diego", "FamilyName": "Rodriguez"},
        {
            "Id": "5",
            "DisplayName": "Dukes Basketball Camp",
            "CompanyName": "Dukes Basketball Camp",
            "GivenName": "Peter",
            "FamilyName": "Dukes",
            "BillAddr": {
                "Line1": "25 Court St.",
                "City": "Tucson",
                "CountrySubDivisionCode": "AZ",
                "PostalCode": "85719",
            },
        },
        {"Id": "6", "DisplayName": "Dylan Sollfrank", "GivenName": "Dylan", "FamilyName": "Sollfrank"},
        {"Id": "7", "DisplayName": "Freeman Sporting Goods", "CompanyName": "Freeman Sporting Goods"},
        {"Id": "8", "DisplayName": "0969 Ocean View Road", "ParentRef": {"value": "7"}, "Job": True},
        {"Id": "9", "DisplayName": "55 Twin Lane", "ParentRef": {"value": "7"}, "Job": True},
        *(
            {"Id": number, "DisplayName": name}
            for number, name in (
                ("10", "Geeta Kalapatapu"),
                ("11", "Gevelber Photography"),
                ("12", "Jeff's Jalopies"),
                ("13", "John Melton"),
                ("14", "Kate Whelan"),
                ("16", "Kookies by Kathy"),
                ("17", "Mark Cho"),
                ("18", "Paulsen Medical Supplies"),
                ("19", "Rago Travel Agency"),
            )
        ),
    ),
    vendors=(
        {"Id": "30", "DisplayName": "Books by Bessie", "GivenName": "Bessie", "FamilyName": "Williams"},
        *(
            {"Id": number, "DisplayName": name}
            for number, name in (
                ("31", "Brosnahan Insurance Agency"),
                ("32", "Cal Telephone"),
                ("33", "Chin's Gas and Oil"),
                ("34", "Cigna Health Care"),
                ("35", "Computers by Jenni"),
                ("36", "Diego's Road Warrior Bodyshop"),
                ("37", "EDD"),
                ("38", "Ellis Equipment Rental"),
                ("39", "Fidelity"),
                ("40", "Hall Properties"),
                ("41", "Hicks Hardware"),
                ("56", "Bob's Burger Joint"),
            )
        ),
    ),
    employees=(
        {"Id": "54", "GivenName": "John", "FamilyName": "Johnson"},
        {"Id": "55", "GivenName": "Emily", "FamilyName": "Platt"},
        *(
            {"Id": str(number), "GivenName": given, "FamilyName": "Example"}
            for number, given in enumerate(("Ada", "Ben", "Cleo", "Dora", "Eli", "Fay", "Gus", "Hana", "Ivo"), 60)
        ),
    ),
    payment_methods=(
        ("Cash", "NON_CREDIT_CARD"),
        ("Check", "NON_CREDIT_CARD"),
        ("Visa", "CREDIT_CARD"),
        ("MasterCard", "CREDIT_CARD"),
    ),
    preferences={
        "SalesFormsPrefs": {"CustomTxnNumbers": False, "AllowDeposit": False, "AllowDiscount": True},
        "OtherPrefs": {"NameValue": [{"Name": "SalesFormsPrefs.DefaultItem", "Value": "1"}]},
    },
    default_tax_code="2",
    documents=sell,
)

US_SMALL = CompanyPlan(
    name="Bluebird Advisory LLC",
    legal_name="Bluebird Advisory LLC",
    country="US",
    address={
        "Line1": "700 Mission Street",
        "City": "San Francisco",
        "CountrySubDivisionCode": "CA",
        "PostalCode": "94103",
    },
    accounts=with_tax_account("Sales Tax Payable", "SalesTaxPayable"),
    agency="State Board",
    rates=_RATES,
    codes=_CODES,
    items=(
        ItemPlan("Services", "Services"),
        ItemPlan("Consulting", "Consulting Income", price=Decimal(150), taxable=True),
    ),
    customers=({"DisplayName": "Redwood Clinic"},),
    default_tax_code="2",
)

# Automated Sales Tax: the rates of the table, no code but the pseudo ones, and customers at known places.
US_AUTOMATED = replace(
    US_SMALL,
    name="Juniper Street Goods LLC",
    legal_name="Juniper Street Goods LLC",
    agency="State tax agencies",
    rates=tuple(RatePlan(place.id, place.name, place.percent) for place in TABLE),
    codes=_CODES[2:],
    customers=(
        {
            "DisplayName": "Redwood Clinic",
            "BillAddr": {
                "Line1": "1 Market Street",
                "City": "San Francisco",
                "CountrySubDivisionCode": "CA",
                "PostalCode": "94105",
            },
        },
        {
            "DisplayName": "Saguaro Dental",
            "ShipAddr": {
                "Line1": "25 Court St.",
                "City": "Tucson",
                "CountrySubDivisionCode": "AZ",
                "PostalCode": "85719",
            },
        },
        {"DisplayName": "No Address Inc."},
    ),
    preferences={"TaxPrefs": {"UsingSalesTax": True, "PartnerTaxEnabled": True}},
    default_tax_code="",
)
