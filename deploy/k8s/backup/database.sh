# What backup.sh and restore.sh share: what they need, and how the database is reached. To be sourced.

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }

refuse() {
  say "$*" >&2
  exit 1
}

# need NAME…: nothing is begun where a variable is missing.
need() {
  local name
  for name in "$@"; do
    [[ -n ${!name:-} ]] || refuse "$name is missing: set ${*}"
  done
}

# address sets $database from DATABASE_URL. Whoever lists this machine's processes sees their arguments, so the password leaves
# the URL for the environment, where it stands as it is and not as a URL has it.
address() {
  local password
  database=$DATABASE_URL
  if [[ $DATABASE_URL =~ ^(postgres(ql)?://[^:@/?]*):([^@/?]*)@(.*)$ ]]; then
    database=${BASH_REMATCH[1]}@${BASH_REMATCH[4]}
    password=${BASH_REMATCH[3]//\\/\\\\}
    PGPASSWORD=$(printf '%b' "${password//%/\\x}")
    export PGPASSWORD
  fi
  export PGAPPNAME=blabber-hive-backup PGCONNECT_TIMEOUT=10
}

# ask STATEMENT: the answer, as bare text.
ask() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 --dbname="$database" --command="$1"; }

# The one place in the repository where the database's backups are.
dump=/blabber-hive.dump
ours=(--host blabber-hive --tag database)

# field NAME: the first text or number of that name in JSON of restic's.
field() { [[ $(cat) =~ \"$1\":\"?([^\",}]*) ]] && printf '%s\n' "${BASH_REMATCH[1]}"; }
