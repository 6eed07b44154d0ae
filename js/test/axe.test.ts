import axe from "axe-core";
import { afterEach, expect, test } from "vitest";
import { clear, drawn, type Mounted, mountTraits } from "./mounted";
import { SCENES } from "./scenes";

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

const states = Object.keys(SCENES).filter((name) => !name.endsWith("10000"));

test.each(["light", "dark"].flatMap((theme) => states.map((name) => [name, theme] as const)))(
  "%s in %s",
  async (name, theme) => {
    document.documentElement.style.colorScheme = theme;
    const panel = await mountTraits(SCENES[name]?.());
    expect(await violations(panel)).toEqual([]);
  },
);

test.each(["light", "dark"])("with everything open, in %s", async (theme) => {
  document.documentElement.style.colorScheme = theme;
  const panel = await mountTraits(SCENES["rerun 120"]?.());
  panel.one('[aria-label="More"]').click();
  panel.button("Timeline").click();
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
  const { view } = await mountTraits(SCENES["rerun 120"]?.());
  expect(view.querySelectorAll("[aria-live], [role=status], [role=alert], output")).toHaveLength(1);
});
