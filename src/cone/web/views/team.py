"""Settings › Team: who is in, as what, and who is invited; and the invitation's own page."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from cone.books.queries.team import find_invitation, list_team
from cone.domain.errors import RefusalError
from cone.domain.permissions import Permission, Role
from cone.domain.workspaces import InvitationInvalidError
from cone.operations.accept_invitation import accept_invitation
from cone.operations.change_member_role import change_member_role
from cone.operations.invite_member import invite_member
from cone.operations.remove_member import remove_member
from cone.operations.withdraw_invitation import withdraw_invitation
from cone.web.access import MemberRequest, member_page, way_to
from cone.web.forms.fields import attempt
from cone.web.forms.settings import ROLE_CHOICES, InvitationForm
from cone.web.middleware import SESSION_KEY
from cone.web.refusals import answer_refusal


def _page(request: MemberRequest, form: InvitationForm, *, link: str = "", status: int = 200) -> HttpResponse:
    team = list_team(request.actor.workspace, now=timezone.now())
    context = {"team": team, "form": form, "link": link, "roles": ROLE_CHOICES}
    return render(request, "settings/team.html", context, status=status)


@member_page("GET", "POST")
def team(request: MemberRequest) -> HttpResponse:
    """The team; a POST invites, and its answer shows the link, once."""
    if request.method != "POST":
        return _page(request, InvitationForm(initial={"role": Role.BILLER.value}))
    request.actor.check_may(Permission.TEAM)
    form = InvitationForm(request.POST)
    made = attempt(
        form,
        lambda: invite_member(request.actor, email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"])),
    )
    if made is None:
        return _page(request, form, status=422)
    link = f"{settings.BASE_URL}{reverse('invitation', args=[made[1]])}"
    return _page(request, InvitationForm(initial={"role": Role.BILLER.value}), link=link)


@member_page("POST", needs=Permission.TEAM, back=way_to("team"))
def member_role(request: MemberRequest, member_id: int) -> HttpResponse:
    wanted = request.POST.get("role", "")
    if wanted in set(Role):
        change_member_role(request.actor, member_id, role=Role(wanted), seen=request.POST.get("seen"))
        messages.success(request, "The role is changed.")
    else:
        messages.error(request, "Choose a role from the list.")
    return redirect("team")


@member_page("POST", needs=Permission.TEAM, back=way_to("team"))
def member_remove(request: MemberRequest, member_id: int) -> HttpResponse:
    remove_member(request.actor, member_id)
    messages.success(request, "Removed from the team.")
    return redirect("team")


@member_page("POST", needs=Permission.TEAM, back=way_to("team"))
def invitation_withdraw(request: MemberRequest, invitation_id: int) -> HttpResponse:
    withdraw_invitation(request.actor, invitation_id)
    messages.success(request, "The invitation is withdrawn; its link no longer works.")
    return redirect("team")


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, token: str) -> HttpResponseBase:
    """What the link of an invitation opens, for people who aren't in a firm yet too."""
    found = find_invitation(token, now=timezone.now())
    if found is None:
        return answer_refusal(request, InvitationInvalidError())
    if not request.user.is_authenticated:
        return redirect_to_login(request.get_full_path())
    if request.method != "POST":
        return render(request, "firm/invitation.html", {"invitation": found})
    try:
        membership = accept_invitation(request.user, token)
    except RefusalError as refusal:
        return answer_refusal(request, refusal)
    request.session[SESSION_KEY] = str(membership.workspace.uuid)
    messages.success(request, f"Welcome to {membership.workspace.name}.")
    return redirect("dashboard")
