import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { classNames } from "../../ui/class-names";
import { Markdown } from "../../ui/markdown/markdown";
import styles from "./message-row.module.css";

const linesShownMax = 40;
const charsShownMax = 6000;

function isLong(body: string): boolean {
  if (body.length > charsShownMax) return true;
  let lines = 1;
  for (let at = body.indexOf("\n"); at >= 0; at = body.indexOf("\n", at + 1)) lines++;
  return lines > linesShownMax;
}

/** The words of a message; a very long one is cut and can be opened. */
export function MessageBody({
  id,
  changedSeq,
  body,
  named,
}: {
  id: string;
  changedSeq: number;
  body: string;
  named: boolean;
}) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  if (!isLong(body)) return <Markdown id={id} changedSeq={changedSeq} body={body} named={named} />;
  return (
    <>
      <div className={classNames(!open && styles.cut)}>
        <Markdown id={id} changedSeq={changedSeq} body={body} named={named} />
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
