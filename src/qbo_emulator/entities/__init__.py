"""One module for each entity: its shape, its rules, and how answers show it."""
