"""Waiting without holding up an event loop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from . import _aura

T = TypeVar("T")


async def in_thread(call: Callable[[_aura.Cancel], T]) -> T:
    """Runs a call on a thread of the event loop's executor. When the task is cancelled, so is the call."""
    import asyncio

    cancel = _aura.Cancel()
    try:
        return await asyncio.to_thread(call, cancel)
    except asyncio.CancelledError:
        cancel.cancel()
        raise
