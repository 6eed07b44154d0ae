import { h } from "preact";
import { Announcer } from "./announcer";
import { Bar } from "./bar";
import { Failed } from "./failed";
import { Headline, title, Why } from "./headline";
import { JobsFooter } from "./jobs_footer";
import type { JobsStore } from "./jobs_store";
import { JobsTable } from "./jobs_table";
import { Sending } from "./sending";
import { Toolbar } from "./toolbar";
import { tracked, useOnce, useSignal } from "./tracked";

/** The table of many jobs. */
export const Jobs = tracked(({ store }: { store: JobsStore }) => {
  const asking = useSignal(false);
  const prefix = useOnce(() => `qjob-${Math.random().toString(36).slice(2)}`);
  const meta = store.meta.value;
  const full = meta.total > 0;
  return (
    <section
      class="qjob qjob-table"
      data-job-id={meta.id}
      data-status={store.summary.value.status}
      data-lost={store.lost.value ? "" : undefined}
      data-empty={full ? undefined : meta.query ? "query" : ""}
      aria-label={`Table of ${title(meta)}`}
    >
      <Headline store={store} />
      <Why store={store} />
      {full && <Bar store={store} />}
      <Sending store={store} />
      <Failed store={store} />
      {(full || meta.query) && <Toolbar store={store} asking={asking} prefix={prefix} />}
      <div inert={asking.value}>
        <JobsTable store={store} asking={asking} prefix={prefix} />
        {full && <JobsFooter store={store} />}
      </div>
      <Announcer store={store} />
    </section>
  );
}, true);
