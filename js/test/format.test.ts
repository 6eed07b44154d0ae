import { expect, test } from "vitest";
import { failureLine, failures } from "../src/failures";
import { clock, duration, ordinal, ranges, reasonText, shortId } from "../src/format";
import { freshness } from "../src/freshness";
import { Parts } from "../src/parts";
import { because, traits } from "./fake_model";

test.each([
  [4100, true, "4.1 s"],
  [9960, true, "10 s"],
  [7900, false, "7 s"],
  [59_000, false, "59 s"],
  [125_000, false, "2 min 5 s"],
  [540_000, false, "9 min"],
  [2_540_000, false, "42 min"],
  [11_520_000, false, "3 h 12 min"],
  [266_400_000, false, "3 d 2 h"],
])("%i ms is %s (tenths: %s)", (milliseconds, tenths, text) => {
  expect(duration(milliseconds, tenths)).toBe(text);
});

test("ordinals", () => {
  expect([1, 2, 3, 4, 11, 12, 13, 21, 102].map(ordinal)).toEqual([
    "1st",
    "2nd",
    "3rd",
    "4th",
    "11th",
    "12th",
    "13th",
    "21st",
    "102nd",
  ]);
});

test("circuits of neighbours are one range, and a long list is cut", () => {
  const part = (first: number) => ({ first, last: first + 9 });
  expect(ranges([part(20)])).toBe("circuits 20–29");
  expect(ranges([{ first: 4, last: 4 }])).toBe("circuit 4");
  expect(ranges([0, 10, 20, 50].map(part))).toBe("circuits 0–29, 50–59");
  expect(ranges([0, 20, 40, 60, 80].map(part))).toBe("circuits 0–9, 20–29, 40–49 and 2 more");
});

test("ids keep their beginning and end", () => {
  expect(shortId("d57e7860d82774bca945")).toBe("d57e7860d82774bca945");
  expect(shortId("ibm_composite_job_id_4f1c88aa77bc4de0a1279b_")).toBe("ibm_composite_job_id_4f1c…9b_");
});

test("a moment of another day has its date", () => {
  const moment = new Date(2026, 2, 4, 9, 5, 7).getTime();
  expect(clock(moment, moment + 1000)).toBe("09:05:07");
  expect(clock(moment, moment + 86_400_000)).toBe("2026-03-04 09:05:07");
});

test("failures are grouped by reason, the most frequent first", () => {
  const { meta, live } = traits("EDEEE");
  const reasons = [
    { code: 1, text: "gate" },
    { code: null, text: "noise" },
  ];
  const found = failures(new Parts(meta, live, undefined, because([0, -1, 1, 1, -1], ...reasons)));
  expect(found.map((group) => failureLine(group, true))).toEqual([
    "2 × “noise” · circuits 20–39",
    "1 × “gate” (1) · circuits 0–9",
    "1 × no reason given · circuits 40–49",
  ]);
  expect(reasonText(reasons[0] ?? null)).toBe("1 gate");
});

const summary = { ...traits("Q").summary, asked: 1000, beat: 3000, interval: 2 };
const moment = { now: 100_000, heard: { at: 90_000, lag: 0 }, lost: false };

test("age counts from the answer of the service, not from its arrival here", () => {
  expect(freshness(summary, moment)).toBe("updated 12 s ago");
  expect(freshness(summary, { ...moment, heard: { at: 90_000, lag: 10_000 } })).toBe("updated 22 s ago");
});

test("what was old when it was found is told by its time", () => {
  const found = { ...moment, heard: { at: 90_000, lag: 60_000 } };
  const noon = new Date(2026, 2, 4, 12, 0, 0).getTime();
  const old = { ...summary, beat: noon };
  expect(freshness(old, { ...found, now: noon })).toBe("as of 12:00:00");
  const lost = { ...found, now: noon, lost: true };
  expect(freshness(old, lost)).toBe("as of 12:00:00, no contact with the kernel");
  expect(freshness({ ...old, final: true }, lost)).toBe("finished, as of 12:00:00");
});

test.each([
  [{ interval: 30 }, "updated 12 s ago, next in 18 s"],
  [{ interval: 10 }, "updated 12 s ago"],
  [{ failures: 1 }, "retrying, 1st time, updated 12 s ago"],
  [{ failures: 3 }, "retrying, 3rd time, updated 12 s ago"],
  [{ final: true, failures: 3 }, "finished"],
  [{ closed: true, final: true }, "stopped"],
  [{ asked: null }, "no answer yet"],
])("freshness with %o is %s", (changes, text) => {
  expect(freshness({ ...summary, ...changes }, moment)).toBe(text);
});
