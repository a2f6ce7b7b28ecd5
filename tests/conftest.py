"""For all tests."""

from hypothesis import settings

# No test fails for being slow: on a busy machine an example may take any time.
settings.register_profile("cone", deadline=None)
settings.load_profile("cone")
