"""One thread for each test process and what it starts: several of them share few cores."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported
