import { createContext, use, type ReactNode } from "react";

/** How names and addresses inside messages are drawn; the app knows people and rooms, this folder does not. */
export interface MessageLinks {
  /** What stands for `@username`, or null where nobody is meant. */
  mention(username: string): ReactNode;
  /** What stands for `#name`, or null where there is no such room. */
  room(name: string): ReactNode;
  /** What stands for an address of this app itself, or null for any other. */
  internal(href: string, children: ReactNode): ReactNode;
}

const nothing: MessageLinks = { mention: () => null, room: () => null, internal: () => null };

const MessageLinksContext = createContext<MessageLinks>(nothing);

/** Tells the messages below how to draw names and addresses. */
export function MessageLinksProvider({ links, children }: { links: MessageLinks; children: ReactNode }) {
  return <MessageLinksContext value={links}>{children}</MessageLinksContext>;
}

/** Somebody's name after @. */
export function MentionTag({ username }: { username: string }) {
  return use(MessageLinksContext).mention(username) ?? `@${username}`;
}

/** A room's name after #. */
export function RoomTag({ name }: { name: string }) {
  return use(MessageLinksContext).room(name) ?? `#${name}`;
}

/** A link that a message holds: it may lead out of the app, and then says nothing about where it came from. */
export function MessageLink({ href, children }: { href: string; children: ReactNode }) {
  const internal = use(MessageLinksContext).internal(href, children);
  return (
    internal ?? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    )
  );
}
