#!/bin/bash
# publish.sh DIR: makes dr for Linux with everything it needs in DIR, as the recovery medium carries it: self-contained,
# and compiled ahead (ReadyToRun), without which it takes seconds to start on a slow machine.
set -euo pipefail
[[ $# == 1 && $1 != -* ]] || { sed -n '2,3s/^# //p' "$0" >&2; exit 2; }
out=$(realpath --canonicalize-missing "$1")
cd "$(dirname "$(realpath "$0")")/.."
# Made anew: what an older tree has left can lack an assembly in the list of those that are looked for.
rm -rf artifacts/obj/DR.App/release_linux-x64 "$out/dr.deps.json"
exec dotnet publish src/DR.App/DR.App.csproj --configuration Release --runtime linux-x64 --self-contained --output "$out" --nologo --verbosity quiet
