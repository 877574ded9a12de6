import sys
import time

sys.slow_runs = getattr(sys, "slow_runs", 0) + 1
time.sleep(0.2)
done = True
