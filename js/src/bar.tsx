import { h } from "preact";
import { countWords, number } from "./format";
import type { Counts, Status } from "./protocol";
import type { Store } from "./store";
import { tracked } from "./tracked";

const ORDER: Status[] = ["DONE", "ERROR", "CANCELLED", "RUNNING", "QUEUED", "VALIDATING", "INITIALIZING"];

/** A stretch for each state that there is, as long as it has counts. */
export const segments = (counts: Counts) =>
  ORDER.filter((status) => counts[status]).map((status) => (
    <i key={status} data-status={status} style={{ flexGrow: counts[status] }} />
  ));

/** The counts as one bar. */
export const Bar = tracked(({ store }: { store: Store }) => {
  const { counts } = store.summary.value;
  const { total } = store.meta.value;
  return (
    <div
      class="qjob-bar"
      role="progressbar"
      aria-label={`${store.noun}s done`}
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={counts.DONE}
      aria-valuetext={`${number(counts.DONE)} of ${number(total)} done: ${countWords(counts) || "nothing yet"}`}
    >
      {segments(counts)}
    </div>
  );
});
