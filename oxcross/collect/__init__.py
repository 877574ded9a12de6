"""What goes into an executable: wheels for the target, the standard library, the application."""

from oxcross.collect.collected import Built, Collected, gather
from oxcross.collect.resolve import Resolution, known, resolve
from oxcross.collect.settings import manifest, settings

__all__ = ["Built", "Collected", "Resolution", "gather", "known", "manifest", "resolve", "settings"]
