"""Checks of the source code that no other tool does; `make check` runs them."""
