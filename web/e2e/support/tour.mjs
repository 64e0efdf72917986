import { actFromMenu, act, composer, message, seen, sidebar, timeline } from "./steps.mjs";

const dialog = (page, name) => seen(page.getByRole("dialog", { name }));

/**
 * Every screen and state of the app, each with the way to it. `who` is nobody, somebody with an account and nothing
 * else, or Mina in the middle of her team. Each stop begins where its `path` leads.
 */
export const stops = [
  { name: "sign-in", who: "nobody", path: "/signin", go: (page) => seen(page.getByLabel("Username")) },
  {
    name: "sign-in-wrong",
    who: "nobody",
    path: "/signin",
    expects: /status of 401/,
    go: async (page) => {
      await page.getByLabel("Username").fill("mina");
      await page.getByLabel("Password", { exact: true }).fill("not her password");
      await page.getByRole("button", { name: "Sign in", exact: true }).click();
      await seen(page.getByRole("alert"));
    },
  },
  {
    name: "sign-up",
    who: "nobody",
    path: "/signup",
    go: async (page) => {
      await page.getByLabel("Username").fill("a");
      await page.getByRole("button", { name: "Create account" }).click();
      await seen(page.getByRole("alert"));
    },
  },
  {
    name: "invite",
    who: "nobody",
    path: ({ invite }) => invite,
    go: (page) => seen(page.getByText(/invites you to join/)),
  },
  {
    name: "invite-gone",
    who: "nobody",
    path: "/invite/AAAAAAAAAAAAAAAAAAAAAAAA",
    expects: /status of 404/,
    go: (page) => seen(page.getByText("This invite no longer works")),
  },
  {
    name: "home-empty",
    who: "newcomer",
    path: "/",
    go: (page) => seen(page.getByText("Welcome to the hive").or(sidebar(page))),
  },
  {
    name: "room-not-found",
    who: "newcomer",
    path: ({ rooms }) => `/rooms/${rooms.founders.id}`,
    expects: /status of 404/,
    go: (page) => seen(page.getByText("There is no such room")),
  },
  { name: "home", who: "mina", path: "/", go: (page) => seen(sidebar(page)) },
  {
    name: "browse",
    who: "mina",
    path: "/browse",
    go: (page) => seen(page.getByRole("button", { name: "Join book club" })),
  },
  {
    name: "browse-nothing",
    who: "mina",
    path: "/browse",
    go: async (page) => {
      await page.getByRole("searchbox", { name: "Find a room" }).fill("zebra");
      await seen(page.getByText("No room matches “zebra”"));
    },
  },
  {
    name: "new-room",
    who: "mina",
    path: "/",
    go: async (page) => {
      await sidebar(page).getByRole("button", { name: "Make or find a room" }).click();
      await page.getByRole("menuitem", { name: "New room" }).click();
      await dialog(page, "New room");
    },
  },
  {
    name: "conversation",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: (page) => seen(message(page, "it goes out with 1.5")),
  },
  {
    name: "conversation-actions",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await message(page, "Will do").hover();
      await seen(message(page, "Will do").getByRole("button", { name: "Reply" }));
    },
  },
  {
    name: "message-menu",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await act(page, message(page, "Will do"), "More actions");
      await seen(page.getByRole("menu"));
    },
  },
  {
    name: "emoji-picker",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await act(page, message(page, "Will do"), "React");
      await seen(page.getByRole("option").first());
    },
  },
  {
    name: "editing",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await act(page, message(page, "Will do"), "Edit");
      await seen(page.getByRole("textbox", { name: "Edit your message" }));
    },
  },
  {
    name: "replying",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await act(page, message(page, "could you also update"), "Reply");
      await seen(page.getByText("Replying to Leo Braun"));
    },
  },
  {
    name: "completion",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await composer(page).pressSequentially("Thanks @h");
      await seen(page.getByRole("option", { name: /Hana Kim/ }));
    },
  },
  {
    name: "deleting",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await actFromMenu(page, message(page, "Will do"), /^Delete/);
      await dialog(page, "Delete this message?");
    },
  },
  {
    name: "members",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await page.getByRole("button", { name: /^\d+ members?$/ }).click();
      await seen(page.getByRole("button", { name: "What to do with Jun Seo" }));
    },
  },
  {
    name: "member-menu",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await page.getByRole("button", { name: /^\d+ members?$/ }).click();
      await page.getByRole("button", { name: "What to do with Jun Seo" }).click();
      await seen(page.getByRole("menu"));
    },
  },
  {
    name: "mood",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await page.getByRole("button", { name: "Room menu" }).click();
      await page.getByRole("menuitem", { name: "Mood", exact: true }).click();
      // By weeks, so that hardly any clock strikes between what was said and now.
      await page.getByRole("radio", { name: "Weeks" }).check();
      const now = page.getByRole("option", { disabled: false }).last();
      await now.click();
      await seen(page.getByRole("region", { name: "Mood" }).getByRole("listitem").first());
    },
  },
  {
    name: "room-settings",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await page.getByRole("button", { name: "Room menu" }).click();
      await page.getByRole("menuitem", { name: "Room settings" }).click();
      await seen(page.getByRole("button", { name: "Make a link" }));
      await seen(page.getByText("Nobody is banned."));
    },
  },
  {
    name: "switcher",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    go: async (page) => {
      await seen(message(page, "it goes out with 1.5"));
      await page.keyboard.press("Control+k");
      await dialog(page, "Jump to a room");
      await page.keyboard.type("n");
      await seen(page.getByRole("option").first());
    },
  },
  {
    name: "shortcuts",
    who: "mina",
    path: "/settings",
    go: async (page) => {
      await seen(page.getByRole("heading", { name: "Settings", level: 1 }));
      await page.keyboard.press("?");
      await dialog(page, "Keyboard shortcuts");
    },
  },
  {
    name: "settings",
    who: "mina",
    path: "/settings",
    go: async (page) => {
      await seen(page.getByRole("heading", { name: "Settings", level: 1 }));
      await seen(page.getByText("This device"));
    },
  },
  {
    name: "empty-room",
    who: "hana",
    path: ({ rooms }) => `/rooms/${rooms["book club"].id}`,
    go: (page) => seen(timeline(page).getByText("Nobody has said anything yet. You could be the first.")),
  },
  {
    name: "offline",
    who: "mina",
    path: ({ rooms }) => `/rooms/${rooms.design.id}`,
    offline: true,
    go: async (page) => {
      await seen(message(page, "it goes out with 1.5"));
      await page.context().setOffline(true);
      await composer(page).fill("Written in a tunnel");
      await composer(page).press("Enter");
      await seen(message(page, "Written in a tunnel").getByText("Waiting for the network"));
      await seen(page.getByText("Offline: 1 message waiting").first());
    },
  },
];
