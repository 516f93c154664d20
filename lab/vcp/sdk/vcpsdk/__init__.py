"""An emulator of NII's VCP SDK and of its controller, for tests. README.md says what is documented and what assumed."""
