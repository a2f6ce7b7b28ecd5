"""Runs over existing invoices: how far one has come, whether it went as foreseen, and what undoing it would come to.

A run's state is in the database alone, so it goes on after any crash: its records are in the outbox, its lane is the
company's own. `settling` writes down what has become of them; it's part of the worker's sweep.
"""
