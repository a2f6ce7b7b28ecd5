"""Causes: why records can't be sent, in plain words, and the one act that mends each.

One cause is one card, however many records wait for it; mending it sends them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from cone.accounting.facts import as_json, as_kind
from cone.accounting.labels import GENERAL_LABEL, Called, is_general, read_names, tell_apart
from cone.accounting.names import namesakes_from_params
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.documents import Kind
from cone.accounting.port.verdicts import AMOUNTS_IN, CauseCode
from cone.accounting.refusals import REMOVAL
from cone.accounting.registry import get_provider
from cone.accounting.sql.standing import STUCK
from cone.accounting.values import ActionTarget, Cause, CauseCard
from cone.books.amounts import show_price


@dataclass(frozen=True, slots=True)
class _Words:
    """A cause's texts; braces are filled from its facts, `provider` and `label`, what people call the record.

    Without a target, the act is on the record's own page. `which` is said of the record where another waits for it.
    """

    title: str
    explanation: str
    action: str
    target: ActionTarget | None
    which: str = "which needs attention"


# Settings that a new user hasn't made yet: a record waits for them, nothing has failed.
PATIENT = frozenset({CauseCode.DEFAULT_ACCOUNT_MISSING, CauseCode.INCOME_ACCOUNT_MISSING})

_RECORD = None
_CHANGE_HERE = "Change {label} here, and it's sent again by itself"
# Where a setting mends one sort of a cause: by its fact "mended_by".
_BY_SETTING: Mapping[str, tuple[str, ActionTarget]] = {"tax_source": ("Choose whose sales tax counts", "terms")}
# Pages whose record is the one that the cause's key names, not the one that waits.
_NAMED_BY_KEY: frozenset[ActionTarget] = frozenset({"tax_mapping", "invoice", "customer_form"})
_WORDS: Mapping[CauseCode, _Words] = {
    CauseCode.DEFAULT_ACCOUNT_MISSING: _Words(
        "Choose the default account",
        "Invoices and payments are written to {provider} with a bank account, and none is chosen yet. "
        "Until it is, customers are sent and invoices wait.",
        "Choose the default account",
        "accounts",
        "which waits until the default account is chosen",
    ),
    CauseCode.INCOME_ACCOUNT_MISSING: _Words(
        "Choose the income account",
        "The lines of an invoice post to an income account in {provider}, and none could be pre-selected.",
        "Choose the income account",
        "accounts",
        "which waits until the income account is chosen",
    ),
    CauseCode.TAX_UNMAPPED: _Words(
        "{rate} is not mapped",
        "The tax rate {rate} ({percent}%) has no {provider} tax code yet, so invoices that use it can't be sent.",
        "Map {rate}",
        "tax_mapping",
        "whose tax rate {rate} is not mapped",
    ),
    CauseCode.TAX_CODE_INACTIVE: _Words(
        "The tax code for {rate} is inactive",
        "{rate} is mapped to {code}, which is inactive in {provider} or no longer there. Map the rate to another code, "
        "or make the code active in {provider} and refresh.",
        "Map {rate} again",
        "tax_mapping",
    ),
    CauseCode.TAX_PERCENT_DIFFERS: _Words(
        "{rate} is mapped to a code of another percentage",
        "{rate} is {percent}% here, and its tax code {code} charges another percentage in {provider}. Invoices with it "
        "would come to another total there, so nothing was sent. Map the rate to a code of its own percentage.",
        "Map {rate} again",
        "tax_mapping",
        "whose tax rate {rate} is mapped to a code of another percentage",
    ),
    CauseCode.NAME_TAKEN: _Words(
        "The name {label} is already used in {provider}",
        "{provider} has a customer, vendor, employee or item of this name already, and each name may be used only "
        "once there. Change the name here, or the other one there and press Sync now.",
        "Change the name",
        _RECORD,
        "whose name is already used in {provider}",
    ),
    CauseCode.NAME_INVALID: _Words(
        "{provider} doesn't accept the name {label}",
        "Names in {provider} can't contain colons, tabs or line breaks and have a length limit.",
        "Change the name",
        _RECORD,
        "whose name {provider} doesn't accept",
    ),
    CauseCode.NUMBER_TAKEN: _Words(
        "The number {label} is already used in {provider}",
        "Another transaction in {provider} has this number. Change that one there, then press Sync now. If it's "
        "{label} itself, from before a run was undone or the books were restored, delete it there first.",
        "Open {label}",
        _RECORD,
        "whose number is already used in {provider}",
    ),
    CauseCode.NUMBER_TOO_LONG: _Words(
        "The number {number} is too long",
        "{provider} keeps at most 21 characters of an invoice number.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.NUMBER_TAKEN_HERE: _Words(
        "{provider} gave the number {theirs}, which another invoice here has",
        "A number stands for one invoice only. Give {label} another number in {provider}, then press Sync now; or "
        "give it one of Cone's own numbers.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.NUMBER_NOT_GIVEN: _Words(
        "{provider} gave no number",
        "The invoice stands there without one. Number it in {provider}, then press Sync now; or give it one of Cone's "
        "own numbers.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.PERIOD_CLOSED: _Words(
        "The books are closed",
        "The books in {provider} are closed for the date of these invoices or payments. Ask your bookkeeper to open "
        "the period, or give the record a later date.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.REMOVAL_PERIOD_CLOSED: _Words(
        "The books are closed for what was voided here",
        "It was voided in Cone, and still stands in {provider}, whose books are closed for its date. Ask your "
        "bookkeeper to open the period there, then press Sync now. Until then it counts there as before.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.ACCOUNT_INACTIVE: _Words(
        "The default account can't be used any more",
        "{account} is inactive in {provider}, or no longer a bank account. Choose another default account.",
        "Choose the default account",
        "accounts",
    ),
    CauseCode.INCOME_ACCOUNT_INACTIVE: _Words(
        "The income account {account} can't be used any more",
        "{account} is inactive in {provider}. Choose another income account, for all or for the service that has it as "
        "its own; or make it active there and refresh the lists.",
        "Choose the income account",
        "accounts",
        "whose income account can't be used any more",
    ),
    CauseCode.ITEM_INACTIVE: _Words(
        "{item} is inactive in {provider}",
        "Lines for {service} post to the item {item}, which was made inactive in {provider}. Make it active there and "
        "refresh the lists, or use another service on the invoice.",
        "Refresh the lists",
        "lists",
    ),
    CauseCode.REFERENCE_MISSING: _Words(
        "Something {label} needs is missing in {provider}",
        "An account, item or customer that it refers to was made inactive or removed in {provider}. "
        "Make it active again there, then press Sync now.",
        "Open {label}",
        _RECORD,
        "which needs something that is missing in {provider}",
    ),
    CauseCode.CURRENCY_UNSUPPORTED: _Words(
        "{provider} keeps this company's books in {home_currency} only",
        "Customers, invoices and payments in {currency} need multicurrency, which is switched off in this company. "
        "Switch it on there, then press Sync now.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.CUSTOMER_CURRENCY_DIFFERS: _Words(
        "{customer} is kept in {theirs} in {provider}",
        "A customer's currency is fixed for life in {provider}, and {label} is in {currency}: give it to a second "
        "customer in {currency}; that one gets a record of its own there.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.EMAIL_INVALID: _Words(
        "{provider} doesn't accept the e-mail address of {customer}",
        "Look for a typing mistake in it, such as a space or a letter with an accent. What waits goes by itself once "
        "it's changed.",
        "Change the e-mail address",
        "customer_form",
    ),
    CauseCode.EMAIL_MISSING: _Words(
        "{provider} wants an e-mail address of {customer}",
        "The invoice is marked there to be sent by e-mail, and the customer has no address. What waits goes by itself "
        "once there's one.",
        "Add an e-mail address",
        "customer_form",
    ),
    CauseCode.TOO_MANY_LINES: _Words(
        "{label} has too many taxed lines",
        "{provider} takes at most 750 taxed lines on an invoice. Split it into several.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.TAX_CODES_MIXED: _Words(
        "{label} has two sales taxes",
        "{provider} takes one sales tax per invoice in the US, and the lines of {label} are mapped to {codes}. "
        "Make an invoice for each, or map the rates to one code.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.TOTAL_WOULD_DIFFER: _Words(
        "{label} would come to another total in {provider}",
        "The total here is {ours}, in {provider} it would be {theirs}, so nothing was sent. {reason}",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.TOTAL_DIFFERS: _Words(
        "{number} differs in {provider}",
        "The {what} here is {ours}, in {provider} {theirs}. {reason}",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.OUTCOME_UNCERTAIN: _Words(
        "It isn't certain whether {label} reached {provider}",
        "No answer said so, and looking for it couldn't decide.{detail} Nothing is sent again by itself: choose what "
        "it is in {provider}, or say that it isn't there.",
        "Decide",
        _RECORD,
        "and it isn't certain whether that reached {provider}",
    ),
    CauseCode.REMOVED_THERE: _Words(
        "{label} is no longer in {provider}",
        "It was deleted, voided, merged or made inactive in {provider} after it was sent. "
        "It's not made again by itself: restore it there and press Sync now, or void it here if it isn't wanted.",
        "Open {label}",
        _RECORD,
        "which is no longer in {provider}",
    ),
    CauseCode.CUSTOMER_LOST: _Words(
        "The customer {label} was {lost} in {provider}",
        "What is new or changed for it waits. {advice}",
        "Choose the customer",
        _RECORD,
        "which was {lost} in {provider}",
    ),
    CauseCode.VOIDED_HERE: _Words(
        "{label} is void here: remove it in {provider}",
        "It was voided in Cone after it had been sent. Void or delete it in {provider}, then say that it's done.",
        "Open {label}",
        _RECORD,
        "which is void here and still stands in {provider}",
    ),
    CauseCode.PAYMENT_APPLIED: _Words(
        "{label} can't be taken back: a payment is applied to it in {provider}",
        "The invoice was voided in Cone, and in {provider} {paid} of it is paid. Take the payment off the invoice "
        "there, then press Sync now.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.INVOICE_NOT_THERE: _Words(
        "{number} isn't in {provider}, so its payment can't be either",
        "{why} The payment follows as soon as all invoices that it pays are there.",
        "Open {number}",
        "invoice",
    ),
    CauseCode.REFERENCE_TOO_LONG: _Words(
        "The reference of {label} is too long",
        "{provider} keeps at most 21 characters of a payment's reference.",
        "Open {label}",
        _RECORD,
    ),
    CauseCode.REFUSED: _Words(
        "{provider} refused {label}",
        f"{{explanation}} {_CHANGE_HERE}; or mend that in {{provider}}, then press Sync now.",
        "Open {label}",
        _RECORD,
        "which {provider} refused",
    ),
}


# Cone's own word on what it knows without asking: nobody but Cone has refused it.
_HELD_BACK = _Words(
    "{label} can't be sent to {provider}",
    f"{{explanation}} Cone sent nothing. {_CHANGE_HERE}.",
    "Open {label}",
    _RECORD,
    "which can't be sent to {provider}",
)
# What is void here can't be changed here any more.
_REMOVAL_REFUSED = _Words(
    "{provider} refused to take back {label}",
    "{explanation} Mend that in {provider}, then press Sync now.",
    "Open {label}",
    _RECORD,
    "which {provider} refused to take back",
)


# Nobody there has the name yet.
_NAME_TO_BE_TAKEN = _Words(
    "Another customer of yours is called {label}, too",
    "Each name may be used only once in {provider}, and the other one goes first. Give one of them a name of its own "
    "here; or send them as they are, and say then what becomes of this one.",
    "Change the name",
    _RECORD,
    "whose name another customer of yours has, too",
)


# Facts that are amounts where AMOUNTS_IN is among them; causes from before it was have them in words.
_AMOUNTS = ("ours", "theirs", "paid")


class _Facts(dict[str, str]):
    """Facts for a text; one that's missing reads as a dash instead of breaking the page."""

    def __missing__(self, key: str) -> str:
        return "–"


def _begin(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


# The item of lines without a service is nobody's record here.
_OF_GENERAL: Mapping[CauseCode, _Words] = {
    CauseCode.REFUSED: _Words(
        "{provider} refused {label}",
        "{explanation} Mend that in {provider}, then press Sync now.",
        "",
        "none",
        "which {provider} refused",
    ),
    CauseCode.NAME_TAKEN: _Words(
        "The name Services is already used in {provider}",
        "{provider} has something else of this name, and each name may be used only once there. Lines without a "
        "service post to an item of this name: change the other one there, then press Sync now.",
        "",
        "none",
        "whose name is already used in {provider}",
    ),
}


def _words_of(code: CauseCode, params: Mapping[str, str], *, is_general: bool) -> _Words:
    if is_general and code in _OF_GENERAL:
        return _OF_GENERAL[code]
    if code is CauseCode.REFUSED and REMOVAL in params:
        return _REMOVAL_REFUSED
    return _HELD_BACK if code is CauseCode.REFUSED and "says" not in params else _WORDS[code]


def describe(
    key: str,
    stored: Mapping[str, Any],
    *,
    kind: Kind,
    uuid: UUID,
    label: str,
    provider_name: str,
    is_of_general: bool = False,
) -> Cause:
    """The words of a stored cause of one record. `is_of_general`: of the item that lines without a service post to."""
    params: Mapping[str, str] = stored.get("params") or {}
    namesakes = namesakes_from_params(params)
    is_foreseen = any(entry.obstacle == "foreseen" for entry in namesakes)
    words = _NAME_TO_BE_TAKEN if is_foreseen else _words_of(CauseCode(stored["code"]), params, is_general=is_of_general)
    label = GENERAL_LABEL if is_of_general else label
    facts = _Facts({"explanation": "It says why below.", "detail": "", "customer": "the customer"} | dict(params))
    facts.update(provider=provider_name, label=label or "this record")
    # A payment has no number; what people call it says as much.
    facts["number"] = facts.get("number") or facts["label"]
    facts.update(_write_amounts(params))
    action, mended_at = _BY_SETTING.get(params.get("mended_by", ""), (words.action, words.target))
    # That item has no page here.
    target: ActionTarget = mended_at or ("none" if is_of_general else kind)
    target_uuid: UUID | None = uuid
    if mended_at is not None:
        target_uuid = UUID(key.partition(":")[2]) if mended_at in _NAMED_BY_KEY else None
    return Cause(
        key=key,
        title=_begin(words.title.format_map(facts)),
        explanation=words.explanation.format_map(facts),
        action=action.format_map(facts),
        which=words.which.format_map(facts),
        target=target,
        target_uuid=target_uuid,
        provider_says=params.get("says", ""),
        namesakes=namesakes,
        is_name_taken=stored["code"] == CauseCode.NAME_TAKEN and kind == "customer" and not is_foreseen,
        is_customer_lost=stored["code"] == CauseCode.CUSTOMER_LOST and kind == "customer",
        looked_for=params.get("looked_for", ""),
        search=params.get("search", ""),
        own_account_of=uuid if _may_be_its_own_account(stored["code"], kind) and not is_of_general else None,
    )


def _may_be_its_own_account(code: str, kind: Kind) -> bool:
    return code == CauseCode.INCOME_ACCOUNT_INACTIVE and kind == "service"


def _write_amounts(params: Mapping[str, str]) -> dict[str, str]:
    """The facts that are amounts, with every decimal where one has more of them than the currency."""
    currency = params.get(AMOUNTS_IN)
    if not currency:
        return {}
    return {name: show_price(Decimal(params[name]), currency) for name in _AMOUNTS if name in params}


# A record that waits for a blocked one counts under the blocked one's cause: the same act mends both.
_BLOCKED = f"""
with recursive {STUCK}, standing as (
    select d.cause_key as key, d.cause, d.kind as source_kind, d.record_uuid as source_uuid,
           o.kind, o.record_uuid, o.changed_at, o.id
    from stuck s join books_outboxrow o on o.id = s.id join books_outboxrow d on d.id = s.blocked_id
), each as (
    select * from standing
    union all
    -- a record with several causes counts under each of them
    select m.cause ->> 'key', m.cause, s.source_kind, s.source_uuid, s.kind, s.record_uuid, s.changed_at, s.id
    from standing s cross join jsonb_array_elements(s.cause -> 'also') as m(cause)
), ranked as (
    select *, row_number() over (partition by key order by changed_at, id) as place from each
)
select key, count(*) as count, min(changed_at) as since,
       (array_agg(cause order by place))[1] as cause,
       (array_agg(source_kind order by place))[1] as source_kind,
       (array_agg(source_uuid order by place))[1] as source_uuid,
       array_agg(kind || ' ' || record_uuid order by place) filter (where place <= 5) as examples
from ranked group by key order by min(changed_at), key
"""  # noqa: S608  # made of constants


def list_cause_cards(workspace_id: int) -> tuple[CauseCard, ...]:
    """One card per cause, longest-standing first; empty while nothing is connected."""
    active = find_active_connection(workspace_id)
    if active is None:
        return ()
    provider_name = get_provider(active.provider).name
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKED, {"company": active.company_id})
        rows = cursor.fetchall()
    parsed = [(row, [split_reference(example) for example in row[6]]) for row in rows]
    sources: list[tuple[Kind, UUID]] = [(row[4], row[5]) for row in rows]
    called = read_names([*sources, *(example for _, examples in parsed for example in examples)])
    labels = tell_apart(called)
    return tuple(
        CauseCard(
            cause=describe(
                row[0],
                as_json(row[3]),
                kind=row[4],
                uuid=row[5],
                # Its texts state the name as it stands there, or as it was refused; the examples tell whose it is.
                label=called.get((row[4], row[5]), Called("")).name,
                provider_name=provider_name,
                is_of_general=is_general(row[4], row[5], active.workspace),
            ),
            count=row[1],
            examples=tuple((kind, uuid, labels.get((kind, uuid), "")) for kind, uuid in examples),
            since=row[2],
        )
        for row, examples in parsed
    )


def split_reference(example: str) -> tuple[Kind, UUID]:
    """A record as statements write it: its kind, a space, its uuid."""
    kind, _, uuid = example.partition(" ")
    return as_kind(kind), UUID(uuid)
