"""The tax models: classic and automated US sales tax, and the one of everywhere else."""
