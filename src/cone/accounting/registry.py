"""The providers of this installation. `project.wiring` fills it; nothing else names a provider."""

from cone.accounting.port.provider import Provider

_providers: dict[str, Provider] = {}


def register(provider: Provider) -> None:
    """Put a provider on offer, in the order of registration; a second one of the same key replaces the first."""
    _providers[provider.key] = provider


def unregister(key: str) -> None:
    """Take a provider off offer."""
    _providers.pop(key, None)


def get_provider(key: str) -> Provider:
    """The provider of that key. Raises KeyError."""
    return _providers[key]


def list_providers() -> tuple[Provider, ...]:
    """Every provider on offer."""
    return tuple(_providers.values())


def explain_mismatch(key: str, environment: str) -> str:
    """Why a connection made in `environment` can't be used as this installation is configured; empty when it can.

    Keys and addresses are the installation's: with other ones, one company's records would go to another place.
    """
    provider = get_provider(key)
    configured = provider.availability().environment
    if configured == environment:
        return ""
    now = f"configured for the {configured}" if configured else "not configured for any"
    return (
        f"This company was connected in the {environment} of {provider.name}, and Cone is {now} now. "
        "Restore that configuration and refresh, or disconnect and connect again."
    )
