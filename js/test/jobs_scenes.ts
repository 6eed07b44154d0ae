/** The states of a table of jobs that are looked at: by people in screenshots, by axe in its test. */
import { because } from "./fake_model";
import { detailOf, type FakeJob, type JobsTraits, jobsTraits } from "./jobs_model";

const KINDS: Omit<FakeJob, "after">[] = [
  { letters: "DDDDDDDDDRQQ", name: "Ising sweep", tags: ["vqe", "night run"] },
  { letters: "Q", plain: true, backend: "ibm_brisbane" },
  { letters: "DDDDDDDDDDDD", name: "GHZ 5 to 16", tags: ["ghz"] },
  { letters: "DDEEDDDDDDED", name: "Tomography of a long name that does not fit", tags: ["tomography"] },
  { letters: "D", plain: true, name: "calibration check" },
  { letters: "UUUU", name: "QAOA depth 3", backend: "ibm_brisbane", tags: ["qaoa", "vqe"] },
];

const jobs = (size: number): FakeJob[] =>
  Array.from({ length: size }, (_, row) => ({ ...(KINDS[row % KINDS.length] as FakeJob), after: 7 * row }));

const FAILED = because([-1, -1, -1, 0, -1, -1], {
  code: null,
  text: "3 of 3 failed: calibration interrupted",
});

/** Traits by the name of the scene. */
export const JOBS_SCENES: Record<string, () => JobsTraits> = {
  empty: () => jobsTraits([]),
  "empty query": () => jobsTraits([], ({ meta }) => Object.assign(meta, { query: true })),
  one: () => jobsTraits(jobs(1)),
  six: () =>
    jobsTraits(jobs(6), (all) => {
      all.reasons = FAILED;
      all.live.setUint16(6, 12, true);
    }),
  open: () =>
    jobsTraits(jobs(6), (all) => {
      all.reasons = FAILED;
      all.details[3] = detailOf("DDEEDDDDDDED");
    }),
  many: () => jobsTraits(jobs(10_000)),
};
