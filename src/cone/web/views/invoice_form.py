"""The invoice form: new and edit, with its htmx swaps (lines, totals) and their plain counterparts."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from cone.books.queries.invoice import InvoiceView, get_invoice
from cone.domain.errors import InvalidFieldError, NotAllowedError, RecordNotFoundError, RefusalError
from cone.domain.invoices import Verb, check_can
from cone.domain.permissions import Permission
from cone.operations.issue_invoice import issue_invoice
from cone.operations.once import Made, make_once
from cone.operations.save_invoice import save_invoice
from cone.web import editor
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.choices import InvoiceChoices, read_invoice_choices
from cone.web.forms.fields import seen_revision
from cone.web.forms.invoice import InvoiceForm, LineForm, make_input, mark_refusal
from cone.web.parameters import read_token
from cone.web.views.invoices import say_issued
from cone.web.views.once import say_made


@dataclass(frozen=True, slots=True)
class Desk:
    """What one request of the editor works on; `invoice` is None for a new one."""

    request: MemberRequest
    invoice: InvoiceView | None
    choices: InvoiceChoices

    def render(
        self,
        draft: editor.Draft,
        forms: tuple[InvoiceForm, list[LineForm]] | None = None,
        *,
        template: str = "invoices/form.html",
        status: int = 200,
    ) -> HttpResponse:
        """The page, or one of its parts, with these forms or plain ones."""
        header, lines = forms or editor.plain_forms(draft, self.choices)
        totals = editor.add_up(draft, self.choices, home_currency=self.request.actor.workspace.currency)
        context = {
            "invoice": self.invoice,
            "form": header,
            "lines": editor.editor_lines(lines, totals),
            "has_line_errors": any(line.errors for line in lines),
            "totals": totals,
            "foreign_currency": editor.foreign_currency(draft, self.choices),
            "shown_currency": draft.header["rate_currency"],
            "is_inclusive": draft.header["amounts_are"] == "inclusive",
        }
        return render(self.request, template, context, status=status)


@member_page("GET", "POST", needs=Permission.INVOICING, back=way_to("invoices"))
def invoice_new(request: MemberRequest) -> HttpResponse:
    desk = Desk(request, None, read_invoice_choices(request.actor.workspace))
    if request.method == "POST":
        return _work(desk)
    draft = editor.new_draft(
        request.actor.workspace, desk.choices, customer=request.GET.get("customer", ""), today=timezone.localdate()
    )
    return desk.render(draft)


@member_page("GET", "POST", needs=Permission.INVOICING, back=way_to("invoice", "uuid"))
def invoice_edit(request: MemberRequest, uuid: UUID) -> HttpResponse:
    invoice = get_invoice(request.actor.workspace, uuid, today=timezone.localdate())
    check_can(Verb.EDIT, invoice.status)
    desk = Desk(request, invoice, read_invoice_choices(request.actor.workspace, editor.kept_uuids(invoice)))
    return _work(desk) if request.method == "POST" else desk.render(editor.draft_of(invoice))


def _work(desk: Desk) -> HttpResponse:
    action = desk.request.POST.get("action", "save")
    draft = editor.read_draft(desk.request.POST)
    if action in ("save", "issue"):
        return _save(desk, editor.ready_to_save(draft, desk.choices), is_issued_too=action == "issue")
    if editor.find_strayed_rate(draft, desk.choices):
        draft = editor.without_rate(draft)
    if action == "totals":
        return desk.render(draft, template="invoices/_totals_swap.html")
    changed = editor.change_lines(draft, action, desk.choices)
    return desk.render(changed, template="invoices/_editor.html" if desk.request.htmx else "invoices/form.html")


def _save(desk: Desk, draft: editor.Draft, *, is_issued_too: bool) -> HttpResponse:
    strayed = editor.find_strayed_rate(draft, desk.choices)
    if strayed:
        # Emptied, so that saving once more can't send it after all; the refusal says what it was.
        draft = editor.without_rate(draft)
    header, lines = editor.bound_forms(draft, desk.choices)
    if strayed:
        was, now = draft.header["rate_currency"], editor.foreign_currency(draft, desk.choices)
        header.add_error(
            "exchange_rate", f"The rate {strayed} was for 1 {was}; enter the one for 1 {now}, or leave it empty."
        )
    saved = _try_to_save(desk, header, lines)
    if saved is None:
        return desk.render(draft, (header, lines), status=422)
    if is_issued_too and not saved.is_again:
        _issue(desk.request, saved.uuid)
    elif desk.invoice is None:
        say_made(desk.request, saved, "Draft saved. It stays in Cone until you issue it.")
    else:
        messages.success(desk.request, "Changes saved.")
    return redirect("invoice", uuid=saved.uuid)


def _try_to_save(desk: Desk, header: InvoiceForm, lines: list[LineForm]) -> Made | None:
    # Every form is asked, so that all that's wrong is shown at once.
    if not all([header.is_valid(), *(line.is_valid() for line in lines)]):
        return None
    actor, typed = desk.request.actor, make_input(header, lines)
    try:
        if desk.invoice is None:
            return make_once(actor, read_token(desk.request), lambda: save_invoice(actor, typed))
        return Made(save_invoice(actor, typed, uuid=desk.invoice.uuid, expected_revision=seen_revision(header)).uuid)
    except (NotAllowedError, RecordNotFoundError):
        raise
    except InvalidFieldError as refusal:
        mark_refusal(header, lines, refusal)
    except RefusalError as refusal:
        header.add_error(None, str(refusal))
    return None


def _issue(request: MemberRequest, uuid: UUID) -> None:
    """Issue what was saved just now; if that's refused the draft stands, and the page says why."""
    try:
        issued = issue_invoice(request.actor, uuid)
    except RefusalError as refusal:
        messages.error(request, f"Saved as a draft, not issued: {refusal}")
    else:
        messages.success(request, say_issued(issued))
