#!/bin/sh
# unknown.sh NAME: what make calls when there is no rule for NAME. One sentence, exit status 2.
set -u

name=$1
labs=$(cd labs && echo [0-9][0-9]-*)
first=${labs%%-*}
last=${labs##* }
last=${last%%-*}

case $name in
*[!a-z0-9]* | '')
    echo "make: there is no $name here, and no rule that makes it (make help lists the verbs)." >&2
    exit 2
    ;;
esac
verb=${name%%[0-9]*}
number=${name#"$verb"}
case $verb in
lab | hint | shell | debug | trace | break | diff | reset | asan) ;;
*) verb= ;;
esac
if [ -z "$verb" ]; then
    echo "make: \"$name\" is not a verb of this course: make help lists them." >&2
elif [ -z "$number" ]; then
    echo "make: $verb of which lab? For the first one: make $verb$first" >&2
elif [ ${#number} = 1 ] && [ -n "$(echo "labs/0$number"-*/)" ] && [ -d "$(echo "labs/0$number"-*)" ]; then
    echo "make: a lab has two digits: make ${verb}0$number" >&2
else
    echo "make: there is no lab $number: the labs go from $first to $last." >&2
fi
exit 2
