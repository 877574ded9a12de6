import os
import sys

import made
import markupsafe._speedups
import plugin

here = os.path.dirname(sys.executable)
for module in (plugin, made, markupsafe._speedups):
    print(os.path.relpath(module.__file__, here).partition(".")[0])
print(os.path.relpath(__file__, here))
