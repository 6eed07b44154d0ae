import { h } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Button } from "./button";
import { plural } from "./format";
import { OWN_KEYS } from "./keys";
import { obstacle } from "./obstacle";
import type { Store } from "./store";
import { tracked, useSignal } from "./tracked";

/** The service takes eight tags of 86 characters; two say which part of which job it is, one is in reserve. */
const MOST = 5;
const LONGEST = 86;

/** What is wrong with a new tag; empty when it can be sent. */
function trouble(tag: string, tags: string[]): string {
  if (!tag) return "";
  if (tags.includes(tag)) return `“${tag}” is there already.`;
  if (tags.length >= MOST) return `A job has at most ${MOST} tags of yours: take one away first.`;
  const over = [...tag].length - LONGEST;
  return over > 0
    ? `A tag has at most ${LONGEST} characters: this one is ${plural(over, "character")} too long.`
    : "";
}

/** The user's tags as chips; editing adds and takes away. */
export const Tags = tracked(({ store }: { store: Store }) => {
  const editing = useSignal(false);
  const draft = useSignal("");
  const field = useRef<HTMLInputElement>(null);
  const edit = useRef<HTMLButtonElement>(null);
  const was = useRef(false);
  const tags = store.tags.value ?? store.meta.value.tags;
  const pending = store.commands.isPending("tags");
  const wrong = trouble(draft.value.trim(), tags);
  const off = obstacle(store, "tags");
  useEffect(() => {
    if (editing.value) field.current?.focus();
    else if (was.current) edit.current?.focus();
    was.current = editing.value;
  }, [editing.value]);

  const stop = () => {
    draft.value = "";
    editing.value = false;
  };
  const add = () => {
    const text = draft.value.trim();
    const before = store.tags.value ?? store.meta.value.tags;
    if (!text) stop();
    else if (!trouble(text, before)) {
      store.retag([...before, text]);
      draft.value = "";
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Enter") add();
    else if (event.key === "Escape") stop();
    else return;
    event.preventDefault();
  };
  if (tags.length === 0 && off) return null;
  return (
    <div class="qjob-tagging" aria-busy={pending}>
      <span aria-hidden="true">Tags</span>
      {tags.length > 0 && (
        <ul class="qjob-tags" aria-label="Tags">
          {tags.map((tag) => (
            <li key={tag} class="qjob-tag" title={tag}>
              {tag}
              {editing.value && (
                <Button
                  kind="remove"
                  label={`Remove tag ${tag}`}
                  disabled={off !== ""}
                  onPress={() => store.retag(tags.filter((other) => other !== tag))}
                />
              )}
            </li>
          ))}
        </ul>
      )}
      {editing.value ? (
        <input
          ref={field}
          class="qjob-search"
          aria-label="New tag"
          aria-invalid={wrong ? "true" : undefined}
          aria-description={wrong || undefined}
          placeholder="New tag, Enter"
          value={draft.value}
          {...OWN_KEYS}
          onInput={({ currentTarget }) => {
            draft.value = currentTarget.value;
          }}
          onKeyDown={onKeyDown}
        />
      ) : (
        <Button
          kind="link"
          handle={edit}
          label="Edit tags"
          disabled={off !== ""}
          title={off || undefined}
          onPress={() => {
            editing.value = true;
          }}
        >
          Edit
        </Button>
      )}
      {editing.value && <Button onPress={stop}>Close</Button>}
      {wrong && <span class="qjob-failing">{wrong}</span>}
    </div>
  );
});
