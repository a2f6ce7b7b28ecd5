"""Which tax code a rate probably is: only when percentage and name agree and nothing else fits as well. Pure."""

import re
from collections.abc import Sequence
from decimal import Decimal

from cone.accounting.port.company import TaxCode, TaxModel

# What accounting software calls a line outside any tax; "exempt" is a rate of its own and not among them.
_NO_TAX_NAMES = {"no vat", "no tax", "non", "no gst", "out of scope", "bas excluded", "none", "not taxable"}
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_ZERO_WORDS = {"zero", "zero-rated", "z"}


def suggest_tax_code(
    *, name: str, percent: Decimal, is_no_tax: bool, codes: Sequence[TaxCode], tax_model: TaxModel
) -> TaxCode | None:
    """The one active code that agrees in percentage and name; None on a tie, and when none does."""
    active = [code for code in codes if code.is_active]
    if is_no_tax:
        return _only([code for code in active if _plain(code.name) in _NO_TAX_NAMES])
    if tax_model == "us" and (taxable := _only([code for code in active if code.percent == percent and percent > 0])):
        return taxable
    same_percent = [code for code in active if code.percent == percent]
    same_name = [code for code in same_percent if _plain(code.name) == _plain(name)]
    return _only(same_name) or _only([code for code in same_percent if _names_percent(code, percent)])


def _names_percent(code: TaxCode, percent: Decimal) -> bool:
    words = {word.casefold() for word in code.name.split()}
    if "%" in code.name or percent == 0:
        named = [Decimal(number) for number in _NUMBER.findall(code.name)]
        # "20.0% S" is the plain code; "20.0% EC goods" and the like are for special trades.
        is_plain = len(words) <= 2 and not words & {"ec", "rc", "ecs", "ecg"}
        return is_plain and (percent in named or bool(words & _ZERO_WORDS))
    return False


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def _only(codes: Sequence[TaxCode]) -> TaxCode | None:
    return codes[0] if len(codes) == 1 else None


def warn_about(*, percent: Decimal, code: TaxCode | None) -> str:
    """What to tell when a rate is mapped to a code that charges something else; empty when they agree."""
    if code is None or code.percent is None or code.percent == percent:
        return ""
    return (
        f"{code.name} charges {code.percent.normalize():f} %, this rate {percent.normalize():f} %: "
        "the tax of synced invoices will differ."
    )
