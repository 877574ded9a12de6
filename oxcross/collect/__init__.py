"""What goes into an executable: wheels for the target, the standard library, the application.

``resolve`` says which distributions, ``collected`` gathers everything, ``settings`` says how it runs.
Nothing is imported here: a plan needs ``resolve`` only, and is to be quick.
"""
