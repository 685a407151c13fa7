#!/bin/sh
# What lab 07 adds: images.
# shellcheck source-path=SCRIPTDIR/../../harness/verbs source=compare.sh
. /strata/compare.sh

tar -C /tmp/rootfs -cf base.tar .
gzip -n <base.tar >base.tar.gz
lab07 --import base.tar.gz=base >manifest
layers_stored() {
    find store/layers -mindepth 1 -maxdepth 1 | wc -l
}
alone=$(layers_stored)
mkdir app
cat >app/Stratafile <<'END'
FROM base
RUN head -c 1000000 /dev/zero > /download
RUN rm /download
END
lab07 --build app=app >built

echo "  A layer has two names, by its bytes as they are sent and as they are:"
printf '  %-22s %-25s %s\n' "" "compressed" "uncompressed"
differ "its digest" "$(lab07 --digest base.tar.gz | cut -c1-20)..." \
    "$(lab07 --digest base.tar | cut -c1-20)..."
printf '  %-22s %-25s %s\n' "" "base" "and app on it"
expect "layers in the store" "$alone" 1 "$(layers_stored)" 3
echo "  An instruction that deletes makes no image smaller:"
printf '  %-22s %-25s %s\n' "" "in the image" "seen by anybody"
expect "bytes of /download" "$(lab07 --waste app | cut -f1)" 1000000 \
    "$(lab07 --image app sh -c '[ -e /download ] && wc -c < /download || echo 0')" 0
echo "  What a container writes is in no image:"
printf '  %-22s %-25s %s\n' "" "container one" "container two"
expect "its /note" "$(lab07 --image app sh -c 'echo mine > /note; cat /note')" mine \
    "$(lab07 --image app sh -c 'cat /note 2>/dev/null || echo none')" none
echo "  An archive that would write outside:"
echo planted >x
tar -cPf up.tar --transform='s,^,../,' x
mkdir trusting
printf '  %-22s %-25s %s\n' "" "tar -P" "lab07"
rm x
expect "the file outside" "$(tar -C trusting -xPf up.tar && [ -e x ] && echo there)" there \
    "$(rm -f x; lab07 --unpack up.tar=careful 2>/dev/null; [ -e x ] || echo none)" none
finish
