-- The whole store of one instance. Times are whole milliseconds; numbers called seq are places in one room's log. Texts
-- are compared and ordered byte by byte (collation "C"), whatever the database was created with: folding is the product's.
-- Each migration must leave the version before it working, and is never changed once released.

-- +goose Up

create table users (
    id             uuid        not null,
    created_at     timestamptz not null,
    admin          boolean     not null,
    disabled       boolean     not null,
    username       text        collate "C" not null, -- folded, and never changed: members.username copies it
    display_name   text        collate "C" not null,
    display_folded text        collate "C" not null,
    avatar_url     text        collate "C" not null,
    status         text        collate "C" not null,
    email          text        collate "C" not null,
    password_hash  text        collate "C" not null,
    constraint users_pk primary key (id),
    constraint users_username_unique unique (username)
);

create table sessions (
    id           uuid        not null,
    user_id      uuid        not null,
    created_at   timestamptz not null,
    last_used_at timestamptz not null,
    expires_at   timestamptz not null,
    refresh_hash bytea       not null,
    user_agent   text        collate "C" not null,
    constraint sessions_pk primary key (id),
    constraint sessions_refresh_hash_unique unique (refresh_hash),
    constraint sessions_user_fk foreign key (user_id) references users (id) on delete cascade
);

create index sessions_by_user on sessions (user_id, last_used_at desc, id);

-- Refresh tokens that were replaced. A row lives until the token would have expired had it never been spent: after that
-- the token says nothing any more, so the table holds at most one token life of rotations.
create table spent_refresh (
    hash       bytea       not null,
    session_id uuid        not null,
    spent_at   timestamptz not null,
    expires_at timestamptz not null,
    constraint spent_refresh_pk primary key (hash),
    constraint spent_refresh_session_fk foreign key (session_id) references sessions (id) on delete cascade
);

create index spent_refresh_by_session on spent_refresh (session_id, expires_at);

create table keys (
    name  text  collate "C" not null,
    value bytea not null,
    constraint keys_pk primary key (name)
);

-- Rooms have a number beside the id by which everybody else knows them: it stands in every row of messages and events and
-- in their indexes, and lets a room's id be used again while the rows of a deleted one are still being removed.
create table rooms (
    room_id          bigint      generated always as identity,
    head             bigint      not null default 0,
    last_message_seq bigint      not null default 0,
    last_other_seq   bigint      not null default 0, -- newest message that is not last_sender's: spares whoever only talks to himself the count of it all
    last_activity_at timestamptz not null, -- of the newest message, or of the creation
    created_at       timestamptz not null,
    members          integer     not null default 0,
    mood_enabled     boolean     not null,
    id               uuid, -- null for a room that was deleted and whose rows are still being removed
    last_sender      uuid,
    created_by       uuid        not null,
    visibility       text        collate "C" not null,
    name             text        collate "C" not null,
    name_folded      text        collate "C" not null,
    topic            text        collate "C" not null,
    topic_folded     text        collate "C" not null,
    constraint rooms_pk primary key (room_id),
    constraint rooms_id_unique unique (id),
    constraint rooms_visibility_known check (visibility in ('public', 'private', 'direct')),
    constraint rooms_head_covers_messages check (last_message_seq <= head and last_other_seq <= last_message_seq)
) with (fillfactor = 70); -- a busy room's row is written with every batch

-- The directory of public rooms, in its order.
create index rooms_public on rooms (last_activity_at desc, id) where visibility = 'public' and id is not null;
create index rooms_deleted on rooms (room_id) where id is null;

create table members (
    room_id     bigint      not null,
    read_seq    bigint      not null,
    unread_from bigint      not null,
    joined_at   timestamptz not null,
    muted_until timestamptz,
    user_id     uuid        not null,
    role        smallint    not null, -- 1 owner, 2 moderator, 3 member: the order in which they are listed
    username    text        collate "C" not null, -- a copy, so that a page of members is one range of members_by_role
    notify      text        collate "C" not null,
    constraint members_pk primary key (room_id, user_id),
    constraint members_role_known check (role between 1 and 3),
    constraint members_notify_known check (notify in ('all', 'mentions', 'none')),
    constraint members_room_fk foreign key (room_id) references rooms (room_id),
    constraint members_user_fk foreign key (user_id) references users (id)
) with (fillfactor = 80); -- read lines move all the time

create unique index members_by_user on members (user_id, room_id);
create unique index members_by_role on members (room_id, role, username);

create table bans (
    room_id   bigint      not null,
    banned_at timestamptz not null,
    user_id   uuid        not null,
    banned_by uuid        not null,
    reason    text        collate "C" not null,
    constraint bans_pk primary key (room_id, user_id),
    constraint bans_room_fk foreign key (room_id) references rooms (room_id),
    constraint bans_user_fk foreign key (user_id) references users (id)
);

create index bans_by_time on bans (room_id, banned_at desc, user_id);
create index bans_by_user on bans (user_id); -- for the foreign key

create table invites (
    room_id    bigint      not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    created_by uuid        not null,
    max_uses   integer     not null,
    uses       integer     not null,
    code       text        collate "C" not null,
    constraint invites_pk primary key (code),
    constraint invites_room_fk foreign key (room_id) references rooms (room_id),
    constraint invites_created_by_fk foreign key (created_by) references users (id)
);

create index invites_by_time on invites (room_id, created_at desc, code);
create index invites_by_creator on invites (created_by); -- for the foreign key

-- One row a message, in its newest state: history is a range of neighbours. No foreign keys: the room's row is locked in the
-- same transaction anyway. The index of ids begins with the id: ids begin with the time, so all rooms append at one end of
-- it, where with the room first each room in a batch would have a page of its own there. Columns of fixed width come first, widest alignment first, which saves padding in every row.
create table messages (
    room_id     bigint      not null,
    seq         bigint      not null,
    created_at  timestamptz not null,
    changed_seq bigint,
    edited_at   timestamptz,
    deleted_at  timestamptz,
    id          uuid        not null,
    sender      uuid        not null,
    fingerprint uuid        not null, -- no id, but 16 bytes as well
    reply_to    uuid,
    body        text        collate "C" not null,
    mentions    bytea, -- 16 bytes a person; the zero id first stands for everybody
    reactions   json,  -- see column/reactions.go; json and not jsonb: kept as written, whatever the text, and never looked into
    constraint messages_pk primary key (room_id, seq),
    constraint messages_id_unique unique (id, room_id)
);

-- Every other number of a room's log. With messages it covers 1 to head of each room exactly once.
create table events (
    room_id    bigint      not null,
    seq        bigint      not null,
    at         timestamptz not null,
    target_seq bigint, -- the message that was changed; for a void the number that the record already had
    id         uuid,   -- of the record; null for a void, whose record stands under another number
    actor      uuid        not null,
    subject    uuid,   -- the person whom a member event is about
    kind       text        collate "C" not null,
    payload    json,   -- see column/payload.go
    constraint events_pk primary key (room_id, seq),
    constraint events_id_unique unique (id, room_id),
    constraint events_kind_known check (kind in ('edit', 'delete', 'reaction', 'member', 'room', 'void')),
    constraint events_void_has_no_id check ((kind = 'void') = (id is null)),
    constraint events_change_has_a_target check (kind not in ('edit', 'delete', 'reaction') or target_seq is not null)
);

-- Who is to be counted a mention by which message; the zero user stands for everybody.
create table mentions (
    user_id uuid   not null,
    room_id bigint not null,
    seq     bigint not null,
    constraint mentions_pk primary key (user_id, room_id, seq)
);

-- Up to which offset each partition of the log is stored.
create table partitions (
    partition integer not null,
    stored    bigint  not null,
    constraint partitions_pk primary key (partition)
) with (fillfactor = 10); -- a handful of rows, each written with every batch

-- Records committed with a change, waiting for the log.
create table outbox (
    position bigint generated always as identity, -- never again the position of an entry that is done
    id       uuid  not null,
    room     uuid  not null,
    payload  bytea not null,
    constraint outbox_pk primary key (position)
);

-- Which archives this instance has taken in, or is taking in. An import that was cut short goes on with the same archive
-- and no other, and nobody serves an instance of which a half is missing.
create table imports (
    archive text    collate "C" not null,
    done    boolean not null,
    constraint imports_pk primary key (archive)
);
