"""The emulator judged from outside: raw HTTP and third-party clients against a started server, never its own code."""
