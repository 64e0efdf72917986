import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { IconButton } from "../icon-button";
import type { ColouredLine } from "./highlighter";
import styles from "./markdown.module.css";

/** Longer code stays plain: colours are not worth a pause. */
const highlightedCharsMax = 8000;

const copiedShownMs = 1500;

/** A block of code. It is readable at once; colours come when the highlighter, loaded on first need, has them. */
export function CodeBlock({ code, language }: { code: string; language: string }) {
  const { t } = useTranslation();
  const [coloured, setColoured] = useState<{ code: string; lines: readonly ColouredLine[] }>();
  const [copied, setCopied] = useState(false);

  useEffect(() => {
    if (language === "" || code.length > highlightedCharsMax) return;
    let wanted = true;
    import("./highlighter")
      .then(({ highlight }) => highlight(code, language))
      .then(
        (lines) => {
          if (wanted && lines) setColoured({ code, lines });
        },
        () => undefined,
      );
    return () => {
      wanted = false;
    };
  }, [code, language]);

  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => {
      setCopied(false);
    }, copiedShownMs);
    return () => {
      clearTimeout(timer);
    };
  }, [copied]);

  const lines = coloured?.code === code ? coloured.lines : null;
  return (
    <div className={styles.codeBlock}>
      <pre tabIndex={0}>
        <code translate="no">
          {lines
            ? lines.map((line, index) => (
                <span key={index}>
                  {line.map((piece, column) => (
                    <span key={column} style={piece.colour ? { color: piece.colour } : undefined}>
                      {piece.text}
                    </span>
                  ))}
                  {index < lines.length - 1 && "\n"}
                </span>
              ))
            : code}
        </code>
      </pre>
      <IconButton
        className={styles.codeCopy}
        size="small"
        label={copied ? t("common.copied") : t("message.codeCopy")}
        icon={copied ? <Check /> : <Copy />}
        onClick={() => {
          void navigator.clipboard.writeText(code).then(() => {
            setCopied(true);
          });
        }}
      />
    </div>
  );
}
