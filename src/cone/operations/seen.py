"""Settings that two people choose at once: nobody sets back what they never saw."""

from cone.domain.errors import RefusalError


class SettingsChangedMeanwhileError(RefusalError):
    """Someone else changed these settings meanwhile; nothing was saved. Reload the page and choose again."""

    code = "settings_changed_meanwhile"


def is_change(wanted: object, *, saved: object, seen: object | None) -> bool:
    """Say whether a choice changes what is saved; `seen` is what was saved when it was shown, None: nobody says.

    Raises: SettingsChangedMeanwhileError, when someone else has chosen otherwise since.
    """
    if wanted == saved:
        return False
    if seen is not None and seen != saved:
        raise SettingsChangedMeanwhileError
    return True
