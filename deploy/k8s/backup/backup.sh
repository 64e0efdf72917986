#!/usr/bin/env bash
# Takes one backup of the database while servers use it: one moment of it (pg_dump), into a restic repository, which encrypts it
# before it leaves here, keeps what is new of it, and knows every part by its SHA-256. Then the backup is read back and compared, what is too old is
# removed, and a part of the repository is read to see whether its bytes are still what they were.
#
#   DATABASE_URL         the database
#   RESTIC_REPOSITORY    where backups are: a folder, or s3:https://…/bucket/folder
#   RESTIC_PASSWORD      encrypts them; without it they are noise
#   KEEP_LAST, KEEP_DAILY, KEEP_WEEKLY, KEEP_MONTHLY   how many to keep (3, 7, 4, 6)
#   READ_BACK            no: do not read the new backup back (yes)
#   CHECK_PARTS          in how many runs all of the repository is read once (28)
#
# Sessions and signing keys are left out: after a restore everybody signs in again, nobody who was signed out is in again, and
# whoever gets hold of a backup cannot be anybody.
set -euo pipefail
# shellcheck source=database.sh
. "$(dirname "$0")/database.sh"
need DATABASE_URL RESTIC_REPOSITORY RESTIC_PASSWORD
address
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Made where there is none, and only there: restic says 10 for that, and something else for a repository that it cannot reach.
exists=0
restic cat config >"$scratch/config" 2>"$scratch/why" || exists=$?
case $exists in
  0) ;;
  10)
    restic init --quiet
    say "made a new repository"
    ;;
  12) refuse "RESTIC_PASSWORD is not that of the repository" ;;
  *) refuse "cannot reach the repository: $(tail -n 3 "$scratch/why")" ;;
esac

# A database that was lost and made anew must not become the newest backup of the one that is missed, nor push it out.
state=$(ask "select case when to_regclass('users') is null then 'empty' else 'made' end") || refuse "cannot reach the database"
[[ $state == empty ]] || state=$(ask "select case when exists (select from imports where not done) then 'half' when exists (select from users) then 'whole' else 'empty' end")
case $state in
  half) refuse "the database is being restored or imported: nothing was kept" ;;
  empty)
    listed=$(restic snapshots --json "${ours[@]}") || refuse "cannot read the repository"
    kept=$(field id <<<"$listed") && refuse "the database holds nobody, and backup ${kept:0:8} does: nothing was kept; restore it"
    say "the database holds nobody yet: nothing to keep"
    exit 0
    ;;
esac
restic unlock --quiet # only locks whose owners are dead

# restic runs the dump itself: where it fails there is no backup, not half of one. It is not compressed, so that restic finds what it has.
export database sum=$scratch/sum
restic backup --quiet --json --retry-lock 10m "${ours[@]}" --stdin-filename "$dump" --stdin-from-command -- bash -c '
  set -euo pipefail
  { pg_dump --format=custom --compress=0 --no-owner --no-privileges --lock-wait-timeout=60000 \
      --exclude-table-data=sessions --exclude-table-data=spent_refresh --exclude-table-data=keys --dbname="$database" |
    tee /dev/fd/3 | sha256sum >"$sum"; } 3>&1' >"$scratch/summary" || refuse "the dump failed, and nothing was kept"
id=$(field snapshot_id <"$scratch/summary")
bytes=$(field total_bytes_processed <"$scratch/summary")
added=$(field data_added_packed <"$scratch/summary")
kept=$(cut -d ' ' -f 1 "$sum")

if [[ ${READ_BACK:-yes} != no ]]; then
  read -r back _ < <(restic dump "$id" "$dump" | sha256sum)
  [[ $back == "$kept" ]] || refuse "backup $id is not what was dumped: its SHA-256 is $back and was $kept"
fi

# Another part each six hours, so that what lies for months is looked at, too. Of a repository that is damaged nothing is removed.
parts=${CHECK_PARTS:-28}
restic check --quiet --retry-lock 10m --read-data-subset="$(($(date +%s) / 21600 % parts + 1))/$parts" >"$scratch/checked" 2>&1 ||
  refuse "the repository is damaged: $(tail -n 5 "$scratch/checked")"
restic forget --quiet --retry-lock 10m "${ours[@]}" --group-by host,tags --prune --keep-last "${KEEP_LAST:-3}" \
  --keep-daily "${KEEP_DAILY:-7}" --keep-weekly "${KEEP_WEEKLY:-4}" --keep-monthly "${KEEP_MONTHLY:-6}" >"$scratch/forgotten"
# For the alert that there is no newer one (BackupOld).
ask "insert into newest_backup (at, snapshot) values (now(), '${id:0:8}') on conflict (one) do update set at = excluded.at, snapshot = excluded.snapshot" ||
  refuse "${id:0:8} is kept, and the database has not noted it"
restic snapshots --compact "${ours[@]}"
say "kept ${id:0:8}: $bytes bytes, $added new in the repository, in $SECONDS s, sha256 $kept"
