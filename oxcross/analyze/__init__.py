"""What in an environment is likely to behave otherwise in an executable, told before it is shipped.

parts.py says what is looked at, source.py, calls.py and values.py look at modules, scan.py at all files (what it
found is kept in the store), judge.py holds that against the whole, licences.py reads licences. rules.toml says what
is looked for.
"""
