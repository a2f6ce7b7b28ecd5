"""The two tax models: classic US sales tax, and the one of everywhere else."""
