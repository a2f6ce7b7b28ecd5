"""Webhooks: what changed in the books, told to the apps that asked for it."""
