"""Whose page it is."""

from cone.operations.actor import Actor


def who_is(actor: Actor) -> str:
    """A person in a firm, as a page remembers whose it is."""
    return f"{actor.user.pk} {actor.workspace.uuid}"
