import sys

import six

if __name__ == "__main__":
    print(" ".join(six.ensure_str(word).upper() for word in sys.argv[1:]) or "nothing")
