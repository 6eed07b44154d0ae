import { Fragment, h } from "preact";
import { Button } from "./button";
import { CopyButton } from "./copy";
import { type Failure, failureLine } from "./failures";
import { number, plural } from "./format";
import type { Store } from "./store";
import { tracked, useSignal } from "./tracked";

/** Reasons that are named at first. */
const NAMED = 3;

interface Props {
  store: Store;
  group: Failure;
  several: boolean;
}

/** One reason: its example, how often and where; what limits the table to it, and its indexes to copy. */
const Group = tracked(({ store, group, several }: Props) => {
  const whole = useSignal("");
  const { reading } = store;
  const only = reading.reason.value === group.key;
  const first = group.parts[0] ?? 0;
  const ask = async () => {
    const { ok, data, text } = await store.commands.send("reason", { row: first });
    whole.value = ok && typeof data === "string" ? data : text;
  };
  return (
    <li>
      <span>{failureLine(group, several)}</span>{" "}
      {group.text.endsWith("…") && !whole.value && (
        <Button kind="link" onPress={ask}>
          Whole reason
        </Button>
      )}
      {store.meta.value.total > 1 && (
        <>
          <Button
            kind="link"
            pressed={only}
            label={`Show only these ${number(group.parts.length)} in the table`}
            onPress={() => {
              reading.reason.value = only ? null : group.key;
            }}
          >
            Show
          </Button>
          {"\u00a0"}
          <CopyButton text={`[${group.parts.join(", ")}]`} what="their indexes as a list" />
        </>
      )}
      {whole.value && <pre>{whole.value}</pre>}
    </li>
  );
});

/** What failed and why, grouped by reason. Nothing while nothing has. */
export const Failed = tracked(({ store }: { store: Store }) => {
  const all = useSignal(false);
  const groups = store.reading.failures.value;
  if (groups.length === 0) return null;
  const count = groups.reduce((sum, group) => sum + group.parts.length, 0);
  const more = groups.length - NAMED;
  return (
    <div class="qjob-failed">
      <b>{number(count)} failed</b>
      <ul>
        {(all.value ? groups : groups.slice(0, NAMED)).map((group) => (
          <Group key={group.key} store={store} group={group} several={groups.length > 1} />
        ))}
        {more > 0 && !all.value && (
          <li>
            <Button
              kind="link"
              onPress={() => {
                all.value = true;
              }}
            >
              {plural(more, "more reason")}
            </Button>
          </li>
        )}
      </ul>
    </div>
  );
});
