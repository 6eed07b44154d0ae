import { computed } from "@preact/signals-core";
import { h } from "preact";
import { useState } from "preact/hooks";
import { failureLine, failures } from "./failures";
import { number } from "./format";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** Reasons that are named; the rest is counted. */
const NAMED = 3;

/** What failed and why, grouped by reason. Nothing while nothing has. */
export const Failed = tracked(({ store }: { store: Store }) => {
  const groups = useState(() => computed(() => failures(store.parts.value)))[0].value;
  if (groups.length === 0) return null;
  const count = groups.reduce((sum, group) => sum + group.count, 0);
  const more = groups.length - NAMED;
  return (
    <div class="qjob-failed">
      <b>{number(count)} failed</b>
      {groups.slice(0, NAMED).map((group) => (
        <span key={group.text}>{failureLine(group, groups.length > 1)}</span>
      ))}
      {more > 0 && <span>{more === 1 ? "1 more reason" : `${more} more reasons`}</span>}
    </div>
  );
});
