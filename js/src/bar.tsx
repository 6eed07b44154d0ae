import { h } from "preact";
import { countWords, number } from "./format";
import { STATUSES, type Status, WORDS } from "./protocol";
import type { Store } from "./store";
import { tracked } from "./tracked";

const ORDER: Status[] = ["DONE", "ERROR", "CANCELLED", "RUNNING", "QUEUED", "VALIDATING", "INITIALIZING"];

/** The counts as one bar. */
export const Bar = tracked(({ store }: { store: Store }) => {
  const { counts } = store.summary.value;
  const { total } = store.meta.value;
  return (
    <div
      class="qjob-bar"
      role="progressbar"
      aria-label="Sub-jobs done"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={counts.DONE}
      aria-valuetext={`${number(counts.DONE)} of ${number(total)} done: ${countWords(counts) || "nothing yet"}`}
    >
      {ORDER.filter((status) => counts[status]).map((status) => (
        <i key={status} data-status={status} style={{ flexGrow: counts[status] }} />
      ))}
    </div>
  );
});

/** All seven counts with their words; the shape before each is the one of the strip. */
export const Counts = tracked(({ store }: { store: Store }) => {
  const { counts } = store.summary.value;
  return (
    <div class="qjob-counts">
      {[...STATUSES].reverse().map((status) => (
        <span
          key={status}
          class="qjob-count"
          data-status={status}
          data-zero={counts[status] ? undefined : ""}
        >
          <b data-count={status}>{counts[status]}</b> {WORDS[status]}
        </span>
      ))}
    </div>
  );
});
