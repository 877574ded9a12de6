"""The tasks of this repository (`./invoke --list`)."""
