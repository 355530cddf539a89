#!/bin/bash
# test.sh [--quick | --all | --drills | --soak] [RUNNER-OPTION...]: builds and tests; the last line counts.
#   --quick   the inner loop: no slow tests, no machines, no look at the style (< 60 s)
#   (none)    the gate, as CI runs it
#   --all     the gate and the slow matrices        --drills  only what boots machines
#   --soak    only what runs for hours
# What follows goes to the test runner, e.g. -class DR.Drills.MainJobDrills
set -euo pipefail
self=$(realpath "$0")
cd "$(dirname "$self")/.."

mode=${1:-}
case $mode in
    --quick) configuration=Debug filter=(-trait- Category=Slow -trait- Category=Drill -trait- Category=Matrix -trait- Category=Soak -trait- Category=Bench -trait- Category=Device) ;;
    --all) configuration=Release filter=(-trait- Category=Soak -trait- Category=Bench -trait- Category=Device) ;;
    --drills) configuration=Release filter=(-trait Category=Drill) ;;
    --soak) configuration=Release filter=(-trait Category=Soak) ;;
    '' | -[!-]*) configuration=Release filter=(-trait- Category=Matrix -trait- Category=Soak -trait- Category=Bench -trait- Category=Device) ;;
    *) sed -n '2,7s/^# //p' "$self" >&2; exit 2 ;;
esac
[[ $mode != --* ]] || shift
filter+=("$@")

passed=0 failed=0 skipped=0
work=
finish() {
    local status=$?
    [[ -z $work ]] || rm -rf "$work"
    if ((failed == 0 && status != 0)); then failed=1; fi
    if ((failed == 0 && passed == 0)); then echo "test: no test ran"; status=1; fi
    if ((skipped)) && [[ -n ${CI:-} ]]; then echo "test: under CI a skipped test is a failure"; status=1; fi
    echo "$passed passed, $failed failed, $skipped skipped"
    exit $((status || failed > 0))
}
trap finish EXIT

heading() { printf '\n== %s\n' "$*"; }

# must WHAT COMMAND...: a part of the gate that is not a test; it fails as one, and the rest goes on.
must() {
    heading "$1"
    "${@:2}" || { echo "test: failed: $1"; failed=$((failed + 1)); }
}

run_tests() { # run_tests PROJECT
    local results=$work/$1.json status=0 counts
    heading "$1"
    TMPDIR=$work DR_TEST_TEMP=$work "artifacts/bin/$1/${configuration,,}/$1" -noColor -noLogo -ctrf "$results" "${filter[@]}" || status=$?
    # Without a readable result the runner has crashed: that is a failure, too.
    counts=$(jq -er '.results.summary | "\(.passed) \(.failed) \(.skipped + .pending + .other)"' "$results") || counts='0 0 0'
    read -ra counts <<<"$counts"
    if ((status && counts[1] == 0)); then
        echo "test: $1 ended with $status"
        counts[1]=1
    fi
    passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
}

./scripts/setup.sh
work=$(mktemp -d /var/tmp/dr-test.XXXXXX)

heading build
build=(dotnet build DR.sln --configuration "$configuration" --nologo --verbosity quiet)
if [[ -n ${CI:-} ]]; then build+=(--disable-build-servers -p:RestoreLockedMode=true); fi
"${build[@]}"

if [[ $mode != --quick && $# == 0 ]]; then
    must style dotnet format DR.sln --verify-no-changes --no-restore
    mapfile -t scripts < <(git grep -lE '^#!/bin/(ba)?sh')
    must shellcheck shellcheck "${scripts[@]}"
fi

run_tests DR.Tests
run_tests DR.Drills
