import { expect, test } from "vitest";
import { Parts } from "../src/parts";
import { layout } from "../src/strip_layout";
import { type Inks, paint } from "../src/strip_paint";
import { traits } from "./fake_model";

const INKS = {
  unsent: "gray",
  starting: "navy",
  queued: "silver",
  running: "blue",
  failed: "red",
  cancelled: "purple",
  done: "green",
  ground: "white",
  track: "white",
} satisfies Inks;
const LETTERS = "UIVQRECD";

/** Always the same numbers. */
function dice(): (sides: number) => number {
  let state = 1;
  return (sides) => {
    state = (state * 48271) % 2147483647;
    return state % sides;
  };
}

const pixels = (canvas: HTMLCanvasElement) =>
  canvas.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data.join();

test.each([12, 1500, 4000, 10_000])(
  "what is painted change by change is what is painted at once: %i",
  (size) => {
    const roll = dice();
    const letters = Array.from({ length: size }, () => LETTERS[roll(8)] ?? "Q");
    const place = layout(size, 800);
    const shown = document.createElement("canvas");
    for (let round = 0; round < 6; round++) {
      const { meta, live } = traits(letters.join(""));
      paint(shown, new Parts(meta, live), place, INKS);
      for (let change = 0; change < size / 4; change++) letters[roll(size)] = LETTERS[roll(8)] ?? "Q";
    }
    const { meta, live } = traits(letters.join(""));
    const fresh = document.createElement("canvas");
    for (const canvas of [shown, fresh]) paint(canvas, new Parts(meta, live), place, INKS);
    expect(pixels(shown)).toBe(pixels(fresh));
  },
);

test("another layout and other inks are painted anew", () => {
  const { meta, live } = traits("DDRQ");
  const parts = new Parts(meta, live);
  const shown = document.createElement("canvas");
  const fresh = document.createElement("canvas");
  paint(shown, parts, layout(4, 800), INKS);
  paint(shown, parts, layout(4, 30), { ...INKS, done: "lime" });
  paint(fresh, parts, layout(4, 30), { ...INKS, done: "lime" });
  expect([shown.width, shown.height]).toEqual([fresh.width, fresh.height]);
  expect(pixels(shown)).toBe(pixels(fresh));
});
