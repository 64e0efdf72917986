import { useState } from "react";
import { useTranslation } from "../../i18n/use-translation";
import { describeProblem } from "../../i18n/problem";
import type { Me, Member } from "../../protocol/model";
import { useMembers, useSync } from "../../sync/hooks";
import type { RoomView } from "../../sync/views";
import { Button } from "../../ui/button";
import { Field } from "../../ui/field";
import { InlineError } from "../../ui/inline-error";
import { Panel } from "../../ui/panel";
import { SkeletonRows } from "../../ui/skeleton";
import { useRovingFocus } from "../../ui/use-roving-focus";
import { useToast } from "../../ui/toast";
import { MemberDialog, type MemberTask } from "./member-dialog";
import { MemberRow } from "./member-row";
import styles from "./members.module.css";

const searchFrom = 12;

/** Who is in the room, by role, and what one may do about it. */
export default function MembersPanel({
  room,
  me,
  onClose,
  onMention,
}: {
  room: RoomView;
  me: Me;
  onClose: () => void;
  onMention: (username: string) => void;
}) {
  const { t } = useTranslation();
  const sync = useSync();
  const toast = useToast();
  const { status, problem, members, more } = useMembers(room.id);
  const [query, setQuery] = useState("");
  const [task, setTask] = useState<MemberTask | null>(null);
  const wanted = query.trim().toLowerCase();
  const shown = members.filter(
    ({ user }) =>
      wanted === "" || user.display_name.toLowerCase().includes(wanted) || user.username.includes(wanted),
  );
  const roving = useRovingFocus(
    shown.map((member) => member.user.id),
    null,
  );

  /** Does at once what can be taken back as easily; asks about the rest. */
  async function change(member: Member, what: { role: "moderator" | "member" } | { muted_until: null }) {
    try {
      await sync.api.changeMember(room.id, member.user.id, what);
    } catch (reason) {
      toast({ message: describeProblem(reason, t) });
    }
  }

  function loadMore() {
    sync.loadMembers(room.id).catch((reason: unknown) => {
      toast({ message: describeProblem(reason, t) });
    });
  }

  const groups = (["owner", "moderator", "member"] as const)
    .map((role) => ({ role, members: shown.filter((member) => member.role === role) }))
    .filter((group) => group.members.length > 0);
  return (
    <Panel title={`${t("members.title")} · ${room.members}`} onClose={onClose}>
      <div className={styles.content}>
        {status === "loading" && <SkeletonRows count={6} label={t("common.loading")} />}
        {status === "failed" && (
          <div className={styles.failed}>
            <InlineError message={problem ? describeProblem(problem, t) : t("members.failed")} />
            <Button onClick={loadMore}>{t("common.retry")}</Button>
          </div>
        )}
        {members.length >= searchFrom && (
          <div className={styles.search}>
            <Field
              label={t("members.search")}
              type="search"
              value={query}
              onChange={(event) => {
                setQuery(event.target.value);
              }}
            />
          </div>
        )}
        {wanted !== "" && shown.length === 0 && <p className={styles.none}>{t("members.none", { query })}</p>}
        <div {...roving.handlers}>
          {groups.map((group) => (
            <section key={group.role} aria-label={t(`members.${group.role}`)}>
              <h3 className={styles.heading}>{t(`members.${group.role}`)}</h3>
              <ul>
                {group.members.map((member) => (
                  <MemberRow
                    key={member.user.id}
                    member={member}
                    me={me}
                    myRole={room.role}
                    tabIndex={roving.tabIndexOf(member.user.id)}
                    onMention={onMention}
                    onTask={setTask}
                    onChange={(what) => void change(member, what)}
                  />
                ))}
              </ul>
            </section>
          ))}
        </div>
        {more && (
          <div className={styles.more}>
            <Button onClick={loadMore}>{t("common.loadMore")}</Button>
          </div>
        )}
      </div>
      <MemberDialog
        task={task}
        room={room}
        onClose={() => {
          setTask(null);
        }}
      />
    </Panel>
  );
}
