"""The pages over Postgres: who gets in, what they show, what they refuse."""
