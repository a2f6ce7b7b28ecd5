"""The pages: parse, one call into operations or queries, render."""
