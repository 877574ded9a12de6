import sys

from httpie.__main__ import main

sys.exit(main())
