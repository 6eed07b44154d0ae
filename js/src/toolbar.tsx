import { Fragment, h } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { Confirm } from "./confirm";
import { Filter } from "./filter";
import { number } from "./format";
import { Message } from "./message";
import { More } from "./more";
import { obstacle } from "./obstacle";
import { Popup } from "./popup";
import { type Arguments, type Operation, RERUNNABLE, type Rerunnable } from "./protocol";
import { useRoving } from "./roving";
import type { Signal } from "./signals";
import type { Store } from "./store";
import { tracked } from "./tracked";

interface Props {
  store: Store;
  /** Whether the question of Cancel stands. */
  asking: Signal<boolean>;
  prefix: string;
}

const KINDS: Record<Rerunnable, string> = { ERROR: "Failed", CANCELLED: "Cancelled", UNSENT: "Never sent" };

/** How an operation's button stands: off with a reason, at work, or ready. */
function standing(store: Store, operation: Operation, about: Arguments) {
  const why = obstacle(store, operation);
  return {
    disabled: why !== "",
    title: why || undefined,
    pending: store.commands.isPending(operation, about),
  };
}

/** The selected parts that can be sent again, or all that can; behind it only those of one kind. */
const rerun = (store: Store) => {
  const { rerunnable, rerunnable_by: by } = store.summary.value;
  const rows = store.reading.chosen.value.filter((part) => store.parts.value.isRerunnable(part));
  const about = rows.length ? { rows } : {};
  const kinds = RERUNNABLE.filter((kind) => by?.[kind]);
  const send = async (arguments_: Arguments) => {
    const { ok } = await store.commands.send("rerun", arguments_);
    if (ok && arguments_.rows) store.reading.selectNone();
  };
  return (
    <span class="qjob-split">
      <Button kind="main" {...standing(store, "rerun", about)} onPress={() => send(about)}>
        {rows.length ? `Rerun ${number(rows.length)} selected` : `Rerun failed (${number(rerunnable)})`}
      </Button>
      {kinds.length > 1 && (
        <Popup kind="main" face="▾" label="Choose what to rerun" disabled={obstacle(store, "rerun") !== ""}>
          {kinds.map((kind) => (
            <Button key={kind} onPress={() => send({ states: [kind] })}>
              {KINDS[kind]} only ({number(by[kind])})
            </Button>
          ))}
        </Popup>
      )}
    </span>
  );
};

const Actions = tracked(({ store, asking: asks, prefix }: Props) => {
  const asking = asks.value;
  const ask = (wanted: boolean) => {
    asks.value = wanted;
  };
  const { reading, commands } = store;
  const box = useRef<HTMLDivElement>(null);
  const cancel = useRef<HTMLButtonElement>(null);
  const refresh = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  const roving = useRoving(box);
  const { paused } = store.summary.value;
  const { can } = store.meta.value;
  useLayoutEffect(() => {
    if (asked.current && !asking)
      [cancel, refresh].find(({ current }) => !current?.disabled)?.current?.focus();
    asked.current = asking;
  }, [asking]);

  if (asking) return <Confirm store={store} prefix={prefix} close={() => ask(false)} />;
  const rows = reading.chosen.value.filter((part) => store.parts.value.isOpen(part));
  const pausing = { on: !paused };
  return (
    <div ref={box} class="qjob-actions" role="toolbar" aria-label="Actions" {...roving}>
      {rerun(store)}
      <Button
        kind="warn"
        {...standing(store, "cancel", rows.length ? { rows } : {})}
        handle={cancel}
        onPress={() => ask(true)}
      >
        {rows.length ? `Cancel ${number(rows.length)} selected` : "Cancel"}
      </Button>
      {can.pause && (
        <Button {...standing(store, "pause", pausing)} onPress={() => commands.send("pause", pausing)}>
          {paused ? "Resume" : "Pause"}
        </Button>
      )}
      <Button {...standing(store, "refresh", {})} handle={refresh} onPress={() => commands.send("refresh")}>
        Refresh
      </Button>
      {can.freeze && (
        <Button {...standing(store, "freeze", {})} onPress={() => commands.send("freeze")}>
          Freeze
        </Button>
      )}
      <More store={store} />
    </div>
  );
});

/** What can be done, and what is shown below. The question of Cancel takes the place of the buttons. */
export const Toolbar = tracked((props: Props) => (
  <>
    <div class="qjob-toolbar">
      <Actions {...props} />
      <Filter store={props.store} away={props.asking.value} />
    </div>
    <Message store={props.store} />
  </>
));
