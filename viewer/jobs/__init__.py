"""Jobs: long work done beside the window. A job ends exactly once: succeeded, failed or cancelled.

The work is an ordinary engine function that takes a `report`; it knows no threads. Everything a job
tells arrives on the main thread.
"""

from viewer.jobs.runner import Job, JobRunner

__all__ = ["Job", "JobRunner"]
