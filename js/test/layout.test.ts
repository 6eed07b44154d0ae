import { expect, test } from "vitest";
import { Parts } from "../src/parts";
import { corner, layout, partAt } from "../src/strip_layout";
import { type Inks, paint } from "../src/strip_paint";
import { drawn, ROW, reveal, step } from "../src/window";
import { traits } from "./fake_model";

test("the window follows the scroll and never leaves the table", () => {
  expect(drawn(0, 10_000)).toEqual({ first: 0, end: 20 });
  const middle = drawn(5000 * ROW, 10_000);
  expect(middle.first).toBeLessThan(5000);
  expect(middle.end - middle.first).toBeLessThan(60);
  expect(drawn(1e9, 50)).toEqual({ first: 49, end: 50 });
  expect(drawn(0, 0)).toEqual({ first: 0, end: 0 });
});

test("a row is scrolled to only when it is out of sight, and then clear of the head", () => {
  expect(reveal(3, 0, 320)).toBe(0);
  expect(reveal(20, 0, 320)).toBe(22 * ROW - 320);
  expect(reveal(2, 400, 320)).toBe(2 * ROW);
});

test("keys move within the table; others are left to the notebook", () => {
  expect(step("ArrowDown", -1, 3)).toBe(0);
  expect(step("ArrowDown", 2, 3)).toBe(2);
  expect(step("ArrowUp", 0, 3)).toBe(0);
  expect(step("End", 0, 3)).toBe(2);
  expect(step("Home", 2, 3)).toBe(0);
  expect(step("PageDown", 0, 100)).toBe(9);
  expect(step("x", 0, 3)).toBeNull();
  expect(step("End", 0, 0)).toBeNull();
});

test.each([
  [12, 946],
  [1200, 946],
  [10_000, 946],
  [10_000, 300],
  [3, 5],
])("%i cells fit %i pixels", (size, width) => {
  const place = layout(size, width);
  expect(place.columns * place.across).toBeLessThanOrEqual(Math.max(width + 3, place.across));
  for (const part of [0, Math.floor(size / 2), size - 1]) {
    const { x, y } = corner(part, place);
    expect(partAt(x, y, size, place)).toBe(part);
    expect(y + place.height).toBeLessThanOrEqual(place.total);
  }
  expect(partAt(-1, 0, size, place)).toBe(-1);
  expect(partAt(0, place.total + place.down, size, place)).toBe(-1);
});

test("each state has a shape of its own, with every colour the same", () => {
  const { meta, live } = traits("DRECQUI");
  const ink = "rgb(0, 0, 0)";
  const looks = ["unsent", "starting", "queued", "running", "failed", "cancelled", "done"];
  const inks = {
    ...Object.fromEntries(looks.map((look) => [look, ink])),
    ground: "rgb(255, 255, 255)",
  } as Inks;
  const canvas = document.createElement("canvas");
  const place = layout(7, 600);
  paint(canvas, new Parts(meta, live), place, inks);
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  const ratio = window.devicePixelRatio;
  const pictures = Array.from({ length: 7 }, (_, part) => {
    const { x, y } = corner(part, place);
    const { data } = pen.getImageData(x * ratio, y * ratio, place.width * ratio, place.height * ratio);
    return data.join();
  });
  expect(new Set(pictures).size).toBe(7);
});
