"""Small programs, one a package of the corpus: ``python -m uses NAME`` runs ``uses/NAME.py``."""
