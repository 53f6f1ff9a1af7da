"""Engines: what they leave of the caller's environment, and what they say when others fail."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from synth.engine import KEEP, THREADS, Pool, Ray
from synth.errors import UserError


def threads_there(job: int) -> tuple[str | None, ...]:
    return tuple(os.environ.get(name) for name in (*THREADS, *KEEP))


def test_workers_have_one_thread_and_the_caller_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(THREADS[0], "7")
    for name in (*THREADS[1:], *KEEP):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    for found in Pool(1).map(threads_there, range(4)):
        assert found == ("1", "1", "1", *KEEP.values())
        assert dict(os.environ) == before
    assert dict(os.environ) == before


def test_what_stops_ray_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class RayError(Exception):
        pass

    class OutOfDiskError(RayError):
        pass

    def get(handle: object) -> None:
        raise OutOfDiskError("Local disk is full\n\nThe object cannot be created")

    ray = SimpleNamespace(
        exceptions=SimpleNamespace(RayError=RayError, RayTaskError=type("RayTaskError", (RayError,), {})),
        is_initialized=lambda: True,
        put=lambda work: work,
        remote=lambda **_: lambda call: SimpleNamespace(remote=lambda handle, job: job),
        cluster_resources=dict,
        wait=lambda running, num_returns: (running[:1], running[1:]),
        get=get,
    )
    monkeypatch.setitem(sys.modules, "ray", ray)
    with pytest.raises(UserError, match="engine=ray: OutOfDiskError: Local disk is full The object"):
        list(Ray().map(abs, [1, 2]))
