import { Fragment, h } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type Line, queue, spans, usage } from "./columns";
import { clock, plural, range, reasonText } from "./format";
import type { Parts } from "./parts";
import type { Circuit } from "./protocol";
import type { Store } from "./store";
import { corner, type Layout } from "./strip_layout";
import { tracked } from "./tracked";

/** Milliseconds that a card is open before the circuits' parameters are asked for. */
const CURIOUS = 300;
/** Circuits that are listed with their parameters. */
const LISTED = 4;

/** What is known of a part, as pairs of a word and a text; what is not known is left out. */
function facts(line: Line): [string, string][] {
  const { parts, part, now, approximate } = line;
  const moment = (which: "created" | "running" | "finished" | "expected") => {
    const time = parts.time(part, which);
    return time === null ? "" : `${approximate ? "≈ " : ""}${clock(time, now)}`;
  };
  const attempt = parts.attempt(part);
  const all: [string, string][] = [
    ["Job", parts.id(part)],
    ["Queue", parts.isOpen(part) ? queue(line) : ""],
    ["Created", moment("created")],
    ["Running", moment("running")],
    ["Ended", moment("finished")],
    ["Expected", parts.isOpen(part) ? moment("expected") : ""],
    ["Time", spans(line)],
    ["QPU", usage(line)],
    ["Attempt", attempt > 1 ? `${attempt}` : ""],
    ["Reason", reasonText(parts.reason(part))],
  ];
  return all.filter(([, text]) => text && text !== "–");
}

/** "#2, circuits 20–29, failed", the name of a part. */
function caption(parts: Parts, part: number): string {
  const found = parts.circuits(part);
  return [`#${part}`, found && `circuits ${range(found)}`, parts.word(part)].filter(Boolean).join(" · ");
}

/** All that its card says of a part, to be heard. */
export const sentence = (parts: Parts, part: number, now: number): string =>
  [
    caption(parts, part),
    parts.label(part),
    ...facts({ parts, part, now, approximate: false }).map((pair) => pair.join(" ")),
  ]
    .filter(Boolean)
    .join(", ");

const told = ({ name, parameters }: Circuit): string =>
  [name, ...Object.entries(parameters).map((pair) => pair.join(" = "))].join("  ");

/** What is known of the part under the pointer or the cursor. */
export const Card = tracked(({ store, part, place }: { store: Store; part: number; place: Layout }) => {
  const parts = store.parts.value;
  const { approximate } = store.summary.value;
  const asked = store.circuits.value.get(part) ?? [];
  const { x, y } = corner(part, place);
  const wide = place.columns * place.across;
  const side = x > wide / 2 ? { right: `calc(100% - ${x + place.width}px)` } : { left: `${x}px` };
  const card = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const timer = setTimeout(() => store.ask(part), CURIOUS);
    return () => clearTimeout(timer);
  }, []);
  useLayoutEffect(() => {
    // Front ends cut off what stands out below a panel, as it would in one of few parts: there it stands higher.
    const box = card.current;
    const panel = box?.closest(".qjob-panel");
    if (!box || !panel) return;
    box.style.marginTop = "0";
    const [own, room] = [box.getBoundingClientRect(), panel.getBoundingClientRect()];
    const over = Math.min(own.bottom - room.bottom, own.top - room.top);
    if (over > 0) box.style.marginTop = `${-over}px`;
  });
  return (
    <div
      ref={card}
      class="qjob-card"
      style={{ top: `${y + place.height + 6}px`, ...side }}
      aria-hidden="true"
    >
      <b>{caption(parts, part)}</b>
      {parts.label(part) && <p>{parts.label(part)}</p>}
      <div class="qjob-pairs">
        {facts({ parts, part, now: store.kernelNow.value, approximate }).map(([word, text]) => (
          <Fragment key={word}>
            <i>{word}</i>
            <span>{text}</span>
          </Fragment>
        ))}
      </div>
      {asked.slice(0, LISTED).map((circuit, at) => (
        <code key={at}>{told(circuit)}</code>
      ))}
      {asked.length > LISTED && <p>and {plural(asked.length - LISTED, "more circuit")}</p>}
    </div>
  );
});
