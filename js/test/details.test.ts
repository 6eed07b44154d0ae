import { expect, test } from "vitest";
import { detail, JOB, lines, MOST, placeOf, REST } from "../src/details";
import { detailOf } from "./jobs_model";

const pairs = ({ jobs, subs }: ReturnType<typeof lines>) =>
  Array.from(jobs, (job, at) => [job, subs[at]].join(":"));

test("without an open row the lines are the jobs", () => {
  expect(pairs(lines(Uint32Array.of(2, 0, 1), new Map()))).toEqual(["2:-1", "0:-1", "1:-1"]);
});

test("an open row has its sub-jobs below it, in index order", () => {
  const found = lines(Uint32Array.of(2, 0), new Map([[2, detail(detailOf("DDED"))]]));
  expect(pairs(found)).toEqual(["2:-1", "2:0", "2:1", "2:2", "2:3", "0:-1"]);
});

test("a row whose sub-jobs are on their way has one line that says so; one that is filtered out none", () => {
  const open = new Map([
    [1, null],
    [7, detail(detailOf("D"))],
  ]);
  expect(pairs(lines(Uint32Array.of(1, 0), open))).toEqual([`1:${JOB}`, `1:${REST}`, `0:${JOB}`]);
});

test("of many sub-jobs the failed ones and the first are shown, and the rest is counted", () => {
  const { shown, more } = detail(detailOf(`${"D".repeat(900)}EDE${"D".repeat(97)}`));
  expect([shown.length, more]).toEqual([MOST, 800]);
  expect([shown[0], ...shown.slice(-3)]).toEqual([0, 197, 900, 902]);
  expect(new Set(shown).size).toBe(MOST);
  expect(detail(detailOf("E".repeat(300))).shown.at(-1)).toBe(199);
});

test("sub-jobs whose states did not arrive are counted as not shown", () => {
  expect(detail({ ...detailOf("DDDD"), live: undefined })).toMatchObject({ shown: [], more: 4 });
});

test("a line that has gone is found as its job, and a job that has gone not at all", () => {
  const found = lines(Uint32Array.of(3, 4), new Map([[3, detail(detailOf("DD"))]]));
  expect(placeOf(found, { job: 3, sub: 1 })).toBe(2);
  expect(placeOf(found, { job: 4, sub: 1 })).toBe(3);
  expect(placeOf(found, { job: 5, sub: JOB })).toBe(-1);
});
