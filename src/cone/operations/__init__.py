"""The one way to change the books: one verb per module, each one transaction."""
