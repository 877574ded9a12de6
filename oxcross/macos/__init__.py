"""What only executables for macOS have: a signature that is in each of them, and a system that they can be too new for."""
