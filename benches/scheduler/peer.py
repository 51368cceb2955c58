"""A peer of benches/scheduler.sh: APScheduler with its own job store in memory, and work that does nothing.

    peer.py load JOBS      jobs with 1,440 distinct expressions
    peer.py burst JOBS     jobs that are all due in the same second, five times
"""

import resource
import sys
import threading
import time
from datetime import timezone

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

PERIOD = 5
BURSTS = 5


def scheduler():
    # More threads than the work needs only cost time.
    return BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(20)},
        job_defaults={"misfire_grace_time": 60},
        timezone=timezone.utc,
    )


def nothing():
    pass


def load(jobs):
    began = time.monotonic()
    triggers = [
        CronTrigger(minute=number % 60, hour=number // 60 % 24, timezone=timezone.utc) for number in range(jobs)
    ]
    parsed = time.monotonic()
    peer = scheduler()
    for number, trigger in enumerate(triggers):
        peer.add_job(nothing, trigger, id=f"job-{number}")
    peer.start()
    loaded = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    peer.shutdown(wait=False)
    print(f"parsed {parsed - began:.2f} s, loaded {loaded - parsed:.2f} s, peak {peak:.1f} MB")


def burst(jobs):
    late, lock = {}, threading.Lock()

    def note():
        now = time.time()
        due = now // PERIOD * PERIOD
        with lock:
            late.setdefault(due, []).append(now - due)

    peer = scheduler()
    trigger = CronTrigger(second=f"*/{PERIOD}", timezone=timezone.utc)
    # Not in the middle of the second in which it is due.
    time.sleep(PERIOD - time.time() % PERIOD + 0.5)
    for number in range(jobs):
        peer.add_job(note, trigger, id=f"job-{number}")
    peer.start()
    time.sleep(PERIOD * BURSTS)
    peer.shutdown(wait=True)
    counts = [len(burst) for burst in late.values()]
    if counts != [jobs] * BURSTS:
        sys.exit(f"started: {counts}, not {BURSTS} times {jobs}")
    print(f"last of {jobs} after {', '.join(f'{max(burst) * 1e3:.0f}' for burst in late.values())} ms")


if __name__ == "__main__":
    {"load": load, "burst": burst}[sys.argv[1]](int(sys.argv[2]))
