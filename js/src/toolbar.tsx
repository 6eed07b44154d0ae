import { Fragment, h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { NAMES } from "./commands";
import { Confirm } from "./confirm";
import type { Operation } from "./protocol";
import type { Store } from "./store";
import { tracked } from "./tracked";

/** Why a button does nothing, in the words of its title; empty when it works. */
function obstacle(store: Store, operation: Operation): string {
  const { open, rerunnable, closed } = store.summary.value;
  if (closed) return "The panel was stopped.";
  if (store.lost.value) return "There is no contact with the kernel.";
  if (!store.meta.value.can[operation]) return `This job offers no way to ${operation} it.`;
  if (operation === "cancel" && open === 0) return "Nothing is open any more.";
  if (operation === "rerun" && rerunnable === 0) return "Nothing has failed.";
  return "";
}

/** What the last click came to, or waits for. */
const Message = tracked(({ store }: { store: Store }) => {
  const { late, message } = store.commands;
  const waiting = late.value && NAMES[late.value];
  const told = message.value;
  let text = told?.text ?? "";
  if (waiting && store.lost.value) text = `${waiting} was asked, but the kernel does not answer.`;
  else if (waiting) text = `The kernel is busy: ${waiting} will run when the running cell has finished.`;
  // A finished panel has no heartbeat, so a kernel that has gone looks like a busy one.
  if (waiting && store.summary.value.final) text += " If it was restarted, run this cell again.";
  return (
    <p class="qjob-message" role="status" data-failed={!waiting && told && !told.ok ? "" : undefined}>
      {text}
    </p>
  );
});

interface Props {
  store: Store;
  asking: boolean;
  ask: (asking: boolean) => void;
  prefix: string;
}

/** The buttons; the question of Cancel takes their place while it stands. */
export const Toolbar = tracked(({ store, asking, ask, prefix }: Props) => {
  const cancel = useRef<HTMLButtonElement>(null);
  const refresh = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  useLayoutEffect(() => {
    if (asked.current && !asking)
      [cancel, refresh].find(({ current }) => !current?.disabled)?.current?.focus();
    asked.current = asking;
  }, [asking]);

  const button = (operation: Operation) => {
    const why = obstacle(store, operation);
    return { disabled: why !== "", title: why || undefined, pending: store.commands.isPending(operation) };
  };
  const send = (operation: Operation) => () => store.commands.send(operation);
  return (
    <div class="qjob-toolbar">
      {asking ? (
        <Confirm store={store} prefix={prefix} close={() => ask(false)} />
      ) : (
        <>
          <Button kind="main" {...button("rerun")} onPress={send("rerun")}>
            Rerun failed ({store.summary.value.rerunnable})
          </Button>
          <Button kind="warn" {...button("cancel")} handle={cancel} onPress={() => ask(true)}>
            Cancel
          </Button>
          <Button {...button("refresh")} handle={refresh} onPress={send("refresh")}>
            Refresh
          </Button>
        </>
      )}
      <Message store={store} />
    </div>
  );
});
