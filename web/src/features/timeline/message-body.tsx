import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { classNames } from "../../ui/class-names";
import { Markdown } from "../../ui/markdown/markdown";
import styles from "./message-row.module.css";

const linesShownMax = 40;
const charsShownMax = 3000;

/** The beginning of a very long body, up to the end of a line or of a word; null where it is shown whole. */
function beginningOf(body: string): string | null {
  let end = -1;
  for (let lines = 0; lines < linesShownMax; lines++) {
    end = body.indexOf("\n", end + 1);
    if (end < 0) break;
  }
  if (end < 0 && body.length <= charsShownMax) return null;
  if (end >= 0 && end <= charsShownMax) return body.slice(0, end);
  const words = body.slice(0, charsShownMax);
  return words.slice(0, Math.max(words.lastIndexOf("\n"), words.lastIndexOf(" "), charsShownMax - 100));
}

/** The words of a message; a very long one is cut and can be opened. */
export function MessageBody({ id, body, named }: { id: string; body: string; named: boolean }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  // What is not shown is not even parsed.
  const beginning = beginningOf(body);
  if (beginning === null) return <Markdown id={id} body={body} named={named} />;
  return (
    <>
      <div className={classNames(!open && styles.cut)}>
        <Markdown id={id} body={open ? body : beginning} named={named} />
      </div>
      <button
        type="button"
        className={styles.linkButton}
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
        }}
      >
        {open ? t("message.showLess") : t("message.showAll")}
      </button>
    </>
  );
}
