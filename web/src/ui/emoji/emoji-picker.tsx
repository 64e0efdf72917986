import { Search } from "lucide-react";
import { useDeferredValue, useEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { currentLanguage } from "../../i18n/i18n";
import { emojiGroups, loadEmoji, searchEmoji, type Emoji } from "./emoji-data";
import { recentEmoji, rememberEmoji } from "./recent-emoji";
import styles from "./emoji-picker.module.css";

const columns = 8;
const foundMax = 120;

interface Section {
  key: string;
  title: string;
  emoji: readonly { unicode: string; label: string }[];
}

/**
 * All emoji by group, found by words. The field keeps the focus: arrows move the chosen one, Enter takes it, so that
 * a person types and picks without leaving the keys.
 */
export function EmojiPicker({ onPick }: { onPick: (emoji: string) => void }) {
  const { t } = useTranslation();
  const [all, setAll] = useState<readonly Emoji[]>([]);
  const [query, setQuery] = useState("");
  const [active, setActive] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const wanted = useDeferredValue(query);

  useEffect(() => {
    let current = true;
    loadEmoji(currentLanguage()).then(
      (emoji) => {
        if (current) setAll(emoji);
      },
      // Offline before its first use: the recent ones still work.
      () => undefined,
    );
    return () => {
      current = false;
    };
  }, []);

  const sections = useMemo((): Section[] => {
    if (wanted.trim() !== "") {
      return [{ key: "found", title: t("emoji.search"), emoji: searchEmoji(all, wanted, foundMax) }];
    }
    const labels = new Map(all.map((emoji) => [emoji.unicode, emoji.label]));
    const recent = recentEmoji().map((unicode) => ({ unicode, label: labels.get(unicode) ?? unicode }));
    return [
      { key: "recent", title: t("emoji.recent"), emoji: recent },
      ...emojiGroups.map((group) => ({
        key: group,
        title: t(`emoji.${group}`),
        emoji: all.filter((emoji) => emoji.group === group),
      })),
    ].filter((section) => section.emoji.length > 0);
  }, [all, wanted, t]);

  const flat = useMemo(() => sections.flatMap((section) => section.emoji), [sections]);
  const chosen = Math.min(active, flat.length - 1);

  function pick(emoji: string) {
    rememberEmoji(emoji);
    onPick(emoji);
  }

  function move(event: KeyboardEvent) {
    const steps: Record<string, number> = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -columns,
      ArrowDown: columns,
    };
    const step = steps[event.key];
    if (event.key === "Enter" && !event.nativeEvent.isComposing) {
      event.preventDefault();
      const emoji = flat[chosen];
      if (emoji) pick(emoji.unicode);
    } else if (step !== undefined) {
      event.preventDefault();
      const next = Math.max(0, Math.min(flat.length - 1, chosen + step));
      setActive(next);
      list.current?.querySelector(`[data-index="${next}"]`)?.scrollIntoView({ block: "nearest" });
    }
  }

  const starts = sections.map((_, index) =>
    sections.slice(0, index).reduce((sum, section) => sum + section.emoji.length, 0),
  );
  return (
    <div className={styles.picker}>
      <div className={styles.search}>
        <Search aria-hidden="true" />
        <input
          autoFocus
          className={styles.input}
          role="combobox"
          aria-expanded="true"
          aria-controls="emoji-list"
          aria-activedescendant={flat[chosen] ? `emoji-${chosen}` : undefined}
          aria-label={t("emoji.search")}
          placeholder={t("emoji.search")}
          value={query}
          onChange={(event) => {
            setQuery(event.target.value);
            setActive(0);
          }}
          onKeyDown={move}
        />
      </div>
      <div ref={list} id="emoji-list" className={styles.list} role="listbox" aria-label={t("emoji.picker")}>
        {sections.map((section, sectionIndex) => (
          <div key={section.key} className={styles.section} role="group" aria-label={section.title}>
            <div className={styles.title} aria-hidden="true">
              {section.title}
            </div>
            <div className={styles.grid} role="presentation">
              {section.emoji.map((emoji, index) => {
                const place = starts[sectionIndex]! + index;
                return (
                  <button
                    key={emoji.unicode}
                    type="button"
                    role="option"
                    id={`emoji-${place}`}
                    data-index={place}
                    tabIndex={-1}
                    className={styles.emoji}
                    aria-selected={place === chosen}
                    aria-label={emoji.label}
                    title={emoji.label}
                    onClick={() => {
                      pick(emoji.unicode);
                    }}
                  >
                    {emoji.unicode}
                  </button>
                );
              })}
            </div>
          </div>
        ))}
      </div>
      {all.length > 0 && flat.length === 0 && (
        <p className={styles.none}>{t("emoji.none", { query: wanted })}</p>
      )}
    </div>
  );
}
