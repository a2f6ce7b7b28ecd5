"""The control plane: what a test or a person does to the emulator itself."""
