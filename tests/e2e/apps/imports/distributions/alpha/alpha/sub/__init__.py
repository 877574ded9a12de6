from . import deep
from .deep import depth
