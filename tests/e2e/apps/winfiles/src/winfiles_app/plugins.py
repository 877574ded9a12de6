"""Found by its entry point."""


def loud(text):
    return text.upper() + "!"
