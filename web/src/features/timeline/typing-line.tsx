import type { RoomId } from "../../protocol/ids";
import { useTyping } from "../../sync/hooks";
import { TypingWords } from "./line-rows";
import styles from "./typing-line.module.css";

/** Who is writing in the room now. Its height is always kept, so that nothing jumps when somebody begins. */
export function TypingLine({ roomId }: { roomId: RoomId }) {
  const typing = useTyping(roomId);
  return (
    <div className={styles.typing} aria-live="off">
      <TypingWords names={typing.map((user) => user.display_name)} />
    </div>
  );
}
