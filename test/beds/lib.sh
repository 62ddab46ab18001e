# shellcheck shell=bash
# What the bed scripts share. Sourced, never run.
#
# Everything is made under $MLMON_BEDS, by default .cache/beds in the project.

say() { printf '%s\n' "$*" >&2; }
die() { say "beds: $*"; exit 1; }

# need COMMAND HINT: stop when a command is missing
need() { command -v "$1" >/dev/null 2>&1 || die "$1 is missing: $2"; }

beds_cache() {
  local cache=${MLMON_BEDS:-}
  if [ -z "$cache" ]; then
    cache=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")/.cache/beds
  fi
  mkdir -p "$cache" || die "cannot make the cache folder $cache"
  realpath "$cache"
}

# lock NAME: one script at a time makes NAME; the others wait, then find it made
lock() {
  need flock "it is part of util-linux"
  exec 9>"$CACHE/.lock-$1"
  flock -w 900 9 || die "another process has been making $1 for 15 minutes"
}

# mirrors NAME: the archive URLs in the system's apt sources whose path ends in NAME
mirrors() {
  find /etc/apt/sources.list /etc/apt/sources.list.d -type f \
    \( -name '*.list' -o -name '*.sources' \) -exec cat {} + 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE "https?://[^ ]+/$1/?( |\$)" | tr -d ' ' | sed 's,/$,,' | sort -u || true
}

# shellcheck disable=SC2034  # read by the scripts that source this file
CACHE=$(beds_cache) || exit 1
