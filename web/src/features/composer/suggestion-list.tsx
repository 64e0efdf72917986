import { AtSign, Hash, Lock } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { Avatar } from "../../ui/avatar";
import type { Suggestion } from "./completion";
import styles from "./suggestion-list.module.css";

/** The id of a suggestion's element, for `aria-activedescendant`. */
export function suggestionId(listId: string, index: number): string {
  return `${listId}-${index}`;
}

/** Suggestions above the field. The field keeps the focus; the chosen one is marked. */
export function SuggestionList({
  id,
  suggestions,
  chosen,
  onChoose,
  onPick,
}: {
  id: string;
  suggestions: readonly Suggestion[];
  chosen: number;
  onChoose: (index: number) => void;
  onPick: (suggestion: Suggestion) => void;
}) {
  const { t } = useTranslation();
  return (
    <ul id={id} className={styles.list} role="listbox" aria-label={t("composer.suggestions")}>
      {suggestions.map((suggestion, index) => (
        <li
          key={suggestion.key}
          id={suggestionId(id, index)}
          role="option"
          aria-selected={index === chosen}
          className={styles.option}
          onPointerMove={() => {
            if (index !== chosen) onChoose(index);
          }}
          // Before the field loses its focus.
          onPointerDown={(event) => {
            event.preventDefault();
          }}
          onClick={() => {
            onPick(suggestion);
          }}
        >
          <SuggestionWords suggestion={suggestion} />
        </li>
      ))}
    </ul>
  );
}

function SuggestionWords({ suggestion }: { suggestion: Suggestion }) {
  const { t } = useTranslation();
  switch (suggestion.kind) {
    case "person": {
      const { user } = suggestion;
      return (
        <>
          <Avatar id={user.id} name={user.display_name} picture={user.avatar_url} size={20} />
          <bdi className={styles.name}>{user.display_name}</bdi>
          <span className={styles.detail}>@{user.username}</span>
        </>
      );
    }
    case "all":
      return (
        <>
          <AtSign aria-hidden="true" />
          <span className={styles.name}>@all</span>
          <span className={styles.detail}>{t("composer.mentionAll")}</span>
        </>
      );
    case "room":
      return (
        <>
          {suggestion.room.visibility === "private" ? (
            <Lock aria-hidden="true" />
          ) : (
            <Hash aria-hidden="true" />
          )}
          <bdi className={styles.name}>{suggestion.room.name}</bdi>
          <span className={styles.detail}>{suggestion.room.topic}</span>
        </>
      );
    case "emoji":
      return (
        <>
          <span className={styles.emoji}>{suggestion.unicode}</span>
          <span className={styles.name}>:{suggestion.shortcode}:</span>
        </>
      );
  }
}
