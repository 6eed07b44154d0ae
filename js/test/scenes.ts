/** The states of a panel that are looked at: by people in screenshots, by axe in its test. */
import { type Traits, traits } from "./fake_model";

const SECOND = 10;

/** Times as a service of `wide` places would tell them: parts wait for each other. */
function timed(all: Traits, letters: string, wide: number): void {
  const times = all.times;
  [...letters].forEach((letter, part) => {
    const at = (field: number, tenths: number) => times.setUint32(20 * part + 4 * field, tenths + 1, true);
    const turn = Math.floor(part / wide);
    const [created, started] = [part % 7, turn * 4 * SECOND + 8];
    if (letter === "U") return;
    at(0, created);
    if ("RDE".includes(letter)) at(1, started + (part % 5));
    if ("DEC".includes(letter)) at(2, started + 30 + ((part * 13) % 23));
    if ("DE".includes(letter)) at(4, 900 + ((part * 37) % 300) - 1);
    if ("QR".includes(letter)) at(3, 60 * SECOND + 20 * SECOND + part * 3);
  });
}

/** `size` letters, of which the first share are of the first kind, and so on. */
const mixed = (size: number, pattern: string): string =>
  Array.from({ length: size }, (_, part) => pattern[Math.floor((part * pattern.length) / size)] ?? "D").join(
    "",
  );

/** Every `each`th letter replaced. */
const spotted = (letters: string, each: number, letter: string, among = "D"): string =>
  [...letters].map((old, at) => (at % each === 1 && among.includes(old) ? letter : old)).join("");

function scene(letters: string, change: (all: Traits) => void = () => {}): Traits {
  const all = traits(letters);
  timed(all, letters, Math.max(2, Math.ceil(letters.length / 12)));
  const id = (part: number) =>
    `d57e${(7000 + part * 7).toString(16)}d82774bca${(part % 1000).toString().padStart(3, "0")}`;
  all.meta.ids = all.meta.ids.map((old, part) => (old ? id(part) : ""));
  all.meta.labels = [...letters].map((_, part) => `ising_6 θ = ${(part / 40).toFixed(3)} and 9 more`);
  all.meta.reasons = [
    { code: 1500, text: "calibration interrupted" },
    { code: 1305, text: "ran too long: 301 s of at most 300 s" },
    { code: 1305, text: "ran too long: 318 s of at most 300 s" },
  ];
  all.meta.reason = [...letters].map((letter, part) => (letter === "E" ? part % 3 : -1));
  all.meta.tags = ["vqe", "night run"];
  all.meta.calibrated = Date.now() - 3 * 3_600_000;
  all.summary.cost = { used: 8.4, estimated: 12, left: 2400, limit: 6000 };
  change(all);
  return all;
}

const STATES: Record<string, (size: number) => Traits> = {
  waiting: (size) =>
    scene(mixed(size, "Q"), ({ summary }) => Object.assign(summary, { usage: null, cost: null })),
  running: (size) =>
    scene(mixed(size, "DDDDRQQQQ"), ({ summary }) =>
      Object.assign(summary, {
        why: `${summary.counts.QUEUED} queued, the last at position 12, about 40 s to go · ${summary.counts.RUNNING} running`,
      }),
    ),
  "half failed": (size) =>
    scene(spotted(mixed(size, "DD"), 2, "E"), ({ summary }) =>
      Object.assign(summary, { why: `${summary.counts.ERROR} failed · can be rerun` }),
    ),
  done: (size) => scene(mixed(size, "D"), ({ summary }) => Object.assign(summary, { why: "" })),
  rerun: (size) =>
    scene(spotted(mixed(size, "DDDDRQUU"), 9, "E"), (all) => {
      const unsent = all.summary.counts.INITIALIZING || 1;
      all.live.setUint8(1, 2);
      for (let part = 0; part < all.meta.total; part++)
        if (!all.meta.ids[part]) all.meta.words[part] = "waiting to be sent";
      Object.assign(all.summary, {
        word: "sending",
        why: `Sending ${unsent} of ${all.meta.total} · 3 queued, position unknown`,
        sending: { left: unsent, total: all.meta.total, seconds: 240, trouble: "" },
        rerunnable_by: { ERROR: all.summary.counts.ERROR, CANCELLED: 3, UNSENT: 2 },
      });
    }),
  lost: (size) =>
    scene(mixed(size, "DDRQ"), ({ summary }) => {
      Object.assign(summary, { failures: 3, error: "503 Service Unavailable" });
    }),
};

export const SIZES = [3, 120, 10_000];

/** Traits by the name of the scene: "half failed 120". */
export const SCENES: Record<string, () => Traits> = {
  empty: () => scene("", ({ summary }) => Object.assign(summary, { why: "" })),
  single: () =>
    scene("R", ({ meta, summary }) => {
      Object.assign(meta, { kind: "job", name: null, start: [], end: [], labels: null, tags: [] });
      Object.assign(summary, { circuits: 1, done_circuits: 0, why: "running" });
    }),
  ...Object.fromEntries(
    Object.entries(STATES).flatMap(([name, make]) =>
      SIZES.map((size) => [`${name} ${size}`, () => make(size)]),
    ),
  ),
};
