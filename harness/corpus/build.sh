#!/bin/sh
# build.sh KIND NAME LAB LAYER PROGRAM OBJECT...: one program of the corpus (called by corpus.mk).
#
# The layer is a patched solution (mutants), a whole file (variants), or the solution with the
# steps from NAME on taken out (skeletons). It is linked as the Makefile links a layer: all but
# its contract is local to it.
set -u

kind=$1 name=$2 lab=$3 layer=$4 program=$5
shift 5
folder=$(dirname "$program")
source=$folder/$layer.c
solution=solutions/$lab/$layer.c
mkdir -p "$folder"
rm -f "$program"

write_source() {
    rm -f "$source" "$source.orig" "$source.rej"
    case $kind in
    # --fuzz=0: a patch that only nearly fits may say something else than its author meant
    mutants) patch -s --fuzz=0 -o "$source" "$solution" <"harness/corpus/$lab/mutants/$name.patch" ;;
    variants) cp "harness/corpus/$lab/variants/$name.c" "$source" ;;
    skeletons) build/skeleton --quiet --step "$name" "$solution" -o "$source" ;;
    esac
}

# shellcheck disable=SC2086 # CFLAGS and LIBS are several words
build() {
    write_source &&
        $CC $CFLAGS -MT "$program" -MF "$folder/layer.d" -c "$source" -o "$folder/layer.o" &&
        $OBJCOPY --keep-global-symbols="build/symbols/$lab" "$folder/layer.o" &&
        $CC $CFLAGS -MF /dev/null "$folder/layer.o" "$@" -o "$program.new" $LIBS &&
        mv "$program.new" "$program"
}

build "$@" >"$folder/build.log" 2>&1 || rm -f "$program" "$program.new"
