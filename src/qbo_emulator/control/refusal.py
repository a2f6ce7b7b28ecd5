"""What the control plane refuses."""


class RefusedError(Exception):
    """A request to the control plane that cannot be served."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.status = status
