"""A UK company that trades in pounds, euros and dollars."""

from dataclasses import replace

from .global_companies import UK_MAIN
from .plan import AccountPlan

UK_MULTICURRENCY = replace(
    UK_MAIN,
    name="Channel Crossing Ltd",
    legal_name="Channel Crossing Limited",
    accounts=(*UK_MAIN.accounts, AccountPlan("Euro Account", "Bank", "Checking", number="1230", currency="EUR")),
    customers=(
        *UK_MAIN.customers,
        {"DisplayName": "Brasserie Lumen", "CurrencyRef": {"value": "EUR"}},
        {"DisplayName": "Hudson Print Works", "CurrencyRef": {"value": "USD"}},
    ),
    preferences={"CurrencyPrefs": {"MultiCurrencyEnabled": True}},
    exchange_rates=(("EUR", "0.86", "2026-01-01"), ("EUR", "0.87", "2026-07-01"), ("USD", "0.79", "2026-01-01")),
)
