import { useTranslation } from "../../i18n/use-translation";
import type { Sentiment } from "../../protocol/model";
import { MoodIcon } from "../../ui/mood-icon";
import styles from "./message-row.module.css";

/**
 * How a message sounds. It comes a moment after the message and takes no width of its own: the space behind the words is
 * kept free where a room has moods, so nothing moves.
 */
export function MoodMark({ mood }: { mood: Sentiment["label"] }) {
  const { t } = useTranslation();
  const words = t(`mood.sounds.${mood}`);
  return (
    <span className={styles.mood} data-mood={mood}>
      <span className={styles.moodFace} role="img" aria-label={words} title={words}>
        <MoodIcon mood={mood} />
      </span>
    </span>
  );
}
