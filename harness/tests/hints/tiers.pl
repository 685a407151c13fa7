# Reads every lab's hints and solution, and prints a TAP line for what has to hold of each step.
# A parser of its own: the one that students meet is in harness/grade/hint.c.
use strict;
use warnings;
use JSON::PP;

# What students call: system calls, and the functions of libc and of earlier layers around them.
my $calls = join '|', qw(
    clone3 waitid waitpid write read sigprocmask signal sigaction close_range stat open opendir
    readdir sysconf sethostname setdomainname msgget shmget semget mq_open mq_close mount umount2
    statvfs process_start process_exit_status sigwaitinfo sigfillset kill getpgid getpgrp chroot
    chdir pivot_root mkdir mount_setattr fstat close getrlimit getcwd mount_bind mount_tmpfs
    pid_mount_proc pid_namespaces setgroups setresgid setresuid prctl geteuid cap_get_proc
    cap_set_proc cap_init cap_free cap_get_flag cap_set_flag cap_get_bound cap_drop_bound
    seccomp_init seccomp_release seccomp_rule_add_array seccomp_attr_set seccomp_arch_native
    seccomp_arch_add seccomp_load cap_to_name strcasecmp strncasecmp mount_readonly ioctl getline
    setxattr removexattr fsetxattr lgetxattr mknodat makedev unlinkat openat2 mkdirat fchmodat
    fchownat chmod overlay_remove empty_folder changes_add compare_folder mount_layers
    process_wait pread fstatat openat linkat fsync renameat faccessat sha256_init sha256_update
    digest_text plain_open plain_read plain_close tar_make tar_clear tar_open tar_next tar_close
    tar_each tar_spell overlay_hide overlay_replace store_temporary_file store_copy image_digest
    image_place paths_add paths_add_alias paths_find paths_parent paths_free
    cgroup_write cgroup_read cgroup_bound cgroup_find groups_each file_read strtoull sscanf fscanf fopen
    fclose mounts_each lines_each list_has group_has group_read group_write group_above part_there
    part_add file_write v1_file group_clear clock_ms clock_pause rmdir unshare fdopen strsep);

sub slurp {
    my ($path) = @_;
    open my $file, '<:encoding(UTF-8)', $path or die "$path: $!\n";
    local $/;
    return scalar <$file>;
}

# {slug}{tier} -> list of texts; "1 WORD:" and "1 *:" are tier 1.
sub hints_of {
    my ($path) = @_;
    my (%hints, $slug, $text);
    for (split /\n/, slurp($path)) {
        next if /^#/ || /^\s*$/;
        if (/^\[([\w-]+)\]/) { $slug = $1; next }
        if (/^([123])(?:\s+(\S+))?:\s*(.*)/) {
            push @{ $hints{$slug}{$1} }, { word => $2 // '*', text => $3 };
            $text = \$hints{$slug}{$1}[-1]{text};
        } elsif (/^\s+(.*)/) {
            $$text .= " $1";
        } else {
            die "$path: a line that is no hint: $_\n";
        }
    }
    return \%hints;
}

# The calls in the solution's regions of a step, comments and strings aside.
sub calls_of {
    my ($source, $step) = @_;
    my %found;
    while ($source =~ m{BEGIN SOLUTION step $step\b.*?\*/(.*?)/\* END SOLUTION}gs) {
        my $code = $1;
        $code =~ s{/\*.*?\*/}{}gs;
        $code =~ s/"(?:\\.|[^"\\])*"//g;
        $found{$1}++ while $code =~ /\b($calls)\s*\(/g;
        $found{ lc $1 }++ while $code =~ /\bSYS_(\w+)/g;
    }
    return sort keys %found;
}

sub tap {
    my ($good, $name, $why) = @_;
    print $good ? "ok - $name\n" : "not ok - $name\n#   $why\n";
}

binmode STDOUT, ':encoding(UTF-8)';
my $labs = JSON::PP->new->utf8->decode(scalar `build/grade --list --json`);
for my $lab (@$labs) {
    my $hints = hints_of("harness/graders/$lab->{name}.hints");
    my ($layer) = glob "solutions/$lab->{name}/*.c";
    my $source = slurp($layer);
    for my $step (@{ $lab->{steps} }) {
        my $name = "$lab->{name} step $step->{number}";
        my $own = $hints->{ $step->{slug} };
        my @texts = map { map { $_->{text} } @{ $own->{$_} // [] } } 1 .. 3;
        my %seen;
        my @twice = grep { $seen{$_}++ } @texts;
        my $any = grep { $_->{word} eq '*' } @{ $own->{1} // [] };
        tap($any && $own->{2} && $own->{3}, "$name: three tiers, the first for anything as well",
            'a tier is missing');
        tap(!@twice, "$name: no hint says what another says", $twice[0] // '');
        tap(@{ $own->{1} // [] } >= 3, "$name: first hints for what was observed", 'fewer than two');
        my $third = join ' ', map { $_->{text} } @{ $own->{3} // [] };
        my @missing = grep { $third !~ /\b$_\b/ } calls_of($source, $step->{number});
        tap(!@missing, "$name: the third names every call of the solution", "not: @missing");
        tap($third !~ /[{}]|\w\([^()]+\);/, "$name: the third is words and no code", $third);
    }
}
