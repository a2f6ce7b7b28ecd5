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
