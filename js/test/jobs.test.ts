import axe from "axe-core";
import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import widget from "../src/jobs";
import { ROW } from "../src/window";
import type { Traits } from "./fake_model";
import { detailOf, type FakeJob, type JobsTraits, jobsTraits } from "./jobs_model";
import { JOBS_SCENES } from "./jobs_scenes";
import { clear, drawn, type Mounted, mountTraits } from "./mounted";

afterEach(() => {
  clear();
  document.documentElement.style.colorScheme = "";
});

const mount = (jobs: FakeJob[], change?: (all: JobsTraits) => void) =>
  mountTraits(jobsTraits(jobs, change), widget);
const some = (size: number): FakeJob[] =>
  Array.from({ length: size }, (_, row) => ({ letters: "DQ", name: `run ${row}`, after: row }));
const told = (table: Mounted, changes: Partial<JobsTraits>) => table.model.set(changes as Partial<Traits>);

const rows = ({ view }: Mounted) =>
  [...view.querySelectorAll<HTMLElement>("[role=row][data-job-id]")].map(({ dataset }) => dataset.jobId);
const row = ({ one }: Mounted, job: number) => one(`[data-job-id="job-${job}"]`);
const cell = (table: Mounted, job: number, key: string) =>
  row(table, job).querySelector(`.qjob-${key}`)?.textContent;
const active = ({ view }: Mounted) =>
  view.querySelector<HTMLElement>(".qjob-row[data-active]")?.dataset.jobId;
const asked = ({ model }: Mounted) => model.sent.map(({ request, ...rest }) => rest);
const head = ({ view }: Mounted, title: string) =>
  [...view.querySelectorAll<HTMLElement>("[role=columnheader]")].find(
    ({ textContent }) => textContent === title,
  ) as HTMLElement;

async function click(element: HTMLElement): Promise<void> {
  element.click();
  await drawn();
}

async function keys(table: Mounted, ...pressed: string[]): Promise<void> {
  table.one("[role=treegrid]").focus();
  for (const key of pressed) {
    await userEvent.keyboard(key);
    await drawn();
  }
}

test("a table has hooks of its own, and its newest job on top", async () => {
  const table = await mount([
    { letters: "DDQ", name: "sweep", tags: ["vqe"], backend: "a" },
    { letters: "D", plain: true, after: 5, backend: "b" },
  ]);
  const root = table.one(".qjob-table");
  expect([root.dataset.jobId, root.dataset.status]).toEqual(["table-0123456789ab", "QUEUED"]);
  expect(table.view.querySelector(".qjob-panel")).toBeNull();
  expect(rows(table)).toEqual(["job-1", "job-0"]);
  expect(row(table, 0).dataset.status).toBe("QUEUED");
  const heads = [...table.view.querySelectorAll("[role=columnheader]")].map(({ textContent }) => textContent);
  expect(heads.join()).toBe("Job,Status,Sub-jobs,Backend,Queue,Created,Elapsed,Tags");
  expect(cell(table, 0, "label")).toBe("sweep");
  expect(cell(table, 0, "progress")).toBe("2 of 3");
  expect(cell(table, 1, "progress")).toBe("");
  expect(cell(table, 1, "name")).toBe("job-1");
  expect(cell(table, 1, "created")).toMatch(/\d\d:\d\d:\d\d$/);
  expect(cell(table, 0, "tags")).toBe("vqe");
  expect(table.one(".qjob-progress .qjob-bar i").dataset.status).toBe("DONE");
});

test("a backend that all have stands in the headline alone", async () => {
  const table = await mount(some(2), ({ meta }) => Object.assign(meta, { backend: "ibm_brisbane" }));
  expect(head(table, "Backend")).toBeUndefined();
  expect(table.one(".qjob-headline").textContent).toContain("ibm_brisbane");
});

test("what the instance has left, the calibration, and the QPU seconds to come are told", async () => {
  const table = await mount(some(2), ({ meta, summary }) => {
    meta.calibrated = summary.beat - 200 * 60_000;
    summary.cost = { used: 8.4, estimated: 12, left: 2400, limit: 6000 };
  });
  expect(table.one(".qjob-footer").innerText).toContain(
    "40 min of 1 h 40 min QPU time left · calibrated 3 h 20 min ago",
  );
  expect(table.one(".qjob-headline").innerText).toContain("QPU 8.4 s of about 12 s · ");
});

test("Created sorts either way; a third click elsewhere comes back to the newest first", async () => {
  const table = await mount(some(3));
  await click(head(table, "Created"));
  expect(rows(table)).toEqual(["job-0", "job-1", "job-2"]);
  expect(head(table, "Created").getAttribute("aria-sort")).toBe("ascending");
  await click(head(table, "Job"));
  await click(head(table, "Job"));
  await click(head(table, "Job"));
  expect(rows(table)).toEqual(["job-2", "job-1", "job-0"]);
  expect(head(table, "Created").getAttribute("aria-sort")).toBe("descending");
});

test("how much is done, names, backends and tags can be sorted by", async () => {
  const table = await mount([
    { letters: "DQ", name: "b 10", backend: "y", tags: ["z"] },
    { letters: "DDDQ", name: "b 9", backend: "x" },
    { letters: "QQ", name: "a", backend: "z", tags: ["a"] },
  ]);
  const sortedBy = async (title: string) => {
    await click(head(table, title));
    return rows(table).join();
  };
  expect(await sortedBy("Job")).toBe("job-2,job-1,job-0");
  expect(await sortedBy("Sub-jobs")).toBe("job-2,job-0,job-1");
  expect(await sortedBy("Backend")).toBe("job-1,job-0,job-2");
  expect(await sortedBy("Tags")).toBe("job-2,job-0,job-1");
});

test("a composite opens to its sub-jobs, and closes", async () => {
  const table = await mount([{ letters: "DED", name: "sweep" }]);
  const opener = table.one<HTMLButtonElement>("[aria-label='Sub-jobs of sweep']");
  expect(row(table, 0).getAttribute("aria-expanded")).toBe("false");
  await click(opener);
  expect(asked(table)).toEqual([{ op: "expand", row: 0, on: true }]);
  expect(table.one("[aria-level='2']").textContent).toBe("Its sub-jobs are asked for…");
  table.model.settle(true, "");
  told(table, { details: { 0: detailOf("DED") } });
  await drawn();
  expect(rows(table)).toEqual(["job-0", "sub-job-0", "sub-job-1", "sub-job-2"]);
  expect(opener.getAttribute("aria-expanded")).toBe("true");
  const sub = table.one('[data-job-id="sub-job-1"]');
  expect([sub.dataset.status, sub.getAttribute("aria-level")]).toEqual(["ERROR", "2"]);
  expect(sub.querySelector(".qjob-name")?.textContent).toBe("#1");
  expect(sub.querySelector(".qjob-progress")?.textContent).toBe("circuits 10–19");
  expect(sub.querySelector(".qjob-elapsed")?.textContent).toBe("4.2 s");
  expect(table.one("[role=treegrid]").getAttribute("aria-rowcount")).toBe("5");
  await click(opener);
  expect(asked(table).at(-1)).toEqual({ op: "expand", row: 0, on: false });
  expect(rows(table)).toEqual(["job-0"]);
});

test("a row that cannot be opened is closed again, and a job without sub-jobs cannot be opened", async () => {
  const table = await mount([
    { letters: "DD", name: "sweep" },
    { letters: "D", name: "one", plain: true },
  ]);
  expect(table.view.querySelectorAll("[aria-label^='Sub-jobs of']")).toHaveLength(1);
  expect(row(table, 1).hasAttribute("aria-expanded")).toBe(false);
  await click(table.one("[aria-label='Sub-jobs of sweep']"));
  table.model.settle(false, "refused");
  await drawn();
  expect(row(table, 0).getAttribute("aria-expanded")).toBe("false");
  expect(table.one(".qjob-message").textContent).toBe("refused");
});

test("without the kernel a row opens as far as it has been told, and no other one promises to", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  const table = await mount(some(3), (all) => {
    all.details = { 0: detailOf("DQ") };
  });
  const opener = (job: number) => table.one<HTMLButtonElement>(`[aria-label='Sub-jobs of run ${job}']`);
  const subs = () => table.view.querySelectorAll("[aria-level='2']").length;
  const below = () => table.one("[aria-level='2']").textContent;
  await click(opener(1));
  expect(below()).toBe("Its sub-jobs are asked for…");
  vi.advanceTimersByTime(16_000);
  await drawn();
  expect(table.one(".qjob-table").hasAttribute("data-lost")).toBe(true);
  expect(below()).toBe("There is no contact with the kernel.");
  expect(opener(2).disabled).toBe(true);
  expect(opener(2).title).toBe("There is no contact with the kernel.");
  await keys(table, "{ArrowRight}");
  expect(row(table, 2).getAttribute("aria-expanded")).toBe("false");
  await click(opener(1));
  expect(subs()).toBe(2);
  expect(opener(1).disabled).toBe(true);
  await click(opener(0));
  expect(subs()).toBe(0);
  await click(opener(0));
  expect(subs()).toBe(2);
  expect(asked(table)).toEqual([{ op: "expand", row: 1, on: true }]);

  table.model.beat();
  await drawn();
  expect(opener(1).disabled).toBe(false);
  await click(opener(2));
  expect(asked(table).at(-1)).toEqual({ op: "expand", row: 2, on: true });
  vi.useRealTimers();
});

test("Python may close a row, and open one before there is a page", async () => {
  const table = await mount(some(2), (all) => {
    all.details = { 1: detailOf("DQ") };
  });
  expect(rows(table)).toEqual(["job-1", "sub-job-0", "sub-job-1", "job-0"]);
  told(table, { details: {} });
  await drawn();
  expect(rows(table)).toEqual(["job-1", "job-0"]);
});

test("of many sub-jobs the last line says where the others are, and copies it", async () => {
  const table = await mount([{ letters: "D", name: "sweep" }], (all) => {
    all.details = { 0: detailOf("D".repeat(1200)) };
  });
  await keys(table, "{End}");
  const rest = table.one(".qjob-rest");
  expect(rest.textContent).toBe("and 1,000 more: open its panel with %qjob_monitor job-0");
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  await click(table.one(".qjob-rest button"));
  expect(write).toHaveBeenCalledWith("%qjob_monitor job-0");
  write.mockRestore();
});

test("the keyboard opens, leads through and closes", async () => {
  const table = await mount([
    { letters: "DD", name: "sweep" },
    { letters: "D", plain: true },
  ]);
  await keys(table, "{ArrowDown}", "{ArrowDown}");
  expect(active(table)).toBe("job-1");
  await keys(table, "{ArrowRight}", "{ArrowUp}", "{ArrowRight}");
  expect(asked(table)).toEqual([{ op: "expand", row: 0, on: true }]);
  table.model.settle(true, "");
  told(table, { details: { 0: detailOf("DD") } });
  await keys(table, "{ArrowDown}", "{ArrowDown}");
  expect(active(table)).toBe("sub-job-1");
  const named = table.one("[role=treegrid]").getAttribute("aria-activedescendant");
  expect(table.one(`#${named}`).dataset.jobId).toBe("sub-job-1");
  await keys(table, "{ArrowLeft}");
  expect(active(table)).toBe("job-0");
  await keys(table, "{ArrowLeft}");
  expect(asked(table).at(-1)).toEqual({ op: "expand", row: 0, on: false });
  table.model.settle(true, "");
  told(table, { details: {} });
  await keys(table, "{Enter}");
  expect(asked(table).at(-1)).toEqual({ op: "expand", row: 0, on: true });
});

test("Enter copies the id of what has no sub-jobs", async () => {
  const table = await mount([{ letters: "D", name: "one", plain: true }]);
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  await keys(table, "{ArrowDown}", "{Enter}");
  expect(write).toHaveBeenCalledWith("job-0");
  write.mockRestore();
});

test("Python learns what is selected, once it stands", async () => {
  const table = await mount(some(5));
  await click(row(table, 3));
  row(table, 1).dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: true }));
  await vi.waitFor(() => expect(asked(table)).toEqual([{ op: "select", rows: [1, 2, 3] }]));
  table.model.settle(true, "");
  expect(table.one(".qjob-message").textContent).toBe("");
  await keys(table, "{Escape}");
  await vi.waitFor(() => expect(asked(table).at(-1)).toEqual({ op: "select", rows: [] }));
});

test("facts that change between do not keep a selection from Python", async () => {
  const table = await mount(some(2));
  const live = table.model.traits.live;
  const ticking = setInterval(() => table.model.set({ live: new DataView(live.buffer.slice(0)) }), 50);
  await click(row(table, 0));
  await vi.waitFor(() => expect(asked(table)).toEqual([{ op: "select", rows: [0] }]), { timeout: 5000 });
  clearInterval(ticking);
});

test("after a reload the page begins with what Python takes for selected, and says nothing of it", async () => {
  const table = await mount(some(5), ({ summary }) => Object.assign(summary, { selected: [1, 3] }));
  expect(row(table, 1).getAttribute("aria-selected")).toBe("true");
  expect(row(table, 2).getAttribute("aria-selected")).toBe("false");
  await click(row(table, 2));
  await vi.waitFor(() => expect(asked(table)).toEqual([{ op: "select", rows: [2] }]));
});

test("a row says behind its name what can be done with its job", async () => {
  const jobs = [
    { letters: "DE", name: "failed" },
    { letters: "Q", name: "open", after: 1 },
    { letters: "E", name: "foreign", after: 2 },
  ];
  const table = await mount(jobs, ({ meta, details }) => {
    meta.cans[2] = [];
    details[0] = detailOf("DE");
  });
  const acts = (job: number) => [...row(table, job).querySelectorAll<HTMLElement>(".qjob-acts button")];
  const names = (job: number) => acts(job).map((each) => each.ariaLabel || each.textContent);
  expect([0, 1, 2].map(names)).toEqual([
    ["Rerun failed of failed", "Copy job id"],
    ["Cancel open", "Copy job id"],
    ["Copy job id"],
  ]);
  expect(table.view.querySelectorAll("[aria-level='2'] .qjob-acts")).toHaveLength(0);
  await click(acts(0)[0] as HTMLElement);
  await drawn();
  expect(asked(table)).toEqual([{ op: "rerun", rows: [0] }]);
  expect((acts(0)[0] as HTMLButtonElement).disabled).toBe(true);
  await click(acts(1)[0] as HTMLElement);
  expect(table.one("[role=alertdialog]").textContent).toContain("open");
  await click(table.one("[data-confirm]"));
  expect(asked(table).at(-1)).toEqual({ op: "cancel", rows: [1] });
});

test("a job that has come is marked for a while, what was there at first is not", async () => {
  const table = await mount(some(3));
  const marked = () =>
    [...table.view.querySelectorAll<HTMLElement>("[data-new]")].map((each) => each.dataset.jobId);
  expect(marked()).toEqual([]);
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  told(table, jobsTraits(some(5)));
  await drawn();
  expect(marked()).toEqual(["job-4", "job-3"]);
  vi.advanceTimersByTime(31_000);
  vi.useRealTimers();
  await drawn();
  expect(marked()).toEqual([]);
});

test("the question of Cancel names the jobs, and Delete asks it", async () => {
  const table = await mount(some(6));
  await keys(table, "{ArrowDown}", "{Delete}");
  expect(table.one("[role=alertdialog]").textContent).toContain("1 job run 5. What is done stays.");
  await click(table.button("Keep running"));
  await keys(table, "{ArrowDown}", "{Control>}a{/Control}");
  await click(table.button("Cancel 6 selected"));
  expect(table.one("[role=alertdialog]").textContent).toContain("6 jobs run 0, run 1, run 2 and 3 more.");
  await click(table.one("[data-confirm]"));
  expect(asked(table)).toContainEqual({ op: "cancel", rows: [0, 1, 2, 3, 4, 5] });
});

test("without a selection all open jobs are asked about, and all failed ones are sent again", async () => {
  const table = await mount([
    { letters: "E", plain: true },
    { letters: "Q", plain: true },
  ]);
  await click(table.button("Cancel"));
  expect(table.one("[role=alertdialog]").textContent).toContain("Cancel 1 open job?");
  await click(table.button("Keep running"));
  await click(table.button("Rerun failed (1)"));
  expect(asked(table)).toEqual([{ op: "rerun" }]);
});

test("tags of the one selected job are edited in place; a refusal brings the old ones back", async () => {
  const table = await mount([
    { letters: "DQ", name: "a", tags: ["vqe"] },
    { letters: "D", name: "b" },
  ]);
  expect(table.one(".qjob-footer").textContent).toContain("Select one job to edit its tags.");
  await click(row(table, 0));
  await click(table.one("[aria-label='Edit tags']"));
  await userEvent.type(table.one("[aria-label='New tag']"), "night run{Enter}");
  await drawn();
  const edit = { op: "tags", rows: [0], tags: ["vqe", "night run"] };
  expect(asked(table)).toContainEqual(edit);
  expect(cell(table, 0, "tags")).toBe("vqenight run");
  const { request } = table.model.sent.find(({ op }) => op === "tags") ?? {};
  table.model.emit("msg:custom", { request, phase: "settled", ok: false, text: "The service refused." });
  await drawn();
  expect(cell(table, 0, "tags")).toBe("vqe");
  expect(table.one(".qjob-message").textContent).toBe("The service refused.");
  await click(row(table, 1));
  expect(table.view.querySelector("[aria-label='New tag']")).toBeNull();
});

test("what Python tells of tags takes the place of what was edited, once that is done", async () => {
  const table = await mount([{ letters: "DQ", name: "a", tags: ["x"] }]);
  await click(row(table, 0));
  await click(table.one("[aria-label='Edit tags']"));
  await click(table.one("[aria-label='Remove tag x']"));
  expect(cell(table, 0, "tags") ?? "").toBe("");
  told(table, { meta: { ...(table.model.traits.meta as JobsTraits["meta"]), tagged: [["y"]] } });
  await drawn();
  expect(cell(table, 0, "tags") ?? "").toBe("");
  const asked = table.model.sent.find(({ op }) => op === "tags")?.request;
  table.model.emit("msg:custom", { request: asked, phase: "settled", ok: true, text: "" });
  await drawn();
  expect(cell(table, 0, "tags")).toBe("y");
});

test("a job whose tags cannot be changed says so", async () => {
  const table = await mount([{ letters: "DQ", name: "a" }], ({ meta }) =>
    Object.assign(meta, { cans: [[]] }),
  );
  await click(row(table, 0));
  expect(table.one(".qjob-footer").textContent).toContain("aIts tags cannot be changed.");
});

test("a click on a tag limits the table to it, and a second one shows all", async () => {
  const table = await mount([
    { letters: "D", tags: ["vqe", "x"] },
    { letters: "D", tags: ["x"] },
    { letters: "D" },
  ]);
  const chip = (text: string) =>
    [...table.view.querySelectorAll<HTMLElement>(".qjob-cell .qjob-tag")].find(
      (element) => element.textContent === text,
    ) as HTMLElement;
  await click(chip("x"));
  expect(rows(table).sort()).toEqual(["job-0", "job-1"]);
  expect(table.button("2 shown ×")).toBeTruthy();
  await click(chip("vqe"));
  expect(rows(table)).toEqual(["job-0"]);
  expect(chip("vqe").getAttribute("aria-pressed")).toBe("true");
  await click(chip("vqe"));
  expect(rows(table)).toHaveLength(3);
  expect(table.view.querySelector("[aria-selected=true]")).toBeNull();
});

test("the text filter finds names, backends and tags", async () => {
  const table = await mount([
    { letters: "D", name: "Ising", backend: "local_manila" },
    { letters: "D", name: "GHZ", tags: ["Night"], backend: "local_lima" },
  ]);
  const field = table.one<HTMLInputElement>("[aria-label=Filter]");
  const find = async (text: string) => {
    await userEvent.fill(field, text);
    await drawn();
    return rows(table);
  };
  expect(await find("ising")).toEqual(["job-0"]);
  expect(await find("night")).toEqual(["job-1"]);
  expect(await find("lima done")).toEqual(["job-1"]);
  expect(await find("nowhere")).toEqual([]);
  expect(table.one(".qjob-none").textContent).toBe("None of the 2 jobs match.");
});

test("an empty table says what will happen", async () => {
  const plain = await mount([]);
  expect(plain.one(".qjob-none").textContent).toBe("No jobs yet.");
  const query = await mount([], ({ meta }) => Object.assign(meta, { query: true }));
  expect(query.one(".qjob-none").textContent).toBe("No job matches yet. New ones appear here.");
});

test("a query can be paused when nothing that it found is open", async () => {
  const table = await mount([{ letters: "D" }], ({ meta, summary }) => {
    meta.query = true;
    summary.final = false;
  });
  await click(table.button("Pause"));
  expect(asked(table)).toEqual([{ op: "pause", on: true }]);
});

test("new jobs come on top, and do not move what is being read", async () => {
  const table = await mount(some(100));
  const next = jobsTraits(some(130));
  const grid = table.one("[role=treegrid]");
  told(table, jobsTraits(some(105)));
  await drawn();
  expect(rows(table)[0]).toBe("job-104");
  await click(row(table, 100));
  grid.scrollTop = 20 * ROW + 5;
  await drawn();
  const before = row(table, 80).getBoundingClientRect().top;
  told(table, next);
  await drawn();
  expect(row(table, 80).getBoundingClientRect().top).toBe(before);
  expect(grid.scrollTop).toBe(45 * ROW + 5);
  grid.scrollTop = 29 * ROW;
  await drawn();
  expect(row(table, 100).getAttribute("aria-selected")).toBe("true");
});

test("of 10,000 jobs fewer than 60 rows exist, also below an open one", async () => {
  const table = await mount(some(10_000), (all) => {
    all.details = { 5000: detailOf("D".repeat(500)) };
  });
  const grid = table.one("[role=treegrid]");
  expect(grid.getAttribute("aria-rowcount")).toBe(String(1 + 10_000 + 201));
  grid.scrollTop = 5100 * ROW;
  await drawn();
  expect(rows(table).length).toBeLessThan(60);
  expect(rows(table)).toContain("sub-job-100");
  await keys(table, "{End}");
  expect(active(table)).toBe("job-0");
});

test("a table without its columns draws what it knows", async () => {
  const table = await mount(some(3), (all) => {
    Object.assign(all, { counts: undefined, details: undefined });
  });
  expect(rows(table)).toHaveLength(3);
  expect(cell(table, 0, "progress")).toBe("0 of 2");
});

const THEMES = ["light", "dark"];

async function violations({ one }: Mounted): Promise<string[]> {
  const { violations } = await axe.run(one(".qjob-table"));
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
}

test.each(THEMES.flatMap((theme) => Object.keys(JOBS_SCENES).map((name) => [name, theme] as const)))(
  "axe has nothing to say about %s in %s",
  async (name, theme) => {
    document.documentElement.style.colorScheme = theme;
    expect(await violations(await mountTraits(JOBS_SCENES[name]?.(), widget))).toEqual([]);
  },
);

test.each(THEMES)(
  "nor about a selection, tags that are edited and a tag that is wanted, in %s",
  async (theme) => {
    document.documentElement.style.colorScheme = theme;
    const table = await mountTraits(JOBS_SCENES.open?.(), widget);
    await click(row(table, 0));
    await click(table.one("[aria-label='Edit tags']"));
    await click(table.one(".qjob-cell .qjob-tag"));
    expect(await violations(table)).toEqual([]);
  },
);
