"""Reads for pages and operations: one module per list or record, each returning small frozen values."""
