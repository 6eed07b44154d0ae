"""What a reader sees of colours: each text on what lies behind it, computed from the page."""

from __future__ import annotations

from playwright.sync_api import Locator

READABLE = 4.5
"""Contrast of text that WCAG AA asks for."""
SEEN = 1.15
"""Contrast of a line that is there at all."""

# The frame of the view, without a text, is the first. A canvas understands every colour that a style can
# hold, and mixes what is transparent. Controls that are off and what is hidden are nothing to read.
CONTRASTS = """root => {
  const context = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const pixel = (colours) => {
    context.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      context.fillStyle = colour;
      context.fillRect(0, 0, 1, 1);
    }
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const parent = (element) => element.parentElement ?? element.getRootNode().host;
  const behind = (element) => {
    const colours = [];
    for (let one = element; one; one = parent(one)) colours.unshift(getComputedStyle(one).backgroundColor);
    return ["white", ...colours];
  };
  const luminance = (rgb) => {
    const linear = (part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    const [r, g, b] = rgb.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
  const edge = luminance(pixel([...behind(root), getComputedStyle(root).borderTopColor]));
  const found = [{text: "", ratio: ratio(edge, luminance(pixel(behind(root))))}];
  for (const element of [root, ...root.querySelectorAll("*")]) {
    const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
    const text = own.map((node) => node.data).join("").trim();
    const box = element.getBoundingClientRect();
    if (!text || box.width < 2 || box.height < 2) continue;
    if (element.closest(":disabled, [aria-disabled=true]")) continue;
    if (!element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const ground = behind(element);
    const behindIt = luminance(pixel(ground));
    const ink = luminance(pixel([...ground, getComputedStyle(element).color]));
    found.push({text, ratio: ratio(ink, behindIt), ground: behindIt});
  }
  return found;
}"""


def unreadable(view: Locator) -> list[tuple[str, float]]:
    """Texts of a panel whose contrast is too low, with their contrast.

    Raises:
        AssertionError: If there are hardly any texts at all.
    """
    frame, *texts = view.evaluate(CONTRASTS)
    assert len(texts) > 10, f"hardly any text to look at: {texts}"
    assert frame["ratio"] >= SEEN, f"its lines cannot be seen: {frame['ratio']:.2f}"
    return [(one["text"], round(one["ratio"], 2)) for one in texts if one["ratio"] < READABLE]


def lightness(view: Locator) -> float:
    """Luminance of the ground behind the first text of a view: 0 is black, 1 is white."""
    ground: float = view.evaluate(CONTRASTS)[1]["ground"]
    return ground
