"""How records are written: who numbers them, what becomes of a taken name, which items, whose sales tax. For pages."""

from dataclasses import dataclass

from cone.accounting.connections import NotConnectedError
from cone.accounting.facts import facts_from_json
from cone.accounting.outbox import find_active_connection
from cone.accounting.port.company import CompanyFacts
from cone.accounting.registry import get_provider
from cone.books.models import Connection
from cone.domain.numbering import NumberMode, offered_modes


@dataclass(frozen=True, slots=True)
class TermChoice:
    """One way, explained."""

    value: str
    label: str
    explanation: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Term:
    """One question with its possible answers; `note` is what to know of the company."""

    name: str
    title: str
    choices: tuple[TermChoice, ...]
    note: str = ""


def read_terms(workspace_id: int) -> tuple[Term, ...]:
    """The connection's terms, only with answers that this company makes possible. Raises: NotConnectedError."""
    active = find_active_connection(workspace_id)
    if active is None:
        raise NotConnectedError
    facts = facts_from_json(active.facts)
    provider = get_provider(active.provider).name
    terms = [
        _numbers(active, facts, provider),
        _names(active, provider),
        _items(active, provider),
        _pace(active, provider),
    ]
    if facts.computes_tax_itself:
        terms.append(_sales_tax(active, provider))
    return tuple(terms)


def _term(name: str, title: str, chosen: str, choices: tuple[tuple[str, str, str], ...], note: str = "") -> Term:
    return Term(name, title, tuple(TermChoice(*choice, is_chosen=choice[0] == chosen) for choice in choices), note)


def _numbers(active: Connection, facts: CompanyFacts, provider: str) -> Term:
    pending = "An issued invoice shows “number pending” until the answer brings its number, usually a second later."
    words = {
        NumberMode.CONE: (
            "Cone's own numbers",
            f"Given when you issue, such as INV-0042, and kept in {provider} as they are.",
        ),
        NumberMode.SEQUENCE: (
            f"The sequence of {provider}",
            f"{provider} counts by itself, over all that's sold there. {pending}",
        ),
        NumberMode.CUSTOM: (
            f"Custom numbers of {provider}",
            f"{provider} continues the custom transaction numbers that are typed there. {pending}",
        ),
    }
    offered = offered_modes(uses_own_numbers=facts.uses_own_numbers)
    saved = NumberMode(active.number_mode)
    if saved not in offered:
        offered = (*offered, saved)
    note = ""
    if not facts.uses_own_numbers:
        note = f"Custom transaction numbers are off in this company: {provider} doesn't check whether a number of ours "
        note += "is used twice."
    return _term("number_mode", "Invoice numbers", saved, tuple((mode, *words[mode]) for mode in offered), note)


def _names(active: Connection, provider: str) -> Term:
    return _term(
        "name_policy",
        f"When a customer's name is already used in {provider}",
        active.name_policy,
        (
            (
                "ask",
                "Ask me",
                "The customer waits, and you choose: rename it, link it to the one there, or add a suffix.",
            ),
            ("suffix", "Add a suffix", f"It goes to {provider} as “Name (2)”. Its name here stays as it is."),
        ),
        "One that has the same e-mail address or tax number there is linked, whichever you choose.",
    )


def _items(active: Connection, provider: str) -> Term:
    return _term(
        "item_mode",
        f"Items in {provider}",
        active.item_mode,
        (
            ("each", "One for each service", f"Found by its name in {provider}, or made there when first needed."),
            ("one", "One item for everything", "All lines post to the item “Services” and its income account."),
        ),
    )


def _pace(active: Connection, provider: str) -> Term:
    return _term(
        "backlog_pace",
        "When many records wait",
        active.backlog_pace,
        (
            ("fast", "As fast as allowed", "Thirty at a time, with single records beside them: some 1,600 a minute."),
            (
                "batches",
                "With the fewest calls",
                f"Thirty at a time only, some 1,200 a minute. {provider} may count them against a monthly allowance.",
            ),
        ),
        "What you've just written goes at once, and first, whichever you choose. Where the month's allowance is used "
        "up, records go one at a time, which isn't counted.",
    )


def _sales_tax(active: Connection, provider: str) -> Term:
    return _term(
        "tax_source",
        "Sales tax",
        active.tax_source,
        (
            ("theirs", f"{provider} works it out", "From the addresses. Where it comes to another total, you're told."),
            ("ours", "Cone's tax counts", f"The tax of the invoice here is sent, and {provider} books that."),
        ),
        "This company uses Automated Sales Tax.",
    )
