#!/usr/bin/env bash
# Runs a command beside an empty PostgreSQL of its own, which ends with it.
#
#   postgres.sh FOLDER PORT COMMAND...     FOLDER must exist; the database is "mlflow", the user "postgres"
#
# PostgreSQL refuses to run as root, so root runs it as nobody.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"

folder=$1 port=$2
shift 2
bin=$(find /usr/lib/postgresql -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || ! command -v initdb >/dev/null || bin=$(realpath "$(command -v initdb)")
if [ -z "$bin" ]; then
  unpacked=$("$(dirname "$(realpath "$0")")/debian.sh" --deps postgresql-15 postgresql-15)
  bin=$unpacked/usr/lib/postgresql/15/bin/initdb
  LD_LIBRARY_PATH=$(dirname "$(find "$unpacked/usr/lib" -name 'libpq.so*' | head -n 1)")
  export LD_LIBRARY_PATH
fi
bin=$(dirname "$bin")
as=()
data=$folder/postgres
mkdir "$data"
if [ "$(id -u)" = 0 ]; then
  as=(runuser -u nobody --)
  chmod o+x "$folder"
  chown nobody "$data"
fi
"${as[@]}" "$bin/initdb" -A trust -U postgres -E UTF8 -D "$data/data" >"$folder/initdb.log" 2>&1 || die "initdb failed: $(tail -n 1 "$folder/initdb.log")"
"${as[@]}" "$bin/postgres" -D "$data/data" -c listen_addresses=127.0.0.1 -p "$port" -k "$data" -c fsync=off >"$folder/postgres.log" 2>&1 &
for _ in $(seq 100); do
  "$bin/pg_isready" -q -h 127.0.0.1 -p "$port" && break
  sleep 0.1
done
"$bin/createdb" -h 127.0.0.1 -p "$port" -U postgres mlflow || die "PostgreSQL does not start: $(tail -n 1 "$folder/postgres.log")"
exec "$@"
