"""The rules a machine can check: read the source tree, never the network or a database."""
