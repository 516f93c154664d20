"""Python side of CLOUD=vcp. See helper.py."""
