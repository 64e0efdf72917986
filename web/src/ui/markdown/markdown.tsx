import { memo, type ReactNode } from "react";
import { classNames } from "../class-names";
import { hasLongWord, isEmojiOnly, parseMarkdown, withoutHeaps } from "./parse";
import { renderTokens } from "./render";
import styles from "./markdown.module.css";

interface CachedBody {
  readonly body: string;
  readonly named: boolean;
  readonly drawn: ReactNode;
}

const cachedBodiesMax = 2000;
const cache = new Map<string, CachedBody>();

/**
 * The elements of a message, made once for each change of its words. Most events that change a message leave them as they
 * were: reactions, moods.
 */
function drawBody(id: string, body: string, named: boolean): ReactNode {
  const known = cache.get(id);
  if (known?.body === body && known.named === named) return known.drawn;
  const words = withoutHeaps(body);
  const tokens = parseMarkdown(words);
  const drawn = tokens === null ? <p className={styles.plain}>{words}</p> : renderTokens(tokens, named);
  cache.delete(id);
  cache.set(id, { body, named, drawn });
  // A Map gives its keys in the order of writing: the first is the one that was made longest ago.
  if (cache.size > cachedBodiesMax) cache.delete(cache.keys().next().value!);
  return drawn;
}

/** The words of a message, drawn from its Markdown. */
export const Markdown = memo(function Markdown({
  id,
  body,
  named,
}: {
  /** The message's id. */
  id: string;
  body: string;
  /** Whether the message names anybody, so that `@name` is drawn as a name. */
  named: boolean;
}) {
  return (
    <div
      className={classNames(
        styles.body,
        isEmojiOnly(body) && styles.emojiOnly,
        hasLongWord(body) && styles.longWord,
      )}
      dir="auto"
    >
      {drawBody(id, body, named)}
    </div>
  );
});
