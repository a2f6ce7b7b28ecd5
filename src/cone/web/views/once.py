"""What a page says after a form that makes a record."""

from django.contrib import messages

from cone.operations.once import Made
from cone.web.access import MemberRequest


def say_made(request: MemberRequest, made: Made, done: str) -> None:
    """Say that it's done, or that the same form had been sent before."""
    if made.is_again:
        messages.info(
            request, "This form was sent twice; here is what it made, once. For another one, open the form anew."
        )
    else:
        messages.success(request, done)
