import { afterEach, expect, test } from "vitest";
import { userEvent } from "vitest/browser";
import { clear, drawn, mount } from "./mounted";

afterEach(clear);

async function asked(letters = "DRQ") {
  const panel = await mount(letters);
  panel.button("Cancel").focus();
  await userEvent.keyboard("{Enter}");
  await drawn();
  return panel;
}

test("Cancel asks first, with the focus on the harmless answer", async () => {
  const { one, view, model } = await asked();
  const dialog = one("[role=alertdialog]");
  expect(dialog.getAttribute("aria-modal")).toBe("true");
  expect(document.activeElement?.textContent).toBe("Keep running");
  expect(one("[data-confirm]").textContent).toBe("Cancel all 2");
  expect(view.querySelectorAll("[data-count]").length).toBe(7); // always there, though unseen
  expect(model.sent).toEqual([]);
});

test("Tab stays inside; the confirmation sends one cancel and closes", async () => {
  const { one, view, model } = await asked();
  await userEvent.keyboard("{Tab}");
  expect(document.activeElement).toBe(one("[data-confirm]"));
  await userEvent.keyboard("{Tab}");
  expect(document.activeElement?.textContent).toBe("Keep running");
  one("[data-confirm]").click();
  await drawn();
  expect(view.querySelector("[role=alertdialog]")).toBeNull();
  expect(model.sent.map(({ op }) => op)).toEqual(["cancel"]);
});

test.each(["{Escape}", "{Enter}"])("%s sends nothing and gives the focus back to Cancel", async (key) => {
  const { view, button, model } = await asked();
  await userEvent.keyboard(key);
  await drawn();
  expect(view.querySelector("[role=alertdialog]")).toBeNull();
  expect(document.activeElement).toBe(button("Cancel"));
  expect(model.sent).toEqual([]);
});

test("the question goes when nothing is open any more", async () => {
  const { view, model, button } = await asked();
  model.beat({ open: 0 });
  await drawn();
  await drawn();
  expect(view.querySelector("[role=alertdialog]")).toBeNull();
  expect(button("Cancel").disabled).toBe(true);
});

test("with nothing failed or open there is nothing to press, and the reason is told", async () => {
  const { button } = await mount("DD");
  expect(
    [button("Rerun failed (0)"), button("Cancel")].map(({ disabled, title }) => [disabled, title]),
  ).toEqual([
    [true, "Nothing has failed."],
    [true, "Nothing is open any more."],
  ]);
});

test("a button that worked has the focus again", async () => {
  const { button, model } = await mount("DQ");
  button("Refresh").focus();
  await userEvent.keyboard("{Enter}");
  await drawn();
  expect(button("Refresh").disabled).toBe(true);
  const request = model.sent[0]?.request;
  model.emit("msg:custom", { request, phase: "settled", ok: true, text: "" });
  await drawn();
  expect(document.activeElement).toBe(button("Refresh"));
});
