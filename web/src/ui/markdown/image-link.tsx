import { Image } from "lucide-react";
import { useTranslation } from "../../i18n/use-translation";
import { MessageLink } from "./links";
import styles from "./markdown.module.css";

/** A picture that lies elsewhere, as a link. */
export function ImageLink({ href, text }: { href: string; text: string }) {
  const { t } = useTranslation();
  return (
    <MessageLink href={href}>
      <span className={styles.imageLink}>
        <Image aria-hidden="true" />
        {t("message.imageLink", { text: text || new URL(href).hostname })}
      </span>
    </MessageLink>
  );
}
