import { h } from "preact";
import { useRef, useState } from "preact/hooks";
import { Announcer } from "./announcer";
import { Bar, Counts } from "./bar";
import { Failed } from "./failed";
import { Footer } from "./footer";
import { Headline, title, Why } from "./headline";
import type { Store } from "./store";
import { Strip } from "./strip";
import { Table } from "./table";
import { Toolbar } from "./toolbar";
import { tracked } from "./tracked";
import { useVisible } from "./visible";

/** Nothing until Python has written its traits. */
export const Panel = tracked(({ store }: { store: Store }) =>
  store.ready.value ? <Whole store={store} /> : null,
);

const Whole = tracked(({ store }: { store: Store }) => {
  const [asking, ask] = useState(false);
  const root = useRef<HTMLElement>(null);
  const visible = useVisible(root);
  const [prefix] = useState(() => `qjob-${Math.random().toString(36).slice(2)}`);
  const meta = store.meta.value;
  return (
    <section
      ref={root}
      class="qjob-panel"
      data-job-id={meta.id}
      data-status={store.summary.value.status}
      data-lost={store.lost.value ? "" : undefined}
      aria-label={`${meta.kind === "job" ? "Job" : "Jobs"} ${title(meta)}`}
    >
      <Headline store={store} />
      <Why store={store} />
      <Bar store={store} />
      {meta.total > 1 && <Strip store={store} visible={visible} />}
      <Counts store={store} />
      <Failed store={store} />
      <Toolbar store={store} asking={asking} ask={ask} prefix={prefix} />
      <div inert={asking}>
        <Table store={store} visible={visible} prefix={prefix} />
        <Footer store={store} />
      </div>
      <Announcer store={store} />
    </section>
  );
});
