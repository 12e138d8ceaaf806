"""What the tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

import aura

ROOT = Path(__file__).parents[2]

ROWS = [
    {"actor": "ann", "event": "view", "time": "2026-01-05T08:00:00Z", "plan": "free", "amount": None},
    {"actor": "bob", "event": "view", "time": "2026-01-05T09:00:00Z", "plan": "pro", "amount": None},
    {"actor": "ann", "event": "buy", "time": "2026-01-06T10:00:00Z", "plan": "free", "amount": 2.5},
    {"actor": "bob", "event": "leave", "time": "2026-01-07T10:00:00Z", "plan": "pro", "amount": None},
]


@pytest.fixture
def rows() -> list[dict[str, object]]:
    """Four events of two actors."""
    return [dict(row) for row in ROWS]


@pytest.fixture
def events(rows: list[dict[str, object]]) -> aura.Events:
    """The same as events."""
    return aura.events(rows)


@pytest.fixture
def root() -> Path:
    """The checkout."""
    return ROOT
