"""What the command says when it can't go on: one sentence, never a traceback."""


class StartRefusedError(Exception):
    """Cone can't start here; the message is shown to the person as it is."""
