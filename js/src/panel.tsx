import { h } from "preact";
import { Announcer } from "./announcer";
import { Bar } from "./bar";
import { Failed } from "./failed";
import { Footer } from "./footer";
import { Headline, title, Why } from "./headline";
import { Sending } from "./sending";
import type { Store } from "./store";
import { Strip } from "./strip";
import { Table } from "./table";
import { Toolbar } from "./toolbar";
import { tracked, useOnce, useSignal } from "./tracked";

export const Panel = tracked(({ store }: { store: Store }) => {
  const asks = useSignal(false);
  const asking = asks.value;
  const prefix = useOnce(() => `qjob-${Math.random().toString(36).slice(2)}`);
  const meta = store.meta.value;
  return (
    <section
      class="qjob qjob-panel"
      data-job-id={meta.id}
      data-status={store.summary.value.status}
      data-lost={store.lost.value ? "" : undefined}
      aria-label={`${meta.kind === "job" ? "Job" : "Jobs"} ${title(meta)}`}
    >
      <Headline store={store} />
      <Why store={store} />
      <Bar store={store} />
      <Sending store={store} />
      {meta.total > 1 && <Strip store={store} prefix={prefix} />}
      <Failed store={store} />
      <Toolbar store={store} asking={asks} prefix={prefix} />
      <div inert={asking}>
        <Table store={store} prefix={prefix} />
        <Footer store={store} />
      </div>
      <Announcer store={store} />
    </section>
  );
}, true);
