#!/bin/sh
# help.sh: the verbs, one line each.
. harness/verbs/lib.sh

cat <<'EOF'
For a lab (05 stands for any):
  make             the progress board, and what is next         [TRACK=workshop]
  make lab05       build it, run it in the sandbox, grade         [STEP= SEED=]
  make hint05      a question, then a page, then the calls        [STEP= TIER=]
  make shell05     a shell in the sandbox, with lab05 on the PATH
  make debug05     gdb there, following the child                 [ARGS=""]
  make trace05     the system calls of a start, explained         [ARGS=""]
  make asan05      grade it built with AddressSanitizer
  make break05     the chapter's experiments: predict, then look
  make diff05      your file against the reference, once the lab has passed
  make reset05     start the file afresh; yours is kept           [STEP=]
  make watch       grade a lab each time you save its file
For the machine:
  make setup       install what is missing, after asking          [YES=1]
  make doctor      what this machine can grade, and cures for the rest
  make vm          a small machine of its own, with the kit in it [VM=v1|hybrid]
  make demo        all layers at work, with the reference's code
  make clean       remove what was built; your progress stays
For instructors, and for work on the kit:
  make bake        a machine for a class without a network        [TRACK=]
  make check       grade all labs                                [SRC=solutions]
  make matrix      which steps pass as which user, tried out
  make skeletons   labs/ from solutions/, not over your work      [STEP= LAB=]
  make test        the kit's own tests
  make corpus      wrong solutions fail, right ones pass          [LAB= VM=]
EOF
