import { Frown, Meh, Smile } from "lucide-react";
import { classNames } from "./class-names";
import styles from "./mood-icon.module.css";

/** How a message can sound, the brightest first. */
export const moodLabels = ["positive", "neutral", "negative"] as const;

/** One of {@link moodLabels}. */
export type MoodLabel = (typeof moodLabels)[number];

const faces = { positive: Smile, neutral: Meh, negative: Frown };

/** The face of a mood: what it looks like says the same as its colour. It stands beside words that name it. */
export function MoodIcon({ mood }: { mood: MoodLabel }) {
  const Face = faces[mood];
  return <Face aria-hidden="true" className={classNames(styles.face, styles[mood])} />;
}
