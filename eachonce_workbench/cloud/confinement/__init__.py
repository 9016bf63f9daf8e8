"""Confinement: code that is examined reaches nobody, and writes to nothing but its own folder."""
