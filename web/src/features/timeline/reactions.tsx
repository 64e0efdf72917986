import { SmilePlus } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { formatNumber } from "../../i18n/format";
import type { Message } from "../../protocol/model";
import { EmojiPopover } from "../../ui/emoji/emoji-popover";
import { useTimelineActions } from "./timeline-actions";
import styles from "./reactions.module.css";

/** The reactions under a message: each can be joined or left; the last button adds another. */
export function Reactions({ message, canReact }: { message: Message; canReact: boolean }) {
  const { t } = useTranslation();
  const { toggleReaction } = useTimelineActions();
  if (message.reactions.length === 0) return null;
  return (
    <ul className={styles.reactions} aria-label={t("message.reactions")}>
      {message.reactions.map((reaction) => {
        const count = t("message.reactionToggle", { count: reaction.count, emoji: reaction.emoji });
        return (
          <li key={reaction.emoji}>
            <button
              type="button"
              className={styles.reaction}
              aria-pressed={reaction.me === true}
              aria-label={reaction.me ? `${count}, ${t("message.reactionMine")}` : count}
              disabled={!canReact}
              onClick={() => {
                toggleReaction(message, reaction.emoji);
              }}
            >
              <span className={styles.emoji}>{reaction.emoji}</span>
              <span className="tabular">{formatNumber(reaction.count)}</span>
            </button>
          </li>
        );
      })}
      {canReact && (
        <li>
          <EmojiPopover
            align="start"
            trigger={(props) => (
              <button {...props} type="button" className={styles.add} aria-label={t("message.reactionAdd")}>
                <SmilePlus aria-hidden="true" />
              </button>
            )}
            onPick={(emoji) => {
              toggleReaction(message, emoji);
            }}
          />
        </li>
      )}
    </ul>
  );
}
