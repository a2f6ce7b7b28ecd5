"""Accounting providers, one folder each. They see the port and `kit`, never each other."""
