import { Api } from "./api.mjs";

const people = {
  mina: "Mina Park",
  jun: "Jun Seo",
  hana: "Hana Kim",
  leo: "Leo Braun",
  sofia: "Sofia Rossi",
};

const design = [
  [
    "hana",
    "Morning! The new icons are in the shared folder. I went with the hexagon after all, it reads well even at 16 px.",
  ],
  ["mina", "Oh these are lovely. The tail on the speech bubble is a nice touch"],
  [
    "mina",
    "Two questions before I build it in:\n- is the amber final?\n- do we keep the outline in dark mode?",
  ],
  [
    "hana",
    "Amber is final, `#d98a00` on light and `#f5b740` on dark. And no outline, it only made them look heavy.",
  ],
  ["jun", "I measured both against our backgrounds, contrast is fine everywhere 🎉"],
  [
    "jun",
    "For the record, this is how the tokens look now:\n\n```css\n:root {\n  --accent: #d98a00;\n  --on-accent: #1f1400;\n  --radius: 8px;\n}\n```",
  ],
  ["leo", "@mina could you also update the favicon? The old one still shows when there are unread messages."],
  ["mina", "Will do, should be quick"],
  ["sofia", "> no outline, it only made them look heavy\n\nAgreed. Less is **so much** more here."],
];

const others = {
  general: {
    topic: "Everything that concerns all of us",
    lines: [
      ["sofia", "The demo for the library people is on Thursday at 10"],
      ["leo", "I can bring the projector"],
      ["hana", "Cake is on me 🍰"],
    ],
  },
  kitchen: {
    topic: "Who cooks, who washes up",
    lines: [
      ["leo", "Soup is ready, come while it is hot"],
      ["sofia", "On my way!"],
    ],
  },
  releases: {
    topic: "What goes out, and when",
    lines: [["jun", "1.4 is out. Thank you all, that was a smooth one"]],
  },
};

/** A small team at work: people, rooms and what was said, seen from Mina's place. */
export async function makeHive(origin) {
  const api = {};
  for (const [username, name] of Object.entries(people))
    api[username] = await Api.signUp(origin, username, name);
  const all = Object.keys(people);
  const rooms = {};

  const make = async (
    name,
    { owner = "hana", members = all, topic = "", lines = [], visibility = "public" },
  ) => {
    const room = await api[owner].makeRoom(name, { topic, visibility });
    rooms[name] = room;
    const { code } = await api[owner].invite(room.id);
    for (const member of members) {
      if (member !== owner) await api[member].call("POST", `/invites/${code}/accept`);
    }
    const sent = [];
    for (const [who, body] of lines) sent.push(await api[who].send(room.id, body));
    return sent;
  };

  for (const [name, { topic, lines }] of Object.entries(others)) await make(name, { topic, lines });
  await make("founders", {
    owner: "mina",
    members: ["mina", "sofia"],
    topic: "Just the two of us",
    visibility: "private",
    lines: [["sofia", "Shall we talk about the name on Friday?"]],
  });
  const said = await make("design", { topic: "Shapes, colours and words", lines: design, owner: "mina" });
  await make("book club", {
    members: ["hana", "jun"],
    topic: "One book a month, no spoilers before the 20th",
  });
  await make("한국어", { members: ["hana", "jun"], topic: "한국어로 이야기해요" });

  const [icons, lovely, , , contrast] = said;
  for (const who of ["mina", "jun", "leo"]) await api[who].react(rooms.design.id, icons.id, "🐝");
  await api.sofia.react(rooms.design.id, icons.id, "👏");
  await api.hana.react(rooms.design.id, lovely.id, "🧡");
  await api.mina.react(rooms.design.id, contrast.id, "🎉");
  await api.hana.send(rooms.design.id, "Perfect, then it goes out with 1.5 on Wednesday", {
    reply_to: contrast.id,
  });

  // Mina has read most of it.
  for (const name of ["releases", "founders", "design"]) {
    await api.mina.call("PUT", `/rooms/${rooms[name].id}/read`, { seq: Number.MAX_SAFE_INTEGER });
  }
  await api.hana.call("PATCH", "/me", { status: "Drawing hexagons" });
  await api.mina.call("PATCH", "/me", { status: "Building it in" });
  return { api, rooms };
}
