import time

time.sleep(0.1)
from alpha.ring import two

value = 1
