declare const brand: unique symbol;
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name };

/** Names a room for ever: a UUIDv7 made by the server. */
export type RoomId = Branded<string, "RoomId">;

/** Names a person for ever. Names and pictures may change; this does not. */
export type UserId = Branded<string, "UserId">;

/** Names a message before it has a number: a UUIDv7 that its sender's client makes, so that a resend is the same message. */
export type MessageId = Branded<string, "MessageId">;

/**
 * The number of an event in its room: 1, 2, 3, … with no repeat, the same for every client. Zero is "nothing seen".
 * Order in a room is the order of these numbers. Compare only within one room.
 */
export type Seq = Branded<number, "Seq">;

/** Before the first event of any room. */
export const noSeq = 0 as Seq;

/** The number `by` steps after `seq`. */
export function after(seq: Seq, by = 1): Seq {
  return (seq + by) as Seq;
}

/**
 * Makes the id of a message about to be sent: a UUIDv7 (RFC 9562), so that ids made later sort later.
 * Clock and randomness are handed in, because the same input must give the same id in tests.
 */
export function newMessageId(nowMs: number, random: (bytes: Uint8Array) => Uint8Array): MessageId {
  const bytes = random(new Uint8Array(16));
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(nowMs / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  ) as MessageId;
}
