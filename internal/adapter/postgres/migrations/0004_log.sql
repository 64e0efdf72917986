-- Which log the partitions' offsets are of: the id of Kafka's topic, which one that is made anew does not have. Without it a new log that
-- has grown beyond them would be gone on with in its middle.

-- +goose Up

create table log (
    one boolean not null default true,
    id  text    collate "C" not null,
    constraint log_pk primary key (one),
    constraint log_is_one check (one)
);
