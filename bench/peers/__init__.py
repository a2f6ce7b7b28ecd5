"""The peers: python-quickbooks writing the same book to the same emulator, from a process of its own."""
