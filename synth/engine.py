"""Engines: `map` over shards in this process, in spawned processes, or on a Ray cluster.

Work is a picklable callable; results come back as they finish. What a sample looks like never depends on the
engine: it is a pure function of configuration, seed and index.
"""

from __future__ import annotations

import gc
import os
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from typing import Any, Protocol, TypeVar

from synth.errors import UserError, extra

Result = TypeVar("Result")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
# Samples make no cycles: to look for some as often as Python does takes a tenth of the time.
SELDOM = (2_000_000, 50, 50)
# glibc: memory of one picture is kept for the next.
KEEP = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "268435456"}
SAID = 200  # characters of what Ray says, which may go over a page
AHEAD = 2  # jobs a worker has in hand or waiting


class Engine(Protocol):
    """Runs `work` on every job, in any order, and yields the results as they come."""

    def map(self, work: Callable[[int], Result], jobs: Sequence[int]) -> Iterator[Result]: ...


@dataclass(frozen=True)
class Serial:
    """One after the other, here."""

    def map(self, work: Callable[[int], Result], jobs: Sequence[int]) -> Iterator[Result]:
        before = gc.get_threshold()
        gc.set_threshold(*SELDOM)
        try:
            yield from map(work, jobs)
        finally:
            gc.set_threshold(*before)


@dataclass(frozen=True)
class Pool:
    """Spawned processes with one thread each; `workers` null means one a core."""

    workers: int | None = None

    def __post_init__(self) -> None:
        if self.workers is not None and (not isinstance(self.workers, int) or self.workers < 1):
            raise UserError(
                f"engine.workers: {self.workers!r} is not a whole number above 0 or null, one a core"
            )

    def map(self, work: Callable[[int], Result], jobs: Sequence[int]) -> Iterator[Result]:
        count = min(self.workers or cores(), max(1, len(jobs)))
        with ProcessPoolExecutor(count, get_context("spawn"), initializer=start_worker) as executor:
            waiting = iter(jobs)
            with workers_environment():
                running = {executor.submit(work, job) for job in islice(waiting, AHEAD * count)}
            try:
                while running:
                    done, running = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        yield future.result()
                        with workers_environment():
                            running |= {executor.submit(work, job) for job in islice(waiting, 1)}
            except BrokenProcessPool as error:
                raise UserError(
                    "a worker process was killed (out of memory?); run the same command again, "
                    "finished shards are kept"
                ) from error
            finally:  # waits: an exit beside the thread that clears up after a killed worker is a race
                executor.shutdown(cancel_futures=True)


@dataclass(frozen=True)
class Ray:
    """Core tasks on Ray: a local instance, or with `address` a cluster (auto: the one of this machine)."""

    address: str | None = None
    workers: int | None = None

    def map(self, work: Callable[[int], Result], jobs: Sequence[int]) -> Iterator[Result]:
        try:
            import ray
        except ImportError as error:
            raise UserError(f"engine=ray needs Ray; {extra('ray')}") from error
        started = not ray.is_initialized()
        if started:
            start_ray(ray, self.address, self.workers)
        task: Any = ray.remote(num_cpus=1, max_retries=3)(work_on_ray)
        handle = ray.put(work)
        ahead = AHEAD * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting = iter(jobs)
        running = [task.remote(handle, job) for job in islice(waiting, ahead)]
        try:
            while running:
                (first,), running = ray.wait(running, num_returns=1)
                yield ray.get(first)
                running += [task.remote(handle, job) for job in islice(waiting, 1)]
        except ray.exceptions.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from error
            raise
        except ray.exceptions.RayError as error:  # a full disk, a lost node: nothing of ours
            raise ray_stopped(error) from error
        finally:
            if started:
                ray.shutdown()


def start_ray(ray: Any, address: str | None, workers: int | None) -> None:
    root = str(
        Path(__file__).resolve().parent.parent
    )  # so that workers find a checkout that is not installed
    paths = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {"env_vars": {"PYTHONPATH": paths, **dict.fromkeys(THREADS, "1")}}
    local = {} if address else {"num_cpus": workers or cores(), "include_dashboard": False}
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        ray.init(
            address=address, runtime_env=environment, log_to_driver=False, logging_level="ERROR", **local
        )
    except ConnectionError as error:
        raise UserError(
            f"engine.address: no Ray cluster at {address!r}; start one with `ray start --head`"
        ) from error
    except ray.exceptions.RayError as error:
        raise ray_stopped(error) from error


def ray_stopped(error: Exception) -> UserError:
    said = " ".join(str(error).split())[:SAID] or "no reason given"
    return UserError(
        f"engine=ray: {type(error).__name__}: {said}; run the same command again, finished shards are kept"
    )


def work_on_ray(work: Callable[[int], Result], job: int) -> Result:
    one_thread()
    return work(job)


@contextmanager
def workers_environment() -> Iterator[None]:
    """While processes are started: what they inherit, and this one, which has read it already, gets back."""
    before = {name: os.environ.get(name) for name in (*THREADS, *KEEP)}
    os.environ.update({**KEEP, **os.environ, **dict.fromkeys(THREADS, "1")})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def start_worker() -> None:
    """In a spawned worker: one thread, quiet on Ctrl-C, and no life after the run that started it."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.set_threshold(*SELDOM)
    one_thread()
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=leave_with, args=(parent.sentinel,), daemon=True).start()


def leave_with(sentinel: int) -> None:
    """End this process when the parent does, even when it was killed."""
    connection.wait([sentinel])
    os._exit(1)


def one_thread() -> None:
    import cv2

    cv2.setNumThreads(1)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
