"""Values of requests as pages use them: whatever was typed into an address, a page comes of it."""

from uuid import UUID, uuid5

from django.http import HttpRequest

_HIGHEST_PAGE = 1_000_000
# Which of its buttons was pressed makes no other form of it.
_NOT_TYPED = frozenset({"csrfmiddlewaretoken", "once", "action"})


def read_page_number(request: HttpRequest) -> int:
    """The page asked for; 1 unless it's a sensible number."""
    text = request.GET.get("page", "")
    return min(int(text), _HIGHEST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def read_search(request: HttpRequest) -> str:
    """The search text."""
    return request.GET.get("q", "")


def read_token(request: HttpRequest) -> UUID | None:
    """What tells this form, filled in like this, from every other; None where it carries no token.

    The same page filled in differently, after going back to it, is another form.
    """
    try:
        token = UUID(request.POST.get("once", ""))
    except ValueError:
        return None
    typed = sorted((name, values) for name, values in request.POST.lists() if name not in _NOT_TYPED)
    return uuid5(token, repr(typed))
