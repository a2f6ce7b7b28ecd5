"""Cone: invoicing that keeps the books in step."""
