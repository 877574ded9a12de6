shell = get_ipython()
shell.Completer.use_jedi = True
from IPython.core.completer import provisionalcompleter
with provisionalcompleter():
    print(sorted(one.text for one in shell.Completer.completions("import json; json.du", 20)))
shell.run_line_magic("timeit", "-n 1 -r 1 -q 1")
print(shell.complete("%tim")[1])
