import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { ROW } from "../src/window";
import { because } from "./fake_model";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const rows = ({ view }: Mounted) =>
  [...view.querySelectorAll<HTMLElement>("[role=row][data-job-id]")].map(({ dataset }) => dataset.jobId);
const selected = ({ view }: Mounted) =>
  [...view.querySelectorAll<HTMLElement>(".qjob-rows [aria-selected=true]")].map(
    ({ dataset }) => dataset.jobId,
  );
const row = ({ one }: Mounted, part: number) => one(`[data-job-id="job-${part}"]`);
const head = ({ view }: Mounted, title: string) =>
  [...view.querySelectorAll<HTMLElement>("[role=columnheader]")].find(
    ({ textContent }) => textContent === title,
  ) as HTMLElement;

async function keys(panel: Mounted, ...pressed: string[]): Promise<void> {
  panel.one("[role=grid]").focus();
  for (const key of pressed) {
    await userEvent.keyboard(key);
    await drawn();
  }
}

test("a click on a head sorts, a second one turns it round, a third one goes back", async () => {
  const panel = await mount("QDEQ");
  const status = head(panel, "Status");
  const press = async () => {
    status.click();
    await drawn();
    return [status.getAttribute("aria-sort"), rows(panel).join()];
  };
  expect(await press()).toEqual(["ascending", "job-0,job-3,job-2,job-1"]);
  expect(await press()).toEqual(["descending", "job-1,job-2,job-0,job-3"]);
  expect(await press()).toEqual([null, "job-0,job-1,job-2,job-3"]);
  expect(head(panel, "#").getAttribute("aria-sort")).toBe("ascending");
});

test("the keyboard leads from the first row to the heads, and Enter sorts", async () => {
  const panel = await mount("QDEQ");
  await keys(panel, "{ArrowDown}", "{ArrowUp}");
  const grid = panel.one("[role=grid]");
  const named = () => panel.one(`#${grid.getAttribute("aria-activedescendant")}`).textContent;
  expect(named()).toBe("#");
  await keys(panel, "{ArrowRight}", "{ArrowRight}", "{ArrowRight}");
  expect(named()).toBe("Status");
  await keys(panel, "{Enter}", "{Enter}");
  expect(head(panel, "Status").getAttribute("aria-sort")).toBe("descending");
  await keys(panel, "{ArrowDown}");
  expect(panel.one(".qjob-row[data-active]").dataset.jobId).toBe("job-1");
});

test("counts are switches that limit the table, and together widen it", async () => {
  const panel = await mount("QDEQD");
  const count = (status: string) => panel.one(`.qjob-count[data-status=${status}]`);
  count("ERROR").click();
  await drawn();
  expect(rows(panel)).toEqual(["job-2"]);
  expect(count("ERROR").getAttribute("aria-checked")).toBe("true");
  count("DONE").focus();
  await userEvent.keyboard(" ");
  await drawn();
  expect(rows(panel)).toEqual(["job-1", "job-2", "job-4"]);
  expect(panel.one("[role=grid]").getAttribute("aria-rowcount")).toBe("4");
  panel.button("3 shown ×").click();
  await drawn();
  expect(rows(panel)).toHaveLength(5);
});

test("the counts are one stop of Tab, and it is one that is seen", async () => {
  const panel = await mount("QDEQD");
  const stops = [...panel.view.querySelectorAll<HTMLElement>(".qjob-count")].filter(
    ({ tabIndex }) => tabIndex === 0,
  );
  expect(stops.map(({ dataset }) => dataset.status)).toContain("DONE");
  expect(stops.filter(({ offsetParent }) => offsetParent)).toHaveLength(1);
  panel.one(".qjob-count[data-status=DONE]").focus();
  await userEvent.keyboard("{ArrowRight}");
  expect((document.activeElement as HTMLElement).dataset.status).toBe("ERROR");
});

test("typing filters, Escape shows all, and nothing found is said", async () => {
  const panel = await mount("QDEQ");
  const field = panel.one<HTMLInputElement>("[aria-label=Filter]");
  await userEvent.type(field, "interrupted");
  await drawn();
  expect(rows(panel)).toEqual(["job-2"]);
  await userEvent.type(field, " nowhere");
  await drawn();
  expect(rows(panel)).toEqual([]);
  expect(panel.one(".qjob-none").textContent).toBe("None of the 4 sub-jobs match.");
  await userEvent.keyboard("{Escape}");
  await drawn();
  expect([rows(panel).length, field.value]).toEqual([4, ""]);
});

test("a sort and a filter stand in all views and hold when facts change", async () => {
  const panel = await mount("QDEQ");
  const second = panel.again();
  head(panel, "Status").click();
  await drawn();
  const shown = rows({ ...panel, view: second.view });
  expect(shown).toEqual(["job-0", "job-3", "job-2", "job-1"]);
  const live = new DataView(panel.model.traits.live.buffer.slice(0));
  live.setUint8(0, 6);
  panel.model.set({ live });
  await drawn();
  expect(rows(panel)).toEqual(["job-3", "job-2", "job-0", "job-1"]);
});

test("click, ctrl and shift select as in lists everywhere", async () => {
  const panel = await mount("QQQQQQ");
  const press = async (part: number, held: MouseEventInit = {}) => {
    row(panel, part).dispatchEvent(new MouseEvent("click", { bubbles: true, ...held }));
    await drawn();
    return selected(panel).join();
  };
  expect(await press(1)).toBe("job-1");
  expect(await press(3, { shiftKey: true })).toBe("job-1,job-2,job-3");
  expect(await press(5, { ctrlKey: true })).toBe("job-1,job-2,job-3,job-5");
  expect(await press(2, { metaKey: true })).toBe("job-1,job-3,job-5");
  expect(panel.button("3 selected ×")).toBeTruthy();
  expect(await press(0)).toBe("job-0");
  expect(await press(0)).toBe("");
});

test("the keyboard selects: space, shift with arrows, all, none", async () => {
  const panel = await mount("QQQQ");
  await keys(panel, "{ArrowDown}", " ");
  expect(selected(panel)).toEqual(["job-0"]);
  await keys(panel, "{Shift>}{ArrowDown}{ArrowDown}{/Shift}");
  expect(selected(panel)).toEqual(["job-0", "job-1", "job-2"]);
  await keys(panel, "{Control>}a{/Control}");
  expect(selected(panel)).toHaveLength(4);
  await keys(panel, "{Escape}");
  expect(selected(panel)).toEqual([]);
});

test("Cancel and Rerun act on what of the selection they can act on", async () => {
  const panel = await mount("QDEQE");
  await keys(panel, "{Control>}a{/Control}");
  panel.button("Rerun 2 selected").click();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "rerun", rows: [2, 4] });
  panel.button("Cancel 2 selected").click();
  await drawn();
  expect(panel.one("[role=alertdialog]").textContent).toContain("2 sub-jobs #0, 3.");
  panel.one("[data-confirm]").click();
  await drawn();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "cancel", rows: [0, 3] });
  expect(panel.button("Cancel 2 selected").disabled).toBe(true);
  panel.model.settle(true, "Cancel sent for 2 sub-jobs.");
  await drawn();
  expect(selected(panel)).toEqual([]);
  expect(panel.button("Cancel").disabled).toBe(false);
});

test("what ended while the question stood is not cancelled", async () => {
  const panel = await mount("QQQ");
  await keys(panel, "{ArrowDown}", " ", "{Shift>}{ArrowDown}{/Shift}");
  panel.button("Cancel 2 selected").click();
  await drawn();
  const live = new DataView(panel.model.traits.live.buffer.slice(0));
  live.setUint8(0, 6);
  panel.model.set({ live });
  await drawn();
  panel.one("[data-confirm]").click();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "cancel", rows: [1] });
});

test("a group of failures limits the table to it, and its indexes can be copied", async () => {
  const panel = await mount("EDEE", (all) => {
    const texts = ["ran 301 s", "ran 305 s", "lost"];
    all.reasons = because([0, -1, 2, 1], ...texts.map((text) => ({ code: null, text })));
  });
  const write = vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue();
  const group = panel.one(".qjob-failed li");
  expect(group.textContent).toContain("2 × “ran … s” · circuits 0–9, 30–39");
  panel.one(".qjob-failed .qjob-icon").click();
  expect(write).toHaveBeenCalledWith("[0, 3]");
  write.mockRestore();
  panel.one(".qjob-failed [aria-pressed]").click();
  await drawn();
  expect(rows(panel)).toEqual(["job-0", "job-3"]);
  panel.one(".qjob-failed [aria-pressed=true]").click();
  await drawn();
  expect(rows(panel)).toHaveLength(4);
});

test("a reason that was cut can be had whole", async () => {
  const panel = await mount("E", (all) => {
    all.reasons = because([0], { code: null, text: "too many …" });
  });
  panel.button("Whole reason").click();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "reason", row: 0 });
  panel.model.settle(true, "", "too many words");
  await drawn();
  expect(panel.one(".qjob-failed pre").textContent).toBe("too many words");
});

test("columns that say nothing are not there, and narrow panels keep the state whole", async () => {
  const titles = ({ view }: Mounted) =>
    [...view.querySelectorAll("[role=columnheader]")].map(({ textContent }) => textContent);
  const plain = await mount("DD");
  plain.view.style.width = "500px";
  await drawn();
  expect(titles(plain)).toEqual(["#", "Circuits", "Job", "Status", "Elapsed"]);
  const told = await mount("UQE", ({ meta, live, times }) => {
    meta.labels = ["a", "b", "c"];
    meta.words = { 0: "waiting to be sent" };
    live.setUint8(5, 2);
    times.setUint32(56, 900, true);
    times.setUint32(32, 700, true);
  });
  told.view.style.width = "1060px";
  await drawn();
  expect(titles(told)).toEqual([
    "#",
    "Circuits",
    "Which circuit",
    "Job",
    "Status",
    "Queue",
    "Elapsed",
    "QPU",
    "Try",
    "Reason",
  ]);
  for (const width of [1000, 700, 520, 400]) {
    told.view.style.width = `${width}px`;
    await drawn();
    const cell = told.one(".qjob-rows .qjob-state");
    expect(cell.scrollWidth, `at ${width} pixels`).toBeLessThanOrEqual(cell.clientWidth);
    const grid = told.one(".qjob-grid");
    expect(grid.scrollWidth).toBeLessThanOrEqual(grid.clientWidth);
  }
});

test("the strip's click leads to a row that was filtered out", async () => {
  const panel = await mount("D".repeat(100));
  panel.one<HTMLInputElement>("[aria-label=Filter]").focus();
  await userEvent.keyboard("#5");
  await drawn();
  panel.one(".qjob-strip").focus();
  await userEvent.keyboard("{End}{Enter}");
  await drawn();
  expect(panel.one(".qjob-row[data-active]").dataset.jobId).toBe("job-99");
  expect(panel.one("[role=grid]").scrollTop).toBeGreaterThan(50 * ROW);
});
