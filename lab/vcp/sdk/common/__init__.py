"""Emulates the SDK's top-level package of the same name."""
