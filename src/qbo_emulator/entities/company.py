"""The company's own records: its preferences, its currencies and exchange rates."""
# ruff: noqa: ARG002 - all entities have one signature

from __future__ import annotations

from collections.abc import Iterable

from qbo_emulator.evidence import Mark, rule
from qbo_emulator.faults import business, missing
from qbo_emulator.jsonio import Json, plain
from qbo_emulator.ledger import Txn, View

from .account import home_currency
from .currencies import CURRENCY_NAMES
from .currency import check_currency, is_multicurrency
from .entity import Entity, unique
from .fields import ENVELOPE, TAIL, Bool, Date, Kind, Number, ReadOnly, Shape, Text, require, uncovered
from .preference_sections import SECTIONS
from .references import rendered

rule(
    "preferences.update",
    "POST preferences changes members of sections, unknown ones are 2010; members not given stay",
    Mark.DOCUMENT,
    "Intuit preferences reference; merging by member also in full updates is assumed",
)
rule(
    "preferences.sales-tax",
    "Sales tax cannot be turned on or off through the API: TaxPrefs in a request are ignored",
    Mark.DOCUMENT,
    "Intuit preferences reference; ignoring rather than refusing is assumed",
)
rule(
    "preferences.closing-date",
    "BookCloseDate is answered when set and ignored in requests",
    Mark.ASSUMPTION,
    "an error page says the API has no access, the reference sample shows it",
)
rule(
    "preferences.multicurrency",
    "Multicurrency can be turned on but never off (6000); the home currency never changes",
    Mark.DOCUMENT,
    "Intuit multicurrency workflow",
)
rule(
    "exchange-rate.list",
    "Rates are read by sourcecurrencycode and asofdate, set by POST without SyncToken, answered without Id",
    Mark.DOCUMENT,
    "Intuit exchange rate reference; shape from a library's fixture",
)


class Preferences(Entity):
    name = "Preferences"
    can_create = False
    shape = Shape(
        "Preferences",
        {**SECTIONS, "TaxPrefs": ReadOnly(), **ENVELOPE, **TAIL, "PrefsEx": ReadOnly()},
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        record = dict(before or {})
        for name, members in given.items():
            if name in SECTIONS and members is not None:
                written = {key: value for key, value in members.items() if value is not None}
                record[name] = {**record.get(name, {}), **written}
        self._check(txn, record)
        return record

    def _check(self, txn: Txn, record: Json) -> None:
        wanted = record["CurrencyPrefs"].get("MultiCurrencyEnabled")
        if is_multicurrency(txn) and wanted is not True:
            raise business("Multicurrency cannot be turned off.")
        terms = record["SalesFormsPrefs"].get("DefaultTerms")
        if terms is not None and not (isinstance(terms, dict) and txn.get("Term", str(terms.get("value")))):
            raise business("DefaultTerms must name a term.")


_RATE: dict[str, Kind] = {
    "SourceCurrencyCode": Text(3),
    "TargetCurrencyCode": Text(3),
    "Rate": Number(),
    "AsOfDate": Date(),
    "MetaData": ReadOnly(),
    **TAIL,
    **uncovered("ExchangeRateEx", "CustomField"),
}


class ExchangeRate(Entity):
    name = "ExchangeRate"
    is_list = False
    shape = Shape("ExchangeRate", {**ENVELOPE, **_RATE})

    def natural_id(self, txn: Txn, given: Json) -> str:
        day = given.get("AsOfDate") or txn.books.clock.today().isoformat()
        return f"{given.get('SourceCurrencyCode')}:{day}"

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "SourceCurrencyCode", "Rate")
        if not is_multicurrency(txn):
            raise business("Multicurrency is not enabled for this company.")
        home = home_currency(txn)
        if given.get("TargetCurrencyCode", home) != home or given["SourceCurrencyCode"] == home:
            raise business("A rate leads from a foreign currency to the home currency.")
        if given["Rate"] <= 0:
            raise business("The exchange rate must be above zero.")
        check_currency(given["SourceCurrencyCode"])
        return {
            "AsOfDate": txn.books.clock.today().isoformat(),
            **given,
            "TargetCurrencyCode": home,
            "Rate": plain(given["Rate"]),
        }

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("ExchangeRate", record["SourceCurrencyCode"]),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, Shape("ExchangeRate", _RATE), record)


def read_rate(view: View, code: str, day: str) -> Json:
    """The rate of a currency on a day: the list's latest one up to it; 1 for the home currency and where none is."""
    if not day:
        raise missing("asofdate")
    Date().parse(day, "asofdate")
    home = home_currency(view)
    check_currency(code)
    if code != home:
        numbers = [number for _, number in view.holders("ExchangeRate", code) if number.partition(":")[2] <= day]
        found = view.get("ExchangeRate", max(numbers)) if numbers else None
        if found is not None:
            return rendered(view, Shape("ExchangeRate", _RATE), {**found, "AsOfDate": day})
    return {"SourceCurrencyCode": code, "TargetCurrencyCode": home, "Rate": 1, "AsOfDate": day}


class CompanyCurrency(Entity):
    name = "CompanyCurrency"
    shape = Shape(
        "CompanyCurrency",
        {
            "Code": Text(3),
            "Name": Text(100),
            "Active": Bool(),
            **ENVELOPE,
            **TAIL,
            **uncovered("CompanyCurrencyEx", "CustomField"),
        },
    )

    def complete(self, txn: Txn, given: Json, before: Json | None) -> Json:
        require(given, "Code")
        if not is_multicurrency(txn):
            raise business("Multicurrency is not enabled for this company.")
        code = check_currency(given["Code"])
        if before is not None and before["Code"] != code:
            raise business("The code of a currency cannot be changed.")
        unique(
            txn,
            "CompanyCurrency",
            code,
            own=("CompanyCurrency", before["Id"] if before else ""),
            text="Another currency is already using this \nname. Please use a different name.",
        )
        return {"Active": True, **given, "Name": CURRENCY_NAMES[code]}

    def keys(self, record: Json) -> Iterable[tuple[str, str]]:
        return (("CompanyCurrency", record["Code"]),)

    def render(self, view: View, record: Json) -> Json:
        return rendered(view, self.shape, record)
