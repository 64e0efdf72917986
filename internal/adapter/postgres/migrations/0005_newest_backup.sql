-- When the newest backup was taken, noted by deploy/k8s/backup/backup.sh: servers tell it to Prometheus, which tells somebody when there
-- is no newer one for too long.

-- +goose Up

create table newest_backup (
    one      boolean     not null default true,
    at       timestamptz not null,
    snapshot text        collate "C" not null,
    constraint newest_backup_pk primary key (one),
    constraint newest_backup_is_one check (one)
);
