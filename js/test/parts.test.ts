import { expect, test } from "vitest";
import { Parts, POSITION_LIMIT } from "../src/parts";
import { traits } from "./fake_model";

const view = (bytes: number[]) => new DataView(new Uint8Array(bytes).buffer);

test("four bytes a part: status, attempt, position in little-endian order", () => {
  const { meta } = traits("DQ");
  const parts = new Parts(meta, view([6, 2, 0, 0, 2, 1, 0x01, 0x02]));
  expect([parts.status(0), parts.attempt(0), parts.position(0)]).toEqual(["DONE", 2, 0]);
  expect([parts.status(1), parts.attempt(1), parts.position(1)]).toEqual(["QUEUED", 1, 0x0201]);
  expect(new Parts(meta, view([2, 1, 0xff, 0xff])).position(0)).toBe(POSITION_LIMIT);
});

test("times are tenths of a second since creation, usage is milliseconds, both plus one; zero is unknown", () => {
  const { meta } = traits("D");
  const parts = new Parts(
    meta,
    view([6, 1, 0, 0]),
    view([1, 0, 0, 0, 0, 0, 0, 0, 43, 0, 0, 0, 0, 0, 0, 0, 132, 3, 0, 0]),
  );
  expect(parts.time(0, "created")).toBe(meta.created);
  expect(parts.time(0, "running")).toBeNull();
  expect(parts.usage(0)).toBe(899);
  expect(parts.elapsed(0, Number.NaN)).toBe(4200);
});

test("an ended part of unknown end has no elapsed time, an open one counts to now", () => {
  const { meta } = traits("DR");
  const parts = new Parts(
    meta,
    view([6, 1, 0, 0, 3, 1, 0, 0]),
    view([1, ...Array(19).fill(0), 1, ...Array(19).fill(0)]),
  );
  expect(parts.elapsed(0, meta.created + 5000)).toBeNull();
  expect(parts.elapsed(1, meta.created + 5000)).toBe(5000);
});

test.each([
  ["live shorter than meta", 3, 2, 2],
  ["live longer than meta", 2, 3, 2],
  ["half a part at the end", 3, 2.5, 2],
  ["nothing yet", 3, 0, 0],
])("%s: only what both know", (_, total, live, size) => {
  const { meta } = traits("D".repeat(total));
  const parts = new Parts(meta, new DataView(new ArrayBuffer(4 * live)));
  expect(parts.size).toBe(size);
  expect(parts.time(1, "created")).toBeNull();
});

test("a status code of a later protocol is drawn, not thrown at", () => {
  expect(new Parts(traits("D").meta, view([9, 1, 0, 0])).status(0)).toBe("INITIALIZING");
});

test("the service's own word stands where the table has none", () => {
  const { meta } = traits("ID");
  const parts = new Parts({ ...meta, words: { 0: "Parked" } }, view([0, 1, 0, 0, 6, 1, 0, 0]));
  expect([parts.word(0), parts.word(1)]).toEqual(["Parked", "done"]);
});
