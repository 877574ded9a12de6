"""Where a release goes: so far a folder of this machine (dist.py)."""
