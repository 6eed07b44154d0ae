import { Fragment, h } from "preact";
import { facts } from "./footer";
import { names } from "./jobs_reading";
import type { JobsStore } from "./jobs_store";
import { Tags } from "./tags";
import { tracked } from "./tracked";

/** The tags of the job that is selected, to be edited, and what the instance has left. */
export const JobsFooter = tracked(({ store }: { store: JobsStore }) => {
  const meta = store.meta.value;
  const row = store.only.value;
  const editable = meta.cans[row]?.includes("tags");
  return (
    <footer class="qjob-footer">
      {row < 0 ? (
        <span>Select one job to edit its tags.</span>
      ) : (
        <>
          <b class="qjob-name">{names(meta)[row]}</b>
          {editable ? <Tags key={row} store={store} /> : <span>Its tags cannot be changed.</span>}
        </>
      )}
      <span class="qjob-id">{facts(meta, store.summary.value).join(" · ")}</span>
    </footer>
  );
});
