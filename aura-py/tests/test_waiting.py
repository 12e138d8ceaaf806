"""Calls that take long: Ctrl-C, cancelled tasks, other threads, forks."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

import aura

LONG = "SELECT count(*) AS n FROM events a, events b, events c WHERE a.n + b.n + c.n = 7"


@pytest.fixture(scope="module")
def large() -> aura.Events:
    """Events over which a question takes minutes."""
    return aura.events([{"actor": "a", "event": "e", "time": i, "n": i} for i in range(3_000)])


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_within_100_ms(large: aura.Events) -> None:
    waited = []
    for _ in range(3):
        sent: list[float] = []

        def interrupt() -> None:
            time.sleep(0.3)
            sent.append(time.perf_counter())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=interrupt)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            large.sql(LONG)
        waited.append(time.perf_counter() - sent[0])
        thread.join()
    # The shortest: on a busy machine others may come between.
    assert min(waited) < 0.1
    # What was asked is no longer worked on, and the next question is answered.
    assert large.sql("SELECT count(*) AS n FROM events")["n"] == [3_000]


def test_a_cancelled_task_stops_the_work(large: aura.Events) -> None:
    async def ask() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(large.sql_async(LONG), 0.2)
        # Threads of the executor are free again, or this would wait for minutes.
        tasks = [large.sql_async("SELECT count(*) AS n FROM events") for _ in range(40)]
        assert {table["n"][0] for table in await asyncio.gather(*tasks)} == {3_000}

    started = time.perf_counter()
    asyncio.run(ask())
    assert time.perf_counter() - started < 60


def test_the_event_loop_goes_on(large: aura.Events) -> None:
    async def ask() -> int:
        task = asyncio.create_task(large.sql_async(LONG))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            turns += 1
        task.cancel()
        return turns

    assert asyncio.run(ask()) == 20


def test_the_gil_is_free(large: aura.Events) -> None:
    done = threading.Event()

    def ask() -> None:
        with pytest.raises(aura.CancelledError):
            large._inner.sql(LONG, cancel)
        done.set()

    cancel = aura._aura.Cancel()
    thread = threading.Thread(target=ask)
    thread.start()
    turns = 0
    until = time.perf_counter() + 0.3
    while time.perf_counter() < until:
        turns += 1
    cancel.cancel()
    thread.join(timeout=60)
    assert done.is_set()
    assert turns > 1_000


def test_many_threads_at_once(large: aura.Events) -> None:
    found: list[object] = []

    def ask() -> None:
        found.extend(large.sql("SELECT sum(n) AS n FROM events")["n"] for _ in range(5))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[4_498_500]] * 40


FORK = """
import os, aura
row = {"actor": "a", "event": "e", "time": 0}
if USED_BEFORE:
    events = aura.events([row])
    events.sql("SELECT 1 AS n FROM events")
child = os.fork()
if child == 0:
    try:
        events = aura.events([row])
        assert events.sql("SELECT 1 AS n FROM events")["n"] == [1]
        os._exit(3)
    except aura.ConflictError as error:
        assert "forked" in str(error)
        os._exit(4)
_, status = os.waitpid(child, 0)
print(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize(("used_before", "code"), [(True, "4"), (False, "3")])
def test_after_a_fork(used_before: bool, code: str) -> None:
    script = f"USED_BEFORE = {used_before}\n{FORK}"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert found.stdout.strip() == code, found.stderr


def test_the_end_of_the_program() -> None:
    """Stores and questions that are still there do not keep the interpreter from ending."""
    script = f"""
import aura, threading
events = aura.events([{{"actor": "a", "event": "e", "time": i, "n": i}} for i in range(3000)])
store = aura.open_memory()
store.ingest([{{"actor": "a", "event": "e", "time": 0}}])
threading.Thread(target=lambda: events.sql({LONG!r}), daemon=True).start()
print("ended")
"""
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120, check=False)
    assert (found.returncode, found.stdout.strip()) == (0, "ended"), found.stderr
