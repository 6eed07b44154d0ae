import { afterEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { clear, drawn, type Mounted, mount } from "./mounted";

afterEach(clear);

const tags = ({ view }: Mounted) =>
  [...view.querySelectorAll(".qjob-tag")].map(({ textContent }) => textContent);

async function editing(...start: string[]): Promise<Mounted> {
  const panel = await mount("DQ", ({ meta }) => {
    meta.tags = start;
  });
  panel.one('[aria-label="Edit tags"]').click();
  await drawn();
  return panel;
}

async function type(text: string): Promise<void> {
  await userEvent.keyboard(text);
  await drawn();
}

test("Enter adds a tag, which is seen at once and true when Python says so", async () => {
  const panel = await editing("vqe");
  await type("night run{Enter}");
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "tags", tags: ["vqe", "night run"] });
  expect(tags(panel)).toEqual(["vqe", "night run"]);
  expect(panel.one(".qjob-tagging").getAttribute("aria-busy")).toBe("true");
  panel.model.settle(true, "Tags set.");
  panel.model.set({ meta: { ...panel.model.traits.meta, tags: ["vqe", "night run"] } });
  await drawn();
  expect(tags(panel)).toEqual(["vqe", "night run"]);
  expect(panel.one(".qjob-tagging").getAttribute("aria-busy")).toBe("false");
});

test("a refusal brings the tags back and is told in the service's own words", async () => {
  const panel = await editing("vqe");
  panel.one('[aria-label="Remove tag vqe"]').click();
  await drawn();
  expect(panel.model.sent.at(-1)).toMatchObject({ op: "tags", tags: [] });
  expect(tags(panel)).toEqual([]);
  panel.model.settle(false, "The service refused: 1204 too many tags.");
  await drawn();
  expect(tags(panel)).toEqual(["vqe"]);
  expect(panel.one(".qjob-message").textContent).toBe("The service refused: 1204 too many tags.");
});

test.each([
  ["vqe{Enter}", "“vqe” is there already."],
  [`${"x".repeat(88)}{Enter}`, "A tag has at most 86 characters: this one is 2 characters too long."],
])("%s is not sent", async (text, sentence) => {
  const panel = await editing("vqe");
  await type(text);
  expect(panel.model.sent).toEqual([]);
  expect(panel.one(".qjob-tagging .qjob-failing").textContent).toBe(sentence);
});

test("a sixth tag is not sent", async () => {
  const panel = await editing("a", "b", "c", "d", "e");
  await type("f{Enter}");
  expect(panel.model.sent).toEqual([]);
  expect(panel.one(".qjob-tagging .qjob-failing").textContent).toBe(
    "A job has at most 5 tags of yours: take one away first.",
  );
});

test("Escape ends editing without a word to Python, with the focus where it began", async () => {
  const panel = await editing("vqe");
  await type("half a wo{Escape}");
  expect(panel.view.querySelector(".qjob-tagging input")).toBeNull();
  expect(document.activeElement?.getAttribute("aria-label")).toBe("Edit tags");
  expect(panel.model.sent).toEqual([]);
});
