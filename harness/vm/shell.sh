#!/bin/sh
# shell.sh: what a person meets in a guest (make vm). Runs in there, on its console.
size=$(sed -n 's/.*strata.size=\([0-9]*x[0-9]*\).*/\1/p' /proc/cmdline)
stty rows "${size%x*}" cols "${size#*x}" 2>/dev/null

# Under the names that the Makefile has for them.
mkdir -p /usr/local/bin
shown=
for program in /kit/build/labs/*/lab?? /kit/build/solutions/*/lab??; do
    [ -x "$program" ] || continue
    name=${program##*/}
    source=${program#/kit/build/}
    [ ! -e "/usr/local/bin/$name" ] || continue
    cat >"/usr/local/bin/$name" <<EOF
#!/bin/sh
exec /kit/build/grade --src ${source%%/*} --no-progress --report /tmp/report "\$@" ${name#lab}
EOF
    chmod 755 "/usr/local/bin/$name"
    shown="$shown $name"
done
cat >/usr/local/bin/sandbox <<'EOF'
#!/bin/sh
# A shell in the sandbox that labs are graded in, with the labs' programs and a root filesystem.
set -- --cgroups --rootfs /kit/build/rootfs.tar --file busybox=/kit/build/busybox \
    --file probe=/kit/build/probe --env PATH=/strata:/usr/bin:/bin:/usr/sbin:/sbin
for program in /kit/build/solutions/*/lab?? /kit/build/labs/*/lab??; do
    [ -x "$program" ] || continue
    case " $* " in
    *" ${program##*/}="*) ;;
    *) set -- "$@" --file "${program##*/}=$program" ;;
    esac
done
exec /kit/build/inside "$@" -- /bin/sh
EOF
chmod 755 /usr/local/bin/sandbox
ln -sf /kit/build/grade /usr/local/bin/grade
# BusyBox would ask PID 1 for it, and ours does not listen.
for name in poweroff reboot halt; do
    printf '#!/bin/sh\nexec busybox poweroff -f\n' >"/usr/local/bin/$name"
    chmod 755 "/usr/local/bin/$name"
done

cat <<EOF

A machine of its own: Linux $(uname -r), control groups $(sed -n \
    's/.*strata.cgroup=\([a-z0-9]*\).*/\1/p' /proc/cmdline), and you are root of it.
 $shown
      grade a lab; --step 3 only that step
  sandbox    a shell where labs are graded, with their programs and a root filesystem
  poweroff   or Ctrl-D: ends it, and nothing stays (Ctrl-A X, should it hang)

EOF
cd /root || exit 1
exec sh -l
