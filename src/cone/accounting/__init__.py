"""The provider-neutral sync: what must be true there, what was tried, and the next step towards it."""
