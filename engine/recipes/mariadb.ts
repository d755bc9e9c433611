import type { Recipe } from "../supply/recipe.js"

/**
 * The official image's way of starting (https://hub.docker.com/_/mariadb, "Environment Variables"): an empty data folder is
 * initialised with the database, user and passwords that the variables name, each also as `<NAME>_FILE`; files in
 * /docker-entrypoint-initdb.d run then. During initialisation the server listens on its socket only: what reaches it over
 * TCP reaches it ready. MYSQL_* names are taken, too. Passwords go through the socket's input, never through arguments.
 */
const entrypoint = `#!/bin/bash
set -eo pipefail
shopt -s nullglob

note() { echo "[Entrypoint]: $*"; }
die() { echo "[Entrypoint]: $*" >&2; exit 1; }

# value NAME: sets NAME from NAME, MYSQL_ form, or the file that NAME_FILE names.
value() {
  local name="$1" old="MYSQL_\${1#MARIADB_}" file
  local from="$name"
  [ -n "\${!name:-}" ] || from="$old"
  local fileVar="\${name}_FILE"
  [ -n "\${!fileVar:-}" ] || fileVar="\${old}_FILE"
  file="\${!fileVar:-}"
  if [ -n "\${!from:-}" ] && [ -n "$file" ]; then die "$from and $fileVar are both set (but are exclusive)"; fi
  if [ -n "$file" ]; then
    [ -r "$file" ] || die "$fileVar names $file, which cannot be read"
    printf -v "$name" '%s' "$(cat "$file")"
  else
    printf -v "$name" '%s' "\${!from:-}"
  fi
  unset "$fileVar"
}

if [ "\${1:0:1}" = "-" ]; then set -- mariadbd "$@"; fi
case "$1" in mariadbd|mysqld) shift; set -- mariadbd "$@";; *) exec "$@";; esac
for arg; do case "$arg" in --help|-?|--version|-V|--print-defaults) exec "$@";; esac; done

data="$(mariadbd --verbose --help --log-bin-index=/tmp/index 2>/dev/null | awk '$1 == "datadir" { print $2; exit }')"
data="\${data:-/var/lib/mysql/}"

if [ "$(id -u)" = 0 ]; then
  mkdir -p "$data" /run/mysqld
  find "$data" /run/mysqld \\! -user mysql -exec chown mysql: '{}' +
  # Secrets that only root may read are read before the user changes.
  for name in MARIADB_ROOT_PASSWORD MARIADB_PASSWORD MARIADB_DATABASE MARIADB_USER; do value "$name"; export "$name"; done
  for name in MARIADB_ROOT_PASSWORD MARIADB_PASSWORD MARIADB_DATABASE MARIADB_USER; do
    unset "\${name}_FILE" "MYSQL_\${name#MARIADB_}" "MYSQL_\${name#MARIADB_}_FILE"
  done
  note "Switching to dedicated user 'mysql'"
  exec setpriv --reuid=mysql --regid=mysql --init-groups -- "$BASH_SOURCE" "$@"
fi

# The marker outlives a crash: a folder that was left half initialised is begun anew, not taken for a database.
marker="$data/.initialising"
if [ ! -d "$data/mysql" ] || [ -e "$marker" ]; then
  for name in MARIADB_ROOT_PASSWORD MARIADB_PASSWORD MARIADB_DATABASE MARIADB_USER; do value "$name"; done
  MARIADB_RANDOM_ROOT_PASSWORD="\${MARIADB_RANDOM_ROOT_PASSWORD:-\${MYSQL_RANDOM_ROOT_PASSWORD:-}}"
  MARIADB_ALLOW_EMPTY_ROOT_PASSWORD="\${MARIADB_ALLOW_EMPTY_ROOT_PASSWORD:-\${MYSQL_ALLOW_EMPTY_PASSWORD:-}}"
  if [ -z "$MARIADB_ROOT_PASSWORD$MARIADB_RANDOM_ROOT_PASSWORD$MARIADB_ALLOW_EMPTY_ROOT_PASSWORD" ]; then
    die "Database is uninitialized and password option is not specified: set one of MARIADB_ROOT_PASSWORD, MARIADB_ALLOW_EMPTY_ROOT_PASSWORD and MARIADB_RANDOM_ROOT_PASSWORD"
  fi
  if [ -n "$MARIADB_USER" ] && [ -z "$MARIADB_PASSWORD" ]; then die "MARIADB_USER is set, MARIADB_PASSWORD is not"; fi
  note "Initializing database files"
  touch "$marker"
  rm -rf "$data"/*
  mariadb-install-db --datadir="$data" --skip-test-db --auth-root-authentication-method=normal --skip-name-resolve >/dev/null
  note "Database files initialized"
  note "Starting temporary server"
  "$@" --skip-networking --socket=/run/mysqld/init.sock --skip-log-bin --loose-innodb_buffer_pool_load_at_startup=0 &
  pid=$!
  sql() { mariadb --protocol=socket --socket=/run/mysqld/init.sock -uroot --batch "$@"; }
  for _ in $(seq 300); do
    sql -e 'SELECT 1' >/dev/null 2>&1 && break
    kill -0 "$pid" 2>/dev/null || die "The temporary server did not start"
    sleep 0.1
  done
  note "Temporary server started."
  mariadb-tzinfo-to-sql --skip-write-binlog /usr/share/zoneinfo 2>/dev/null | sql mysql || true
  quote() { local s="\${1//\\\\/\\\\\\\\}"; printf "'%s'" "\${s//\\'/\\'\\'}"; }
  if [ -n "$MARIADB_RANDOM_ROOT_PASSWORD" ]; then
    MARIADB_ROOT_PASSWORD="$(head -c 24 /dev/urandom | base64)"
    note "GENERATED ROOT PASSWORD: $MARIADB_ROOT_PASSWORD"
  fi
  if [ -n "$MARIADB_DATABASE" ]; then
    note "Creating database $MARIADB_DATABASE"
    sql <<<"CREATE DATABASE IF NOT EXISTS \\\`$MARIADB_DATABASE\\\`;"
  fi
  if [ -n "$MARIADB_USER" ]; then
    note "Creating user $MARIADB_USER"
    sql <<<"CREATE USER $(quote "$MARIADB_USER")@'%' IDENTIFIED BY $(quote "$MARIADB_PASSWORD");"
    if [ -n "$MARIADB_DATABASE" ]; then
      sql <<<"GRANT ALL ON \\\`\${MARIADB_DATABASE//_/\\\\_}\\\`.* TO $(quote "$MARIADB_USER")@'%';"
    fi
  fi
  for f in /docker-entrypoint-initdb.d/*; do
    note "running $f"
    case "$f" in
      *.sh) if [ -x "$f" ]; then "$f"; else . "$f"; fi;;
      *.sql) sql \${MARIADB_DATABASE:+"$MARIADB_DATABASE"} <"$f";;
      *.sql.gz) gzip -dc "$f" | sql \${MARIADB_DATABASE:+"$MARIADB_DATABASE"};;
    esac
  done
  note "Securing system users"
  root=""
  if [ -n "$MARIADB_ROOT_PASSWORD" ]; then root="IDENTIFIED BY $(quote "$MARIADB_ROOT_PASSWORD")"; fi
  # Whoever may come in without a password goes: anonymous users, and root from this host's names and addresses.
  sql -N -e "SELECT CONCAT('DROP USER ', QUOTE(User), '@', QUOTE(Host), ';') FROM mysql.global_priv
             WHERE User = '' OR (User = 'root' AND Host <> 'localhost')" | sql
  sql <<<"CREATE USER root@'%' $root; GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION; ALTER USER root@localhost $root;"
  note "Stopping temporary server"
  kill "$pid"
  wait "$pid" || true
  rm -f "$marker"
  note "MariaDB init process done. Ready for start up."
fi
unset MARIADB_ROOT_PASSWORD MARIADB_PASSWORD
exec "$@"
`

/** The part of the official healthcheck.sh that is used most: `--connect` and `--innodb_initialized`. Needs no password. */
const healthcheck = `#!/bin/bash
# A server that answers over TCP, even with "access denied", is past its initialisation.
answer="$(mariadb-admin --protocol=tcp -h 127.0.0.1 -P "\${MYSQL_TCP_PORT:-3306}" --connect-timeout=2 -u healthcheck ping 2>&1)"
case "$answer" in *"is alive"*|*"Access denied"*) exit 0;; *) exit 1;; esac
`

const config = `[mariadbd]
bind-address = *
skip-name-resolve
datadir = /var/lib/mysql
socket = /run/mysqld/mysqld.sock
pid-file = /run/mysqld/mysqld.pid
character-set-server = utf8mb4
collation-server = utf8mb4_uca1400_ai_ci
`

/** MariaDB as the official image has it: the same variables, data folder, user and port. Debian 13 brings 11.8. */
export const mariadb: Recipe = {
  references: ["docker.io/library/mariadb:11.8", "docker.io/library/mariadb:11"],
  provides: "MariaDB 11.8 from Debian's packages",
  expectedSeconds: 40,
  dockerfile: `RUN apt-get update \\
 && apt-get install -y --no-install-recommends mariadb-server tzdata \\
 && rm -rf /var/lib/apt/lists/* /var/lib/mysql /etc/mysql/mariadb.conf.d/50-server.cnf \\
 && mkdir -p /var/lib/mysql /run/mysqld /docker-entrypoint-initdb.d \\
 && chown mysql:mysql /var/lib/mysql /run/mysqld
COPY gantry.cnf /etc/mysql/mariadb.conf.d/50-server.cnf
COPY docker-entrypoint.sh healthcheck.sh /usr/local/bin/
VOLUME /var/lib/mysql
EXPOSE 3306
ENV LANG=C.UTF-8
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["mariadbd"]
`,
  files: () =>
    Promise.resolve({
      "docker-entrypoint.sh": { text: entrypoint, mode: 0o755 },
      "healthcheck.sh": { text: healthcheck, mode: 0o755 },
      "gantry.cnf": { text: config },
    }),
  check: { command: ["mariadbd", "--version"], expect: /Ver 11\.8/ },
}

export const recipes: readonly Recipe[] = [mariadb]
