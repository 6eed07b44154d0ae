import { expect, test } from "vitest";
import { failureLine, failures, normal } from "../src/failures";
import { Parts } from "../src/parts";
import { because, traits } from "./fake_model";

test.each([
  ["Job abc ran 301 s", "Job def ran 305 s"],
  ["id d57e7860d82774bca945 is unknown", "id d57e786ab77z74bcb13f is unknown"],
  ["gate 'cz' on qubit 3", "gate 'ecr' on qubit 117"],
  ["value “0.1” at 0x1f", "value “0.25” at 0xc0ffee"],
  ["took 1.5e-3 s of 2", "took 7 s of 11"],
  [
    "session 4f1c88aa-77bc-4de0-a127-9b0000000000 closed",
    "session aaaaaaaa-77bc-4de0-a127-9b0000000001 closed",
  ],
])("%s = %s", (one, other) => {
  expect(normal(one)).toBe(normal(other));
});

test.each([
  ["a bad gate", "a dead gate"],
  ["ran too long", "internal error"],
  ["the job failed early", "the job failed late"],
])("%s ≠ %s", (one, other) => {
  expect(normal(one)).not.toBe(normal(other));
});

test("one group has what its reasons share, its parts and circuits; codes keep groups apart", () => {
  const { meta, live } = traits("EDEEE");
  const reasons = [
    { code: 1305, text: "Job zyx ran 301 s" },
    { code: 1305, text: "Job wvu ran 318 s" },
    { code: 9, text: "Job zyx ran 301 s" },
  ];
  meta.ids = ["zyx", "ok", "wvu", "zyx", "none"];
  const found = failures(new Parts(meta, live, undefined, because([0, -1, 1, 2, -1], ...reasons)));
  expect(found.map(({ text, parts, circuits }) => [text, parts, circuits])).toEqual([
    ["Job … ran … s", [0, 2], "circuits 0–9, 20–29"],
    ["Job zyx ran 301 s", [3], "circuits 30–39"],
    ["", [4], "circuits 40–49"],
  ]);
});

test("what differs between the reasons of a group is left out of what is said of it", () => {
  const { meta, live } = traits("EEE");
  const texts = ["Broken 17 at 0x7f", "Broken 99 at 0x7f", "Broken 17 at 0x7f"];
  const reasons = texts.map((text) => ({ code: null, text }));
  const [found, other] = failures(new Parts(meta, live, undefined, because([0, 1, 2], ...reasons)));
  expect([found?.text, found?.parts, other]).toEqual(["Broken … at 0x7f", [0, 1, 2], undefined]);
});

test("the circuits of a group are named, the first few of them and each once", () => {
  const { meta, live } = traits("EEEEED");
  meta.labels = ["sweep θ=0.025", "sweep θ=0.025", "", "sweep θ=0.05", "sweep θ=0.075", "fine"];
  const [few] = failures(new Parts(meta, live));
  meta.labels = ["a", "b", "c", "d", "e", "f"];
  const [many] = failures(new Parts(meta, live));
  expect(few?.names).toBe("sweep θ=0.025, sweep θ=0.05, sweep θ=0.075");
  expect(many?.names).toBe("a, b, c …");
  expect(many && failureLine(many, false)).toMatch(/ · circuits 0–49 · a, b, c …$/);
});
