-- How messages sound, what of it is counted for each room, and which texts are still to be read.

alter table messages add column mood integer       -- of body: 1 positive, 0 neutral, -1 negative; null if it was not read
    constraint messages_mood_known check (mood between -1 and 1);
alter table messages add column mood_score integer -- in thousandths
    constraint messages_mood_score_known check (mood_score between -1000 and 1000);

-- SQLite does not change the constraints of a table: it is made again.
create table events_with_moods (
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
    constraint events_kind_known check (kind in ('edit', 'delete', 'reaction', 'mood', 'member', 'room', 'void')),
    constraint events_void_has_no_id check ((kind = 'void') = (id is null)),
    constraint events_change_has_a_target check (kind not in ('edit', 'delete', 'reaction', 'mood') or target_seq is not null)
) strict;
insert into events_with_moods select * from events;
drop table events;
alter table events_with_moods rename to events;

-- What moods the messages of a quarter of an hour have, counted as they change: a year of a room is then a range of at most
-- 35,040 rows, however much is said in it.
create table moods (
    room        integer not null,
    at          integer not null, -- when the quarter began
    positive    integer not null,
    neutral     integer not null,
    negative    integer not null,
    thousandths integer not null, -- the sum of the scores
    first_seq   integer not null, -- the messages counted are among these numbers
    last_seq    integer not null,
    constraint moods_pk primary key (room, at)
) strict, without rowid;

-- Texts whose mood is to be found, left with the message or edit that made them.
create table mood_texts (
    position integer primary key autoincrement, -- never again the position of a text that is done
    room     integer not null,
    seq      integer not null, -- of the message
    record   blob    not null, -- that made or edited it
    at       integer not null
) strict;
