import { useState, type CSSProperties } from "react";
import { avatarColorOf, initialsOf } from "./avatar-color";
import styles from "./avatar.module.css";

/** A person's cell: their picture, or initials on their colour. Decorative: the name is always written beside it. */
export function Avatar({
  id,
  name,
  picture = null,
  size = 36,
  online = false,
}: {
  id: string;
  name: string;
  picture?: string | null;
  size?: 20 | 24 | 32 | 36 | 64;
  online?: boolean;
}) {
  const [brokenPicture, setBrokenPicture] = useState<string | null>(null);
  const shown = picture !== null && picture !== brokenPicture ? picture : null;
  return (
    <span
      className={styles.avatar}
      style={{ "--avatar-size": `${size}px` } as CSSProperties}
      aria-hidden="true"
    >
      <span className={styles.cell} style={{ background: `var(--avatar-${avatarColorOf(id)})` }}>
        {shown === null ? (
          initialsOf(name)
        ) : (
          <img
            className={styles.picture}
            src={shown}
            alt=""
            width={size}
            height={size}
            loading="lazy"
            onError={() => {
              setBrokenPicture(shown);
            }}
          />
        )}
      </span>
      {online && <span className={styles.presence} />}
    </span>
  );
}
