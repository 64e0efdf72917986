import { act, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import type { RoomId } from "../protocol/ids";
import type { FakePage } from "../testing/fake-browser";
import { settle } from "../testing/fake-clock";
import { scene } from "../testing/scene";
import { SyncProvider, useConnection, useRooms, useSend, useTimeline } from "./hooks";

let renders = 0;

function Timeline({ roomId }: { roomId: RoomId }) {
  const { items } = useTimeline(roomId);
  renders++;
  return (
    <ol>
      {items.slice(0, items.length).map((item) => (
        <li key={item.key}>
          {item.kind === "message" ? item.message.body : item.kind === "pending" ? "…" : item.kind}
        </li>
      ))}
    </ol>
  );
}

function Composer({ roomId }: { roomId: RoomId }) {
  const send = useSend(roomId);
  return <button onClick={() => send({ body: "hello" })}>Send</button>;
}

function Status() {
  const rooms = useRooms();
  const connection = useConnection();
  return <p>{`${rooms.rooms.length} rooms, ${connection.status}`}</p>;
}

async function show(page: FakePage, roomId: RoomId) {
  render(
    <SyncProvider sync={page.sync}>
      <Status />
      <Timeline roomId={roomId} />
      <Composer roomId={roomId} />
    </SyncProvider>,
  );
  await act(settle);
}

test("a screen follows the engine, and renders only when what it shows has changed", async () => {
  const { server, browser, jun, room, clock } = scene({ messages: 2 });
  const page = await browser.openPage();
  await show(page, room.id);
  expect(screen.getByText("1 rooms, ok")).toBeInTheDocument();
  expect(screen.getByText("old 2")).toBeInTheDocument();

  const row = screen.getByText("old 1");
  await act(async () => {
    server.say(room, jun, "live");
    await clock.advance(20);
  });
  expect(screen.getByText("live")).toBeInTheDocument();
  expect(screen.getByText("old 1")).toBe(row);

  const before = renders;
  await act(async () => {
    page.sync.messages.setDraft(room.id, { text: "typing", replyTo: null });
    server.tell(jun.id, { type: "presence", user_id: jun.id, online: true });
    await settle();
  });
  expect(renders).toBe(before);
});

test("a message is in the list in the same frame, and keeps its row when it gets its number", async () => {
  const { browser, room, clock } = scene();
  const page = await browser.openPage();
  await show(page, room.id);
  act(() => screen.getByRole("button", { name: "Send" }).click());
  const row = screen.getByText("…");
  await act(() => clock.advance(20));
  expect(screen.getByText("hello")).toBe(row);
});
