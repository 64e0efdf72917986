#!/usr/bin/env bash
# Makes the database that one backup is of, as one transaction: there is all of it or nothing, whatever dies in between. Bytes that
# are not what was kept end it, too. Servers do not serve the database before 'blabber-hive replay --from backup' has taken
# out of the log what was said since.
#
#   DATABASE_URL         the database to fill; it must be there, and hold nobody and no room
#   RESTIC_REPOSITORY, RESTIC_PASSWORD   as for backup.sh
#   RESTORE_SNAPSHOT     which backup: an id that 'restic snapshots' shows (latest)
#   RESTORE_OVER         the name of the database, where it holds something that may be deleted
set -euo pipefail
# shellcheck source=database.sh
. "$(dirname "$0")/database.sh"
need DATABASE_URL RESTIC_REPOSITORY RESTIC_PASSWORD
address
# RESTIC_CACHE_DIR or HOME may be nowhere; a restore reads everything once.
restic=(restic --no-cache --retry-lock 10m)

name=$(ask 'select current_database()') || refuse "cannot reach the database"
servers=$(ask "select count(*) from pg_stat_activity where datname = current_database() and application_name = 'blabber-hive'")
((servers == 0)) || refuse "servers are connected to the database $name, by $servers connections: stop all servers first"
holds=$(ask "select count(*) from pg_class where relkind in ('r', 'p', 'v', 'm') and relnamespace = to_regnamespace('public')")
if ((holds > 0)) && [[ ${RESTORE_OVER:-} != "$name" ]]; then
  # Tables alone are what 'migrate' makes.
  used=$(ask 'select exists (select from users) or exists (select from rooms)') || used=t
  [[ $used == f ]] || refuse "the database $name is not empty: restore into an empty one, or set RESTORE_OVER=$name to delete what it holds"
fi

wanted=${RESTORE_SNAPSHOT:-latest}
listed=$("${restic[@]}" snapshots --json "${ours[@]}" "$wanted") || refuse "cannot read the repository"
id=$(field id <<<"$listed") || refuse "there is no backup $wanted"
say "restoring ${id:0:8} into the database $name"

# The last line is written only if restic and pg_restore have ended well. Without it psql ends in the middle of a transaction.
{
  echo 'begin; set local client_min_messages = warning; drop schema public cascade; create schema public;'
  "${restic[@]}" dump "$id" "$dump" | pg_restore --no-owner --no-privileges --exit-on-error --file=- &&
    echo "insert into public.imports (archive, done) values ('backup ${id:0:8}', false) on conflict (archive) do update set done = false; commit;"
} | psql --no-psqlrc --quiet --output=/dev/null --set=ON_ERROR_STOP=1 --dbname="$database" ||
  refuse "backup ${id:0:8} was not restored; the database $name is as it was"
say "restored ${id:0:8} in $SECONDS s; next: blabber-hive migrate, blabber-hive replay --from backup"
