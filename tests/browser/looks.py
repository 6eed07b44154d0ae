"""Whether two pictures of a panel are alike to a reader, whatever the fonts of the machines that made them.

A picture knows what is on it: its controls, and where its pieces lie. Another font breaks lines elsewhere and
moves what lies below; so pieces are compared each with its own, letters not at all.
"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from playwright.sync_api import Locator

Pixels = NDArray[np.float64]
Box = tuple[float, float, float, float]

PIECES = ("headline", "why", "bar", "sending", "strip", "failed", "toolbar", "grid", "row", "footer")
DRAWN = ("bar", "strip", "grid", "row")
"""Pieces whose size is no matter of fonts."""
LINES = 60
"""Pixels that a piece of text may be higher or lower: two more lines."""
NEAR = 3
"""Pixels that something may lie elsewhere."""
AREA = 12
"""Pixels of an area whose mean colour is looked at."""
APART = 30.0
"""Distance of colours, of 255, from which an area looks different."""
FEW, MANY = 0.03, 0.15
"""Shares of the areas of a piece that may: of one that is drawn, and of one of text."""
GROUND = 6.0
"""The same distance for the ground."""
COLOURS = 96
"""A panel has few colours: a palette makes its file a third of the size."""
NOTE = "panel"

ANATOMY = """(root, names) => {
  const {left, top} = root.getBoundingClientRect();
  const seen = (element) => element?.checkVisibility({opacityProperty: true, visibilityProperty: true});
  const box = (element) => {
    const {x, y, width, height} = element.getBoundingClientRect();
    return [x - left, y - top, width, height];
  };
  const pieces = names.map((name) => [name, root.querySelector(`.qjob-${name}`)])
    .filter(([, element]) => seen(element) && element.clientHeight > 0)
    .map(([name, element]) => [name, box(element)]);
  const controls = [...root.querySelectorAll("button, input")]
    .filter((one) => seen(one) && !one.closest("[role=row]"))
    .map((one) => one.ariaLabel ?? one.textContent);
  return {pieces: Object.fromEntries(pieces), controls};
}"""


@dataclass(frozen=True)
class Picture:
    """A picture of a panel: its pixels, its pieces' places, and the names of its controls."""

    image: Image.Image
    pieces: dict[str, Box]
    controls: list[str]

    @classmethod
    def of(cls, panel: Locator) -> Picture:
        """The panel as it is drawn now."""
        anatomy = panel.evaluate(ANATOMY, list(PIECES))
        return cls(Image.open(io.BytesIO(panel.screenshot())).convert("RGB"), **anatomy)

    @classmethod
    def read(cls, path: Path) -> Picture:
        with Image.open(path) as image:
            return cls(image.convert("RGB"), **json.loads(image.info[NOTE]))

    def write(self, path: Path) -> None:
        note = PngInfo()
        places = {name: [round(number) for number in box] for name, box in self.pieces.items()}
        note.add_text(NOTE, json.dumps({"pieces": places, "controls": self.controls}))
        small = self.image.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        small.save(path, optimize=True, pnginfo=note)

    def piece(self, name: str) -> Pixels:
        """The pixels of a piece."""
        x, y, width, height = (round(number) for number in self.pieces[name])
        # An edge may lie between two pixels.
        return np.asarray(self.image.crop((x, y + 1, x + width, y + height - 1)), dtype=float)

    @property
    def gaps(self) -> dict[str, float]:
        """The space above each piece."""
        outer = {name: box for name, box in self.pieces.items() if name != "row"}
        ends = [0.0] + [y + height for _, y, _, height in outer.values()]
        return {name: box[1] - end for (name, box), end in zip(outer.items(), ends, strict=False)}


def differences(found: Picture, known: Picture) -> list[str]:
    """What a reader would notice; empty if nothing."""
    if found.controls != known.controls:
        return [f"its controls are {found.controls}, not {known.controls}"]
    if list(found.pieces) != list(known.pieces):
        return [f"its pieces are {list(found.pieces)}, not {list(known.pieces)}"]
    ground, wanted = (np.median(np.asarray(one.image), axis=(0, 1)) for one in (found, known))
    told = [f"its ground is {ground}, not {wanted}"] if np.abs(ground - wanted).max() > GROUND else []
    gaps = known.gaps
    moved = [name for name, gap in found.gaps.items() if abs(gap - gaps[name]) > NEAR]
    told += [f"the space above {name} is another" for name in moved]
    for name in known.pieces:
        told += [f"{name}: {what}" for what in _apart(name, found.piece(name), known.piece(name))]
    return told


def _apart(name: str, one: Pixels, other: Pixels) -> list[str]:
    """What is different about a piece."""
    higher, wider = (abs(one.shape[axis] - other.shape[axis]) for axis in (0, 1))
    if wider > NEAR or higher > (NEAR if name in DRAWN else LINES):
        return [f"its size is {one.shape[1::-1]}, not {other.shape[1::-1]}"]
    if higher > NEAR:  # lines are broken elsewhere
        return []
    height, width = (min(one.shape[axis], other.shape[axis]) for axis in (0, 1))
    one, other = one[:height, :width], other[:height, :width]
    share = _coloured(one, other)
    return [f"{share:.0%} of it have other colours"] if share > (FEW if name in DRAWN else MANY) else []


def _areas(pixels: Pixels) -> Pixels:
    """The mean colour of each area."""
    tall = min(AREA, pixels.shape[0])
    rows, columns = pixels.shape[0] // tall, pixels.shape[1] // AREA
    return pixels[: rows * tall, : columns * AREA].reshape(rows, tall, columns, AREA, 3).mean(axis=(1, 3))


def _coloured(one: Pixels, other: Pixels) -> float:
    """Share of the areas whose colour is another, and is so a few pixels higher and lower."""
    wanted = _areas(other)
    distances = [
        np.abs(_areas(np.roll(one, shift, axis=0)) - wanted).max(axis=2) for shift in range(-NEAR, NEAR + 1)
    ]
    return float((np.min(distances, axis=0) > APART).mean())
