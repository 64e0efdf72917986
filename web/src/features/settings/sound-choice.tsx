import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { isSoundOn, playSound, setSoundOn } from "../../ui/sound";
import styles from "./settings.module.css";

/** A sound for new messages: only for who asks for one. */
export function SoundChoice() {
  const { t } = useTranslation();
  const [on, setOn] = useState(isSoundOn);
  return (
    <label className={styles.tick}>
      <input
        type="checkbox"
        checked={on}
        onChange={(event) => {
          setOn(event.target.checked);
          setSoundOn(event.target.checked);
          if (event.target.checked) playSound();
        }}
      />
      {t("settings.soundOn")}
    </label>
  );
}
