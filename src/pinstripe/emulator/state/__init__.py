"""The state of the accounts of an emulator."""
