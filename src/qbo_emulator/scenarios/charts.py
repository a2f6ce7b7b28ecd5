"""The chart of accounts that the companies outside the US sample share, and their common customers."""

from .plan import AccountPlan

BUSINESS_CHART: tuple[AccountPlan, ...] = (
    AccountPlan("Services", "Income", "ServiceFeeIncome", number="4000"),
    AccountPlan("Consulting Income", "Income", "ServiceFeeIncome", number="4010"),
    AccountPlan("Sales of Product Income", "Income", "SalesOfProductIncome", number="4100"),
    AccountPlan("Undeposited Funds", "Other Current Asset", "UndepositedFunds", number="1100"),
    AccountPlan("Discounts given", "Income", "DiscountsRefundsGiven", number="4900"),
    AccountPlan("Business Current Account", "Bank", "Checking", number="1200"),
    AccountPlan("Business Savings Account", "Bank", "Savings", number="1210"),
    AccountPlan("Petty Cash", "Bank", "CashOnHand", number="1220"),
    AccountPlan("Client Money", "Other Current Asset", "OtherCurrentAssets", number="1300"),
    AccountPlan("Prepaid Expenses", "Other Current Asset", "PrepaidExpenses", number="1310"),
    AccountPlan("Office Equipment", "Fixed Asset", "OtherFixedAssets", number="1500"),
    AccountPlan("Company Credit Card", "Credit Card", "CreditCard", number="2000"),
    AccountPlan("Accruals", "Other Current Liability", "OtherCurrentLiabilities", number="2200"),
    AccountPlan("Bank Loan", "Long Term Liability", "NotesPayable", number="2500"),
    AccountPlan("Owner's Equity", "Equity", "OpeningBalanceEquity", number="3000"),
    AccountPlan("Retained Earnings", "Equity", "RetainedEarnings", number="3200"),
    AccountPlan("Subcontractors", "Cost of Goods Sold", "CostOfLaborCos", number="5000"),
    AccountPlan("Rent", "Expense", "RentOrLeaseOfBuildings", number="6000"),
    AccountPlan("Software Subscriptions", "Expense", "OfficeGeneralAdministrativeExpenses", number="6100"),
    AccountPlan("Travel", "Expense", "Travel", number="6200"),
    AccountPlan("Bank Charges", "Expense", "BankCharges", number="6300"),
    AccountPlan("Interest Received", "Other Income", "InterestEarned", number="7000"),
    AccountPlan("Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss", number="8000"),
    AccountPlan("Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", id=84, number="1000"),
    AccountPlan("Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", number="2100"),
)


def with_tax_account(name: str, subtype: str = "GlobalTaxPayable") -> tuple[AccountPlan, ...]:
    return (*BUSINESS_CHART, AccountPlan(name, "Other Current Liability", subtype, number="2210"))
