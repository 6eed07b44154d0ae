import { h } from "preact";
import { CopyButton } from "./copy";
import { duration, number, shortId } from "./format";
import { freshness } from "./freshness";
import { AGAIN } from "./message";
import type { Meta, Summary } from "./protocol";
import type { Store } from "./store";
import { tracked } from "./tracked";

export const title = ({ name, id, kind }: Meta): string =>
  name || shortId(id) || (kind === "job" ? "job" : "jobs");

/** "9 of 12 done · 90 of 120 circuits"; a single job has no parts to count. */
function progress(meta: Meta, { counts, circuits, done_circuits: done }: Summary): string {
  const pieces = [];
  if (meta.total > 1) pieces.push(`${number(counts.DONE)} of ${number(meta.total)} done`);
  // Jobs differ in what their circuits are.
  if (circuits > 1 && meta.kind !== "table") pieces.push(`${number(done)} of ${number(circuits)} circuits`);
  else if (circuits === 1 && meta.total <= 1) pieces.push("1 circuit");
  return pieces.join(" · ");
}

/** QPU seconds, of which few matter to the tenth. */
const seconds = (value: number): string =>
  value < 100 ? `${Math.round(value * 10) / 10} s` : duration(value * 1000);

/** "QPU 8.4 s", and of how many where that is told; empty where nothing is known. */
function usage({ usage: used, cost, final }: Summary): string {
  if (used === null && !cost) return "";
  const estimated = final ? null : cost?.estimated;
  return `QPU ${seconds(used ?? cost?.used ?? 0)}${estimated ? ` of about ${seconds(estimated)}` : ""}`;
}

export const Headline = tracked(({ store }: { store: Store }) => {
  const meta = store.meta.value;
  const summary = store.summary.value;
  const lost = store.lost.value;
  const fresh = freshness(summary, { now: store.now.value, heard: store.heard.value, lost });
  const facts = [meta.backend, usage(summary)].filter(Boolean);
  const empty = meta.total === 0 && meta.kind !== "table";
  return (
    <header class="qjob-headline">
      <span class="qjob-what">
        <strong class="qjob-name" title={meta.id}>
          {title(meta)}
        </strong>
        {!meta.name && meta.id && <CopyButton text={meta.id} what={`job id ${meta.id}`} />}
        <span class="qjob-status" data-status={summary.status}>
          {empty ? "empty" : summary.word}
        </span>
        <span class="qjob-number">{progress(meta, summary)}</span>
      </span>
      <span class="qjob-facts">
        {facts.map((fact) => `${fact} · `).join("")}
        <span class="qjob-fresh" data-lost={lost ? "" : undefined} title={summary.error ?? undefined}>
          {empty ? "nothing to watch" : fresh}
        </span>
      </span>
    </header>
  );
});

/** What the whole waits for; while questions fail, also how. */
export const Why = tracked(({ store }: { store: Store }) => {
  const { why: whole, word, failures, error, sending } = store.summary.value;
  // What is being sent has a line of its own, with its end and how to stop it.
  const rest = sending ? whole.replace(/^Sending [^·]*( · |$)/, "") : whole;
  const why = rest.toLowerCase() === word ? "" : rest;
  const asking = failures > 0 && error ? `Asking failed: ${error}` : "";
  const failing = store.lost.value ? AGAIN : asking;
  return (
    <p class="qjob-why">
      {why}
      {why && failing && " · "}
      {failing && <span class="qjob-failing">{failing}</span>}
    </p>
  );
});
