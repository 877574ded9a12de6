"""An application that uses the files beside its code in every way: each check of its modules is a function."""
