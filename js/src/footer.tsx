import { Fragment, h } from "preact";
import { CopyButton } from "./copy";
import { shortId } from "./format";
import type { Store } from "./store";
import { tracked } from "./tracked";

export const Footer = tracked(({ store }: { store: Store }) => {
  const { tags, id } = store.meta.value;
  return (
    <footer class="qjob-footer">
      {tags.length > 0 && (
        <>
          <span aria-hidden="true">Tags</span>
          <ul class="qjob-tags" aria-label="Tags">
            {tags.map((tag) => (
              <li key={tag} class="qjob-tag">
                {tag}
              </li>
            ))}
          </ul>
        </>
      )}
      <span class="qjob-id">
        <code title={id}>{shortId(id)}</code>
        {id && <CopyButton id={id} />}
      </span>
    </footer>
  );
});
