"""How far an ingest is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple


class Progress(NamedTuple):
    """How far an ingest is. Numbers only grow."""

    bytes_read: int
    """Bytes of the sources up to the rows that are counted here (compressed bytes of compressed ones)."""
    bytes_total: int | None
    """Bytes of all sources, where it is known."""
    rows_read: int
    """Rows read so far, rejected ones included."""
    rejected: int
    """Rows rejected so far."""


def reporter(progress: bool | Callable[[Progress], object]) -> Callable[..., object] | None:
    """What the core calls: with a function, the function; with ``True``, a bar of ``tqdm``, or lines on the standard error where
    there is none."""
    if progress is False:
        return None
    if progress is not True:
        call = progress
        return lambda *told: call(Progress(*told))
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return _line
    bar: Any = tqdm(unit="B", unit_scale=True)

    def report(*told: Any) -> None:
        now = Progress(*told)
        bar.total = now.bytes_total
        bar.set_postfix(rows=now.rows_read, rejected=now.rejected, refresh=False)
        bar.update(now.bytes_read - bar.n)
        if now.bytes_total is not None and now.bytes_read >= now.bytes_total:
            bar.close()

    return report


def _line(*told: Any) -> None:
    import sys

    now = Progress(*told)
    share = f"{now.bytes_read / now.bytes_total:4.0%}, " if now.bytes_total else ""
    ended = bool(now.bytes_total) and now.bytes_read >= (now.bytes_total or 0)
    text = f"\r{share}{now.rows_read:,} rows, {now.rejected:,} rejected"
    sys.stderr.write(text + ("\n" if ended else ""))
    sys.stderr.flush()
