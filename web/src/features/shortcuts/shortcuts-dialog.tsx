import { useTranslation } from "../../i18n/use-translation";
import { useMoodOffered } from "../../sync/hooks";
import { Dialog } from "../../ui/dialog";
import { Kbd } from "../../ui/kbd";
import { moodLines, shortcutGroups } from "./shortcuts";
import styles from "./shortcuts.module.css";

/** All that keys can do. */
export default function ShortcutsDialog({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation();
  const moods = useMoodOffered();
  return (
    <Dialog
      open
      size="large"
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
      title={t("shortcuts.title")}
    >
      <div className={styles.groups} tabIndex={0}>
        {shortcutGroups.map((group) => (
          <section key={group.title}>
            <h3 className={styles.title}>{t(`shortcuts.${group.title}`)}</h3>
            <dl className={styles.lines}>
              {group.lines
                .filter(({ name }) => moods || !moodLines.has(name))
                .map((line) => (
                  <div key={line.name} className={styles.line}>
                    <dt>{t(`shortcuts.${line.name}`)}</dt>
                    <dd>
                      <Kbd keys={line.keys} />
                    </dd>
                  </div>
                ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
