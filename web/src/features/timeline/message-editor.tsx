import { useLayoutEffect, useRef, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import type { Message } from "../../protocol/model";
import { Button } from "../../ui/button";
import { applyMarkdownKeys } from "../../ui/markdown-keys";
import { useTimelineActions } from "./timeline-actions";
import styles from "./message-editor.module.css";

/** A message of mine while it is being changed, in its own place. */
export function MessageEditor({ message }: { message: Message }) {
  const { t } = useTranslation();
  const actions = useTimelineActions();
  const [body, setBody] = useState(message.body);
  const field = useRef<HTMLTextAreaElement>(null);

  useLayoutEffect(() => {
    const area = field.current!;
    area.focus({ preventScroll: true });
    area.setSelectionRange(area.value.length, area.value.length);
  }, []);

  function save() {
    const text = body.trim();
    if (text === "") actions.askRemove(message);
    else if (text === message.body) actions.cancelEdit();
    else actions.saveEdit(message, text);
  }

  return (
    <form
      className={styles.editor}
      onSubmit={(event) => {
        event.preventDefault();
        save();
      }}
    >
      <textarea
        ref={field}
        className={styles.field}
        aria-label={t("message.editLabel")}
        dir="auto"
        value={body}
        onChange={(event) => {
          setBody(event.target.value);
        }}
        onKeyDown={(event) => {
          // Enter that ends the composing of a syllable belongs to the input method.
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Escape") {
            event.stopPropagation();
            actions.cancelEdit();
          } else if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            save();
          } else {
            applyMarkdownKeys(event.nativeEvent, event.currentTarget);
          }
        }}
      />
      <div className={styles.footer}>
        <span className={styles.hint}>{t("message.editHint")}</span>
        <Button
          kind="quiet"
          onClick={() => {
            actions.cancelEdit();
          }}
        >
          {t("common.cancel")}
        </Button>
        <Button kind="primary" type="submit">
          {t("message.saveEdit")}
        </Button>
      </div>
    </form>
  );
}
