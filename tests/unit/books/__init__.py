"""The pages' own rules, without a database."""
