"""Tax rates to start from, per country. Suggestions for a new firm, which changes them as it likes.

National standard and reduced rates as published by the tax authorities; the US and Canada tax by state or province,
so that only what holds everywhere is suggested.
"""

from collections.abc import Mapping
from decimal import Decimal

from cone.domain.tax_rates import TaxRateInput

_RATES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "GB": (("VAT 20%", "20"), ("VAT 5%", "5"), ("VAT 0%", "0")),
    "IE": (("VAT 23%", "23"), ("VAT 13.5%", "13.5"), ("VAT 0%", "0")),
    "DE": (("USt 19 %", "19"), ("USt 7 %", "7")),
    "AT": (("USt 20 %", "20"), ("USt 10 %", "10")),
    "CH": (("MWST 8.1 %", "8.1"), ("MWST 2.6 %", "2.6")),
    "FR": (("TVA 20 %", "20"), ("TVA 10 %", "10"), ("TVA 5,5 %", "5.5")),
    "BE": (("BTW/TVA 21 %", "21"), ("BTW/TVA 6 %", "6")),
    "NL": (("BTW 21%", "21"), ("BTW 9%", "9"), ("BTW 0%", "0")),
    "ES": (("IVA 21 %", "21"), ("IVA 10 %", "10")),
    "IT": (("IVA 22%", "22"), ("IVA 10%", "10")),
    "PT": (("IVA 23%", "23"), ("IVA 6%", "6")),
    "SE": (("Moms 25 %", "25"), ("Moms 12 %", "12")),
    "DK": (("Moms 25 %", "25"),),
    "NO": (("MVA 25 %", "25"), ("MVA 15 %", "15")),
    "PL": (("VAT 23%", "23"), ("VAT 8%", "8")),
    "AU": (("GST 10%", "10"), ("GST free", "0")),
    "NZ": (("GST 15%", "15"), ("Zero rated", "0")),
    "CA": (("GST 5%", "5"), ("HST 13%", "13")),
    "IN": (("GST 18%", "18"), ("GST 5%", "5")),
    "SG": (("GST 9%", "9"), ("Zero rated", "0")),
    "ZA": (("VAT 15%", "15"), ("VAT 0%", "0")),
    "AE": (("VAT 5%", "5"), ("VAT 0%", "0")),
    "JP": (("Consumption tax 10%", "10"), ("Consumption tax 8%", "8")),
}


def suggest_tax_rates(country: str) -> tuple[TaxRateInput, ...]:
    """Return rates to start from for an ISO country code; empty where none are known.

    "No tax" isn't among them: every firm gets it anyway.
    """
    return tuple(TaxRateInput(name, Decimal(percent)) for name, percent in _RATES.get(country.upper(), ()))
