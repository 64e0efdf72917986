-- Where the numbers of each room ended in the backup that this database was restored from, until what the log has since is stored, too
-- ('blabber-hive replay --from backup'): what happened to members after that is still to be looked at. Empty at all other times.

-- +goose Up

create table restored_heads (
    room_id bigint not null,
    head    bigint not null,
    constraint restored_heads_pk primary key (room_id)
);
