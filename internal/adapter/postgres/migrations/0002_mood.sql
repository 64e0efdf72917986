-- How messages sound, and what of it is counted for each room. Not in one transaction: each statement by itself holds up
-- nobody, the checks of what is there least of all, and each may run again.

-- +goose NO TRANSACTION
-- +goose Up

alter table messages
    add column if not exists mood       smallint, -- of body: 1 positive, 0 neutral, -1 negative; null if it was not read
    add column if not exists mood_score smallint; -- in thousandths

alter table rooms
    add column if not exists mood_since timestamptz; -- only what was said since then is read; null while it is off

alter table events
    drop constraint if exists events_kind_known,
    drop constraint if exists events_change_has_a_target,
    add constraint events_kind_known
        check (kind in ('edit', 'delete', 'reaction', 'mood', 'member', 'room', 'void')) not valid,
    add constraint events_change_has_a_target
        check (kind not in ('edit', 'delete', 'reaction', 'mood') or target_seq is not null) not valid;

alter table events validate constraint events_kind_known;
alter table events validate constraint events_change_has_a_target;

-- What moods the messages of a quarter of an hour have, counted as they change: a year of a room is then a range of at most
-- 35,040 rows, however much is said in it.
create table if not exists moods (
    room_id     bigint      not null,
    at          timestamptz not null, -- when the quarter began
    thousandths bigint      not null, -- the sum of the scores
    first_seq   bigint      not null, -- the messages counted are among these numbers
    last_seq    bigint      not null,
    positive    integer     not null,
    neutral     integer     not null,
    negative    integer     not null,
    constraint moods_pk primary key (room_id, at)
) with (fillfactor = 70); -- the newest row of a busy room is written with every batch
