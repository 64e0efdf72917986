import type { ChangePage, MessagePage, MoodBucket, MoodStep } from "../protocol/http";
import { noSeq, type MessageId, type RoomId, type Seq, type UserId } from "../protocol/ids";
import type {
  Event,
  Member,
  MemberRoom,
  MembershipChange,
  Message,
  MessageEvent,
  Room,
  RoomInfo,
  Timestamp,
  User,
} from "../protocol/model";

/** A moment `ms` after the fake world began. */
export function timestamp(ms: number): Timestamp {
  return new Date(Date.UTC(2026, 10, 23, 9) + ms).toISOString();
}

const noMoods = { positive: 0, neutral: 0, negative: 0, mean: 0 };

/** When the hour, day or week of a moment began here; weeks begin on Monday. */
function beginningOf(time: Timestamp, step: MoodStep): Timestamp {
  const date = new Date(time);
  if (step === "hour") date.setMinutes(0, 0, 0);
  else date.setHours(0, 0, 0, 0);
  if (step === "week") date.setDate(date.getDate() - ((date.getDay() + 6) % 7));
  return date.toISOString();
}

interface ReadMark {
  read_seq: Seq;
  unread_from: Seq | null;
}

/**
 * The truth about one room: its numbered log, and every state that each message was ever in, so that a read can answer
 * as of any head. It knows nothing of connections; {@link FakeServer} and the reducer's tests share it.
 */
export class FakeRoom {
  readonly events: Event[] = [];
  readonly members = new Map<UserId, Member>();
  readonly marks = new Map<UserId, ReadMark>();
  readonly notify = new Map<UserId, MemberRoom["notify"]>();
  private readonly states = new Map<Seq, Message[]>();
  private readonly seqOfId = new Map<MessageId, Seq>();
  private lastSeq = 0;

  constructor(
    public info: RoomInfo,
    private readonly now: () => Timestamp,
  ) {}

  get id(): RoomId {
    return this.info.id;
  }

  get head(): Seq {
    return this.lastSeq as Seq;
  }

  /** Takes the next number and never uses it, as a cluster does for a message that turns out to be a repeat. */
  voidNumber(): void {
    this.lastSeq++;
  }

  created(by: User): Event {
    return this.append(by, { kind: "room", change: "created", room: this.info });
  }

  changed(by: User, change: Partial<RoomInfo>): Event {
    this.info = { ...this.info, ...change };
    const { mood_enabled, ...others } = change;
    const name = Object.keys(others).length > 0 ? "changed" : mood_enabled ? "mood_on" : "mood_off";
    return this.append(by, { kind: "room", change: name, room: this.info });
  }

  member(actor: User, user: User, change: MembershipChange, fields: Partial<Member> = {}): Event {
    const held = this.members.get(user.id) ?? {
      user,
      role: "member" as const,
      joined_at: this.now(),
      muted_until: null,
    };
    const member = { ...held, ...fields };
    if (change === "left" || change === "removed" || change === "banned") this.members.delete(user.id);
    else this.members.set(user.id, member);
    this.info = { ...this.info, members: this.members.size };
    if (change === "joined") this.marks.set(user.id, { read_seq: this.head, unread_from: null });
    return this.append(actor, { kind: "member", member: { ...member, change } });
  }

  message(sender: User, id: MessageId, fields: Partial<Message> = {}): MessageEvent {
    const seq = (this.lastSeq + 1) as Seq;
    const message: Message = {
      id,
      room_id: this.id,
      seq,
      changed_seq: seq,
      sender,
      body: `message ${seq}`,
      reply_to: null,
      created_at: this.now(),
      edited_at: null,
      deleted_at: null,
      reactions: [],
      attachments: [],
      sentiment: null,
      mentions: [],
      mentions_all: false,
      ...fields,
    };
    this.seqOfId.set(id, seq);
    this.states.set(seq, [message]);
    return this.append(sender, { kind: "message", message }) as MessageEvent;
  }

  edit(actor: User, seq: Seq, body: string): MessageEvent {
    return this.change("edit", actor, seq, { body, edited_at: this.now(), sentiment: null });
  }

  remove(actor: User, seq: Seq): MessageEvent {
    const deleted_at = this.now();
    return this.change("delete", actor, seq, {
      deleted_at,
      body: "",
      reactions: [],
      attachments: [],
      sentiment: null,
    });
  }

  react(actor: User, seq: Seq, emoji: string, added: boolean): MessageEvent {
    const held = this.latest(seq)!.reactions;
    const users = (held.find((reaction) => reaction.emoji === emoji)?.user_ids ?? []).filter(
      (id) => id !== actor.id,
    );
    const user_ids = added ? [...users, actor.id] : users;
    const others = held.filter((reaction) => reaction.emoji !== emoji);
    const reactions = user_ids.length > 0 ? [...others, { emoji, count: user_ids.length, user_ids }] : others;
    return this.change("reaction", actor, seq, { reactions }, { emoji, added });
  }

  mood(seq: Seq, score: number): MessageEvent {
    const label = score > 0 ? "positive" : score < 0 ? "negative" : "neutral";
    return this.change("mood", null, seq, { sentiment: { label, score } });
  }

  /** The newest state of a message. */
  latest(seq: Seq): Message | undefined {
    return this.states.get(seq)?.at(-1);
  }

  messageOfId(id: MessageId): Message | undefined {
    const seq = this.seqOfId.get(id);
    return seq === undefined ? undefined : this.latest(seq);
  }

  /** The state of a message when the room's head was `head`. */
  messageAsOf(seq: Seq, head: Seq): Message | undefined {
    return this.states.get(seq)?.findLast((state) => state.changed_seq <= head);
  }

  /** All messages as of a head, ascending. */
  messagesAsOf(head: Seq): Message[] {
    return [...this.states.keys()].flatMap((seq) => this.messageAsOf(seq, head) ?? []);
  }

  /** PROTOCOL §2, `GET …/messages`, answered as of `head`. */
  messagePage(
    query: { before?: Seq; after?: Seq; around?: Seq; limit: number },
    head: Seq = this.head,
  ): MessagePage {
    const all = this.messagesAsOf(head);
    const { before, after, around, limit } = query;
    if (after !== undefined) {
      return { messages: all.filter((message) => message.seq > after).slice(0, limit), head };
    }
    if (around !== undefined) {
      const at = all.findIndex((message) => message.seq >= around);
      const start = Math.max(0, (at === -1 ? all.length : at) - Math.floor(limit / 2));
      return { messages: all.slice(start, start + limit), head };
    }
    const older = before === undefined ? all : all.filter((message) => message.seq < before);
    return { messages: older.slice(-limit), head };
  }

  /** PROTOCOL §2, `GET …/mood`, in the time zone of this machine. */
  moodTimeline(from: number, to: number, step: MoodStep): MoodBucket[] {
    const buckets = new Map<string, MoodBucket>();
    for (const { seq, created_at, sentiment } of this.messagesAsOf(this.head)) {
      const atMs = Date.parse(created_at);
      if (sentiment === null || atMs < from || atMs >= to) continue;
      const at = beginningOf(created_at, step);
      const held = buckets.get(at) ?? { at, ...noMoods, first_seq: seq, last_seq: seq };
      const count = held.positive + held.neutral + held.negative;
      buckets.set(at, {
        ...held,
        [sentiment.label]: held[sentiment.label] + 1,
        mean: (held.mean * count + sentiment.score) / (count + 1),
        last_seq: seq,
      });
    }
    return [...buckets.values()];
  }

  /** PROTOCOL §2, `GET …/changes`, answered as of `head`: messages are in their newest state. */
  changePage(afterSeq: Seq, limit: number, head: Seq = this.head): ChangePage {
    const missing = this.events.filter((event) => event.seq > afterSeq && event.seq <= head);
    const events = missing
      .slice(0, limit)
      .map((event): Event =>
        "message" in event
          ? { ...event, message: this.messageAsOf(event.message.seq, head) ?? event.message }
          : event,
      );
    return { events, head, more: missing.length > limit };
  }

  mark(userId: UserId): ReadMark {
    return this.marks.get(userId) ?? { read_seq: noSeq, unread_from: null };
  }

  /** What is unread for a person, counted from the whole log. */
  unread(userId: UserId): { unread: number; mentions: number } {
    const { read_seq, unread_from } = this.mark(userId);
    const counted = this.messagesAsOf(this.head).filter(
      (message) =>
        (unread_from === null ? message.seq > read_seq : message.seq >= unread_from) &&
        message.sender.id !== userId &&
        message.deleted_at === null,
    );
    const mentions = counted.filter((message) => message.mentions_all || message.mentions.includes(userId));
    return { unread: Math.min(counted.length, 100), mentions: mentions.length };
  }

  asRoom(): Room {
    return { ...this.info, head: this.head };
  }

  asMemberRoom(userId: UserId): MemberRoom {
    const member = this.members.get(userId);
    const peer = [...this.members.values()].find(({ user }) => user.id !== userId)?.user ?? null;
    return {
      ...this.asRoom(),
      role: member?.role ?? "member",
      joined_at: member?.joined_at ?? this.info.created_at,
      muted_until: member?.muted_until ?? null,
      ...this.mark(userId),
      ...this.unread(userId),
      notify: this.notify.get(userId) ?? "all",
      last_message: this.messagesAsOf(this.head).at(-1) ?? null,
      peer: this.info.visibility === "direct" ? peer : null,
    };
  }

  private change(
    kind: MessageEvent["kind"],
    actor: User | null,
    seq: Seq,
    fields: Partial<Message>,
    reaction?: MessageEvent["reaction"],
  ): MessageEvent {
    const message: Message = {
      ...this.latest(seq)!,
      ...fields,
      changed_seq: (this.lastSeq + 1) as Seq,
    };
    this.states.get(seq)!.push(message);
    return this.append(actor, { kind, message, ...(reaction ? { reaction } : {}) }) as MessageEvent;
  }

  private append(actor: User | null, body: object): Event {
    this.lastSeq++;
    const event = {
      room_id: this.id,
      seq: this.lastSeq as Seq,
      at: this.now(),
      actor,
      ...body,
    } as Event;
    this.events.push(event);
    return event;
  }
}
