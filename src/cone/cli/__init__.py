"""The `cone` command: what starts, watches and stops the parts of the product."""
