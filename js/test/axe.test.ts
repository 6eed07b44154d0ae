import axe from "axe-core";
import { afterEach, expect, test } from "vitest";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(() => {
  clear();
  document.documentElement.style.colorScheme = "";
});

/** Rules about whole pages say nothing about a panel. */
const OPTIONS = {
  rules: Object.fromEntries(
    ["region", "document-title", "html-has-lang", "landmark-one-main", "page-has-heading-one"].map((rule) => [
      rule,
      { enabled: false },
    ]),
  ),
};

async function violations({ view }: Mounted): Promise<string[]> {
  const { violations: found } = await axe.run(view, OPTIONS);
  return found.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
  );
}

/** Every state that a part can be in, with all that can be told of it. */
const everything = () =>
  mount("DEQRCVIU", ({ meta, summary }) => {
    Object.assign(meta, { labels: [..."abcdefgh"], tags: ["vqe", "night run"], calibrated: Date.now() });
    Object.assign(summary, {
      failures: 2,
      error: "503 Service Unavailable",
      sending: { left: 1, total: 8, seconds: 240, trouble: "the service asks to wait" },
      rerunnable_by: { ERROR: 1, CANCELLED: 1, UNSENT: 1 },
      cost: { used: 8.4, estimated: 12, left: 2400, limit: 6000 },
    });
  });

test.each(["light", "dark"])("every state, and everything open, in %s", async (theme) => {
  document.documentElement.style.colorScheme = theme;
  const panel = await everything();
  expect(await violations(panel)).toEqual([]);
  panel.one('[aria-label="More"]').click();
  panel.one('[aria-label="Edit tags"]').click();
  panel.one("[data-job-id] [role=gridcell]").click();
  panel.one(".qjob-count[data-status=ERROR]").click();
  await drawn();
  panel.one(".qjob-strip").focus();
  await drawn();
  expect(await violations(panel)).toEqual([]);
  panel.button("Cancel").click();
  await drawn();
  expect(panel.one("[role=alertdialog]")).toBeTruthy();
  expect(await violations(panel)).toEqual([]);
});

test("there is one voice", async () => {
  const { view } = await everything();
  expect(view.querySelectorAll("[aria-live], [role=status], [role=alert], output")).toHaveLength(1);
});
