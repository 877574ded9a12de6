"""What only executables for Windows have: icon, version, manifest, and a signature."""
