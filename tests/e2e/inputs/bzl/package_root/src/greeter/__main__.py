import inspect
from importlib.resources import files

from greeter import WHO, inner

text = (files("greeter") / "texts" / "morning.txt").read_text().strip()
try:
    inspect.getsource(inner)
    print("with sources")
except OSError:
    print(f"{text}, {WHO}")
