-- The whole store of one instance. Ids are the 16 raw bytes of a UUID; times are integer milliseconds since 1970 UTC,
-- and null where there is none; numbers called seq are places in one room's log.

create table users (
    id             blob    not null,
    username       text    not null, -- folded, and never changed: members.username copies it
    display_name   text    not null,
    display_folded text    not null, -- chat.Fold(display_name): SQLite's own lower() knows ASCII only
    avatar_url     text    not null,
    status         text    not null,
    email          text    not null,
    admin          integer not null,
    disabled       integer not null,
    created_at     integer not null,
    password_hash  text    not null,
    constraint users_pk primary key (id),
    constraint users_id_is_a_uuid check (length(id) = 16),
    constraint users_username_unique unique (username)
) strict, without rowid;

create table sessions (
    id           blob    not null,
    user         blob    not null,
    created_at   integer not null,
    last_used_at integer not null,
    expires_at   integer not null,
    user_agent   text    not null,
    refresh_hash blob    not null,
    constraint sessions_pk primary key (id),
    constraint sessions_id_is_a_uuid check (length(id) = 16),
    constraint sessions_refresh_hash_unique unique (refresh_hash),
    constraint sessions_user_fk foreign key (user) references users (id) on delete cascade
) strict, without rowid;

create index sessions_by_user on sessions (user, last_used_at desc);

-- Refresh tokens that were replaced. A row lives until the token would have expired had it never been spent: after that
-- the token says nothing any more, so the table holds at most one token life of rotations.
create table spent_refresh (
    hash       blob    not null,
    session    blob    not null,
    spent_at   integer not null,
    expires_at integer not null,
    constraint spent_refresh_pk primary key (hash),
    constraint spent_refresh_session_fk foreign key (session) references sessions (id) on delete cascade
) strict, without rowid;

create index spent_refresh_by_session on spent_refresh (session, expires_at);

create table keys (
    name  text not null,
    value blob not null,
    constraint keys_pk primary key (name)
) strict, without rowid;

-- Rooms have a small number beside their id: it stands in every row of messages and events and in their indexes, which
-- measured 20 % less disk and half the CPU of 16-byte ids when thousands of rooms are written in turn.
create table rooms (
    no               integer primary key,
    id               blob, -- null for a room that was deleted and whose rows are still being removed
    name             text    not null,
    name_folded      text    not null,
    topic            text    not null,
    topic_folded     text    not null,
    visibility       text    not null,
    created_by       blob    not null,
    created_at       integer not null,
    mood_enabled     integer not null,
    head             integer not null default 0,
    members          integer not null default 0,
    last_activity_at integer not null, -- of the newest message, or of the creation
    last_message_seq integer not null default 0,
    last_sender      blob,
    last_other_seq   integer not null default 0, -- newest message that is not last_sender's: spares whoever only talks to himself the count of it all
    constraint rooms_id_is_a_uuid check (length(id) = 16),
    constraint rooms_id_unique unique (id),
    constraint rooms_visibility_known check (visibility in ('public', 'private', 'direct')),
    constraint rooms_head_covers_messages check (last_message_seq <= head and last_other_seq <= last_message_seq)
) strict;

-- The directory of public rooms, in its order.
create index rooms_public on rooms (last_activity_at desc, id) where visibility = 'public' and id is not null;
create index rooms_deleted on rooms (no) where id is null;

create table members (
    room        integer not null,
    user        blob    not null,
    username    text    not null, -- a copy, so that a page of members is one range of members_by_role
    role        integer not null, -- 1 owner, 2 moderator, 3 member: the order in which they are listed
    joined_at   integer not null,
    muted_until integer,
    read_seq    integer not null,
    unread_from integer not null,
    notify      text    not null,
    constraint members_pk primary key (room, user),
    constraint members_role_known check (role between 1 and 3),
    constraint members_notify_known check (notify in ('all', 'mentions', 'none')),
    constraint members_room_fk foreign key (room) references rooms (no),
    constraint members_user_fk foreign key (user) references users (id)
) strict, without rowid;

create unique index members_by_user on members (user, room);
create unique index members_by_role on members (room, role, username);

create table bans (
    room   integer not null,
    user   blob    not null,
    reason text    not null,
    by     blob    not null,
    at     integer not null,
    constraint bans_pk primary key (room, user),
    constraint bans_room_fk foreign key (room) references rooms (no),
    constraint bans_user_fk foreign key (user) references users (id)
) strict, without rowid;

create index bans_by_time on bans (room, at desc);
create index bans_by_user on bans (user); -- for the foreign key

create table invites (
    code       text    not null,
    room       integer not null,
    created_by blob    not null,
    created_at integer not null,
    expires_at integer,
    max_uses   integer not null,
    uses       integer not null,
    constraint invites_pk primary key (code),
    constraint invites_room_fk foreign key (room) references rooms (no),
    constraint invites_created_by_fk foreign key (created_by) references users (id)
) strict, without rowid;

create index invites_by_time on invites (room, created_at desc);
create index invites_by_creator on invites (created_by); -- for the foreign key

-- One row a message, in its newest state. A rowid table, because rows are then appended where the last one went: WITHOUT
-- ROWID measured a third of the speed with 5,000 rooms written in turn. The rowid is named so that VACUUM keeps it.
-- The id comes first in its index: ids begin with the time, so all rooms append at the same end of it, and a commit of many
-- rooms writes half the pages that it would if every room had a place of its own there too.
-- No foreign keys: the room is looked up in the same transaction anyway, and the parent checks cost the hot path 15 %.
create table messages (
    no          integer primary key,
    room        integer not null,
    seq         integer not null,
    id          blob    not null,
    sender      blob    not null,
    created_at  integer not null,
    fingerprint blob    not null,
    changed_seq integer,
    edited_at   integer,
    deleted_at  integer,
    body        text    not null,
    reply_to    blob,
    mentions    blob, -- 16 bytes a person; the zero id first stands for everybody
    reactions   blob, -- see column/reactions.go
    constraint messages_room_seq_unique unique (room, seq),
    constraint messages_id_unique unique (id, room)
) strict;

-- Every other number of a room's log. With messages it covers 1 to head of each room exactly once.
create table events (
    no         integer primary key,
    room       integer not null,
    seq        integer not null,
    id         blob, -- of the record; null for a void, whose record stands under another number
    kind       text    not null,
    at         integer not null,
    actor      blob    not null,
    target_seq integer, -- the message that was changed; for a void the number that the record already had
    subject    blob,    -- the person whom a member event is about
    payload    text,    -- JSON, see column/payload.go
    constraint events_room_seq_unique unique (room, seq),
    constraint events_id_unique unique (id, room),
    constraint events_kind_known check (kind in ('edit', 'delete', 'reaction', 'member', 'room', 'void')),
    constraint events_void_has_no_id check ((kind = 'void') = (id is null)),
    constraint events_change_has_a_target check (kind not in ('edit', 'delete', 'reaction') or target_seq is not null)
) strict;

-- Who is to be counted a mention by which message; the zero user stands for everybody.
create table mentions (
    user blob    not null,
    room integer not null,
    seq  integer not null,
    constraint mentions_pk primary key (user, room, seq)
) strict, without rowid;

-- Up to which offset each partition of the log is stored.
create table partitions (
    partition integer not null,
    stored    integer not null,
    constraint partitions_pk primary key (partition)
) strict, without rowid;

-- Records committed with a change, waiting for the log.
create table outbox (
    position integer primary key autoincrement, -- never again the position of an entry that is done
    id       blob not null,
    room     blob not null,
    payload  blob not null
) strict;
