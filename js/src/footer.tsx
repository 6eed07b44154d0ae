import { h } from "preact";
import { CopyButton } from "./copy";
import { duration, shortId } from "./format";
import type { Meta, Summary } from "./protocol";
import type { Store } from "./store";
import { Tags } from "./tags";
import { tracked } from "./tracked";

/** What the instance has left, and how old the backend's calibration is. */
export function facts({ calibrated }: Meta, { cost, beat }: Summary): string[] {
  const found = [];
  const seconds = (value: number) => duration(value * 1000);
  if (typeof cost?.left === "number") {
    const limit = typeof cost.limit === "number" ? ` of ${seconds(cost.limit)}` : "";
    found.push(`${seconds(cost.left)}${limit} QPU time left`);
  }
  if (calibrated) found.push(`calibrated ${duration(Math.max(0, beat - calibrated))} ago`);
  return found;
}

export const Footer = tracked(({ store }: { store: Store }) => {
  const { id, name } = store.meta.value;
  const told = facts(store.meta.value, store.summary.value);
  return (
    <footer class="qjob-footer">
      <Tags store={store} />
      <span class="qjob-told">{told.join(" · ")}</span>
      {name && (
        <span class="qjob-id">
          <code title={id}>{shortId(id)}</code>
          <CopyButton text={id} what={`job id ${id}`} />
        </span>
      )}
    </footer>
  );
});
