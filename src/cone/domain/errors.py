"""Refusals: what the rules don't allow, said in words a person can act on.

A refusal knows nothing of HTTP; `web` and `api` each hold one table from class to response.
"""


class RefusalError(Exception):
    """Something was refused."""

    code = "refused"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip().splitlines()[0])


class InvalidFieldError(RefusalError):
    """A value can't be accepted."""

    code = "invalid_field"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class RecordChangedMeanwhileError(RefusalError):
    """Someone else changed this meanwhile; reload the page and make your change again."""

    code = "record_changed_meanwhile"


class NotAllowedError(RefusalError):
    """Your role in this workspace doesn't allow that; ask an owner."""

    code = "not_allowed"


class RecordNotFoundError(RefusalError):
    """That record doesn't exist in this workspace."""

    code = "not_found"
