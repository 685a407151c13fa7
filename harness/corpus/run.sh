#!/bin/sh
# make corpus: builds every wrong solution (mutant) and every other right one (variant), grades
# them as several users, and judges the graders by it.
#
#   LAB="03 05"     these labs only (then nobody asks for what a whole corpus must have)
#   SEEDS="1 2 c"   with these random values; without: one seed, drawn now
#   AS="me many"     as these users; see as.sh. Without: as whoever runs this, and if that is root
#                   also as two ordinary users, with and without subordinate ids
#   TURNS=1         of several users, the first is given everything, and of wrong solutions and
#                   skeletons each of the others its part, by turns
#   KINDS=...       some of: solutions skeletons mutants variants
#   NEED=cgroup     of the mutants only those of steps with this need (build/grade --list --json)
#   EACH=2          and of each step's at most so many
#   JOBS=2          how many programs at a time, or how many guests
#   RESULTS=DIR     where records, items.json and result.tap go (build/corpus/results)
#   VM=v2           in guests with these control groups (v1, v2, hybrid), as the guest's root, and
#                   of a wrong solution only its own step; without: here, never in a guest
#   BUILD_ONLY=1    builds the programs and is done
#   COUNTS=write    writes harness/corpus/counts anew
#
# Exit status: 0 all as it must be, 1 not so (each fault is named), 2 usage.
set -u
export VM="${VM:-0}" # what this machine cannot do is done in guests for who asks for it
case $VM in
0 | v1 | v2 | hybrid) ;;
*)
    echo "make corpus: VM=$VM: 0, v1, v2 or hybrid" >&2
    exit 2
    ;;
esac

here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
# shellcheck source=harness/corpus/as.sh
. "$here/as.sh"

kinds=${KINDS:-skeletons mutants variants}
jobs=${JOBS:-2}
work=${RESULTS:-build/corpus/results}
mkdir -p "$work"

# --- what there is ------------------------------------------------------------------------------

tools=corpus-tools
[ "$VM" = 0 ] || tools="$tools build/guest"
# shellcheck disable=SC2086 # tools are several
${MAKE:-make} --no-print-directory -s -j"$jobs" SRC=solutions $tools || exit 1
build/grade --list --json >"$work/labs.json" || exit 1
graded=$(jq -r '.[].name' "$work/labs.json")
labs=
for lab in $graded; do
    case " ${LAB:-${lab%%-*}} " in
    *" ${lab%%-*} "*) labs="$labs $lab" ;;
    esac
done
if [ -z "$labs" ]; then
    echo "make corpus: no lab ${LAB-} has a grader" >&2
    exit 2
fi

# names LAB KIND: one a line
names() {
    case $2 in
    solutions) echo reference ;;
    skeletons) jq -r --arg lab "$1" '.[] | select(.name == $lab) | .steps[].number' \
        "$work/labs.json" ;;
    mutants) find "harness/corpus/$1/mutants" -name '*.patch' 2>/dev/null |
        sed 's,.*/,,; s,\.patch$,,' | sort -n ;;
    variants) find "harness/corpus/$1/variants" -name '*.c' 2>/dev/null |
        sed 's,.*/,,; s,\.c$,,' | sort ;;
    esac
}

# wanted LAB KIND: of names, those that NEED and EACH leave
wanted() {
    if [ "$2" != mutants ] || [ -z "${NEED-}${EACH-}" ]; then
        cat
        return
    fi
    # A mutant's name begins with its step: judge.jq sees to that.
    awk -F - -v each="${EACH:-1000}" -v steps=" $(jq -r --arg lab "$1" --arg need "${NEED-}" \
        '.[] | select(.name == $lab) | [.steps[] | select($need == "" or any(.needs[]; . == $need))
            | .number] | join(" ")' "$work/labs.json") " \
        'index(steps, " " $1 " ") && seen[$1]++ < each'
}

all_programs() { # "LAB KIND NAME", one a line
    for lab in $labs; do
        for kind in $kinds; do
            names "$lab" "$kind" | wanted "$lab" "$kind" | sed "s/^/$lab $kind /"
        done
    done
}
programs=$(all_programs)

# --- the pinned counts --------------------------------------------------------------------------

# A lab, its steps, mutants and variants. Pinned, so that none is lost without a word.
count() {
    echo "# lab steps mutants variants: see run.sh; COUNTS=write make corpus writes this anew"
    for lab in $graded; do
        echo "$lab $(names "$lab" skeletons | wc -l) $(names "$lab" mutants | wc -l)" \
            "$(names "$lab" variants | wc -l)"
    done
}
complete=false faults=0
count >"$work/counts"
[ "${COUNTS-}" != write ] || cp "$work/counts" "$here/counts"
case " $kinds " in
*" mutants "*)
    if [ -z "${LAB-}${NEED-}${EACH-}" ]; then
        complete=true
        if ! diff -u "$here/counts" "$work/counts" >"$work/drift" 2>&1; then
            faults=1
            echo "FAULT harness/corpus/counts is not what there is" \
                "(COUNTS=write make corpus, once you know why):"
            sed 's/^/    /' "$work/drift"
        fi
    fi
    ;;
esac

# --- who --------------------------------------------------------------------------------------------

asked=${AS-}
if [ "$VM" != 0 ]; then
    asked=${AS:-guest}
elif [ -z "$asked" ]; then
    asked=me
    [ "$(id -u)" != 0 ] || asked="me single many"
fi
who=
for one in $asked; do
    if [ "$one" = guest ] || [ "$VM" != 0 ]; then
        reason=$(why_not_guest "$one")
    else
        reason=$(why_not_as "$one")
    fi
    if [ -n "$reason" ]; then
        echo "as $one: not run here: $reason"
    else
        who="$who $one"
    fi
done
[ -n "$who" ] || exit 1
seeds=${SEEDS:-$(od -An -N4 -tx4 /dev/urandom | tr -d ' ')}

# --- build, and grade ---------------------------------------------------------------------------

goals=$(echo "$programs" | while read -r lab kind name; do
    case $kind in
    solutions) echo "build/solutions/${lab%%-*}/lab${lab%%-*}" ;;
    ?*) echo "build/corpus/$lab/$kind/$name/lab${lab%%-*}" ;;
    esac
done)
# shellcheck disable=SC2086 # goals are several
${MAKE:-make} --no-print-directory -s -k -j"$jobs" SRC=solutions $goals || exit 1

[ -z "${BUILD_ONLY-}" ] || exit 0

RECORDS=$(cd "$work" && pwd)/records
rm -rf "$RECORDS"
mkdir -p "$RECORDS"
scratch=$(mktemp -d "${TMPDIR:-/tmp}/strata-corpus-XXXXXX") || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
chmod 755 "$scratch"
REPORTS=$scratch/reports
KIT=$PWD
mkdir "$REPORTS"
for one in $who; do
    mkdir "$REPORTS/$one"
    # Whoever grades writes the report.
    chmod 1777 "$REPORTS/$one"
    # A clone below a folder that is closed to that user: a copy that is not.
    [ "$one" = guest ] || as "$one" test -x "$PWD/build/grade" -a -r "$PWD/labs" || KIT=$scratch/kit
done
if [ "$KIT" != "$PWD" ]; then
    mkdir -p "$KIT/build" "$KIT/harness"
    cp -R labs solutions "$KIT/"
    cp -R harness/graders harness/corpus "$KIT/harness/"
    for part in grade sandbox inside probe busybox rootfs.tar solutions corpus; do
        [ ! -e "build/$part" ] || cp -R "build/$part" "$KIT/build/"
    done
    chmod -R a+rX "$KIT"
fi
# shellcheck disable=SC2086 # who is several
set -- $who
WHOLE=$1 # grades wrong solutions whole: see grade.sh
SCRATCH=$scratch
LABS=$work/labs.json
export KIT RECORDS REPORTS WHOLE SCRATCH LABS

others=$(($# - 1)) turn=$(echo "$seeds" | cksum | cut -d ' ' -f 1)
echo "$programs" | while read -r lab kind name; do
    turn=$((turn + 1)) place=0
    for one in $who; do
        place=$((place + 1))
        case $kind in
        skeletons | mutants)
            [ -z "${TURNS-}" ] || [ "$one" = "$WHOLE" ] || [ $(((turn + place) % others)) -eq 0 ] ||
                continue
            ;;
        esac
        for seed in $seeds; do
            printf '%s %s %s %s %s\n' "$lab" "$kind" "$name" "$one" "$seed"
        done
    done
done >"$scratch/list"

if [ "$VM" = 0 ]; then
    xargs -P "$jobs" -L 1 sh "$here/grade.sh" <"$scratch/list"
else
    # Dealt out, so that each guest has of every lab; not too many to one, which may die.
    guests=$((($(wc -l <"$scratch/list") + 99) / 100))
    [ "$guests" -ge "$jobs" ] || guests=$jobs
    split -e -n "r/$guests" "$scratch/list" "$scratch/list."
    # Waited for, so that a signal is heard at once; and whoever of these is killed, the guests end.
    printf '%s\n' "$scratch"/list.* | setpriv --pdeathsig KILL \
        xargs -P "$jobs" -n 1 setpriv --pdeathsig KILL sh "$here/guest.sh" &
    wait $!
fi

# --- judge ----------------------------------------------------------------------------------------

find "$RECORDS" -name '*.json' -exec cat {} + |
    jq -s -f "$here/judge.jq" --slurpfile labs "$work/labs.json" --argjson complete $complete \
        >"$work/items.json" || exit 1

jq -r '.[] | "\(if .faults == [] then "ok" else "FAULT" end) \(.lab) \(.kind) " +
    "\(if .kind == "mutants" then "step \(.step) " else "" end)\(.name)" +
    "\(if .says != "" then " \"\(.says)\"" else "" end)" +
    "\(if .kind == "mutants" and .others != [] then " (\(.others | join(", ")))" else "" end)" +
    "\(if .unjudged != [] then " [not judged: \(.unjudged | join("; "))]" else "" end)",
    (.faults[] | "    " + .)' "$work/items.json"
jq -r '.[] | "\(if .faults == [] then "ok" else "not ok" end) - \(.lab) \(.kind) \(.name)",
    (.unjudged[] as $u | "ok - \(.lab) \(.kind) \(.name) # SKIP \($u)"),
    (.faults[] | "#   " + .)' "$work/items.json" >"$work/result.tap"
# Who grades may be killed, and is not asked then: what has no record has not passed.
while read -r lab kind name one seed; do
    [ ! -s "$RECORDS/$lab.$kind.$name.$one.$seed.json" ] || continue
    faults=$((faults + 1))
    echo "FAULT $lab $kind $name"
    echo "    no record of it, as $one, SEED=$seed"
    echo "not ok - $lab $kind $name: no record, as $one, SEED=$seed" >>"$work/result.tap"
done <"$scratch/list"

found=$(jq '[.[].faults[]] | length' "$work/items.json")
faults=$((faults + found))
echo "corpus: $(echo "$labs" | wc -w) labs, $(echo "$programs" | wc -l) programs ($kinds)," \
    "as$who, SEEDS=\"$seeds\": $faults faults"
[ "$faults" -eq 0 ]
