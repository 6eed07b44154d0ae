"""Which calibrations a composite's parts ran with, found with few questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

Calibration = Mapping[str, Any]


def between(
    fetch: Callable[[datetime], Calibration | None], moments: Sequence[datetime]
) -> list[Calibration]:
    """The different calibrations in force at `moments`, oldest first.

    Calibrations follow one another: where two moments have the same one, so have all moments between them.
    So two questions do for a job that one calibration served, however many parts it has.

    Args:
        fetch: The calibration in force at a moment, or None.
        moments: When the parts ran.
    """
    ordered = sorted(set(moments))
    found: dict[datetime, Calibration | None] = {}

    def at(index: int) -> Calibration | None:
        moment = ordered[index]
        if moment not in found:
            found[moment] = fetch(moment)
        return found[moment]

    def search(low: int, high: int) -> None:
        if high - low > 1 and _date(at(low)) != _date(at(high)):
            middle = (low + high) // 2
            search(low, middle)
            search(middle, high)

    if ordered:
        at(0), at(len(ordered) - 1)
        search(0, len(ordered) - 1)
    dated = {_date(found[moment]): found[moment] for moment in sorted(found)}
    return [calibration for calibration in dated.values() if calibration is not None]


def _date(calibration: Calibration | None) -> object:
    return None if calibration is None else str(calibration.get("last_update_date"))
