"""What the benchmarks share: a table of texts, and the exponent of a growth."""

from __future__ import annotations

import math
from collections.abc import Sequence


def show(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table, words to the left and numbers to the right."""
    texts = [list(head), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    print(f"\n{title}\n")
    for number, row in enumerate(texts):
        first, *others = zip(row, widths, strict=True)
        print("  ".join([first[0].ljust(first[1]), *(text.rjust(width) for text, width in others)]))
        if number == 0:
            print("  ".join("-" * width for width in widths))


def exponent(size: float, cost: float, before: tuple[float, float] | None) -> str:
    """Growth between two sizes: 1 is linear, 2 is quadratic."""
    if before is None:
        return ""
    return f"{math.log(cost / before[1]) / math.log(size / before[0]):.2f}"
