import type { RoomId } from "../protocol/ids";
import type { Message } from "../protocol/model";
import { expect } from "vitest";
import type { FakePage } from "./fake-browser";
import { fakeWorld } from "./fake-browser";
import type { FakeRoom } from "./fake-room";

/** Two people in one room; Mina's browser is signed in. The scene that most tests of the engine begin with. */
export function scene(options: { locks?: boolean; messages?: number; moods?: boolean } = {}) {
  const world = fakeWorld(options);
  const { config } = world.server;
  world.server.config = { ...config, features: { ...config.features, mood: options.moods ?? false } };
  const mina = world.server.addUser("mina");
  const jun = world.server.userOf(world.server.addUser("jun").id);
  const room = world.server.addRoom("general", [mina, jun]);
  for (let i = 1; i <= (options.messages ?? 0); i++) world.server.say(room, jun, `old ${i}`);
  world.browser.signIn(mina.id);
  return { ...world, mina, jun, room };
}

/** The rows of a room as a person reads them: bodies, with a mark for what is not an ordinary message. */
export function rows(page: FakePage, roomId: RoomId): string[] {
  const { items } = page.sync.views.timeline(roomId);
  return items.slice(0, items.length).map((item) => {
    switch (item.kind) {
      case "message":
        return item.message.deleted_at === null ? item.message.body : "(deleted)";
      case "service":
        return `(${item.events.map((event) => (event.kind === "member" ? event.member.change : event.change)).join(" ")})`;
      case "hole":
        return `(hole of ${item.count})`;
      case "pending":
        return `${item.entry.body} (${item.entry.state})`;
    }
  });
}

/** The bodies of the messages that have a number. */
export function bodies(page: FakePage, roomId: RoomId): string[] {
  const { items } = page.sync.views.timeline(roomId);
  return items.slice(0, items.length).flatMap((item) => (item.kind === "message" ? [item.message.body] : []));
}

/** Every message that the page shows is exactly as the server has it, and none that it should show is missing. */
export function expectTruth(page: FakePage, room: FakeRoom): void {
  const { items } = page.sync.views.timeline(room.id);
  const shown = items
    .slice(0, items.length)
    .flatMap((item) => (item.kind === "message" ? [item.message] : []));
  const strip = ({ reactions, ...message }: Message) => ({
    ...message,
    reactions: reactions.map(({ emoji, count, user_ids }) => ({ emoji, count, user_ids })),
  });
  const first = shown[0]?.seq ?? 0;
  const holes = items.slice(0, items.length).filter((item) => item.kind === "hole");
  const truth = room
    .messagesAsOf(room.head)
    .filter(({ seq }) => seq >= first && !holes.some((hole) => seq > hole.after && seq < hole.before));
  expect(shown.map(strip)).toEqual(truth.map(strip));
}
