#!/usr/bin/env bash
# Runs a server that cannot outlive the test that started it: the server gets a process
# group of its own, and the whole group ends when this script's stdin closes, however the
# test process came to its end. The folder is removed afterwards.
#
#   guard.sh FOLDER COMMAND...
set -m
folder=$1
shift
exec 3<&0 </dev/null

"$@" 3<&- &
server=$!
# The reader of stderr may be gone, and bash reports the end of a job there.
exec 2>/dev/null
{
  cat <&3 >/dev/null
  kill -TERM -- "-$server"
  sleep 15
  kill -KILL -- "-$server"
} &
watcher=$!
exec 3<&-

trap 'kill -TERM -- "-$server"' TERM INT HUP
wait "$server"
status=$?
kill -TERM -- "-$watcher"

# What the server started has 2 s to follow. A member that nobody reaps counts as alive, so there is an end to it.
for _ in $(seq 20); do
  kill -TERM -- "-$server" || break
  sleep 0.1
done
kill -KILL -- "-$server"
rm -rf "$folder"
exit "$status"
