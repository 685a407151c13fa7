#!/usr/bin/perl
# console.pl CHAPTER.md...: runs the ```console blocks of a chapter and compares what they say.
#
#   $ COMMAND        typed by the reader; "> ..." lines below continue it
#   TEXT             what it prints, stdout and stderr together, where
#                      <word>  stands for any text within the line
#                      a line "..." stands for any lines
#
# The blocks of a chapter are one shell session in one sandbox, as `make shellNN` gives it, with the
# lab programs of solutions/. Blocks that begin with ```console host are run in the checkout, one
# shell session of its own for the chapter. Those that begin with ```console cgroup, cgroup1 or cgroup2
# need control groups, of version 1, or 2; without them they are skipped by name.
# Prints a TAP line for each command.
use strict;
use warnings;
use File::Temp qw(tempdir);

my $DEADLINE = 60;    # seconds, for all blocks of a chapter

# The version of the control groups that a sandbox can have here: 1, 2 or none.
my $look = '[ -e /sys/fs/cgroup/cgroup.procs ] && echo 2 || echo 1';
chomp(my $cgroups = `build/inside --cgroups -- sh -c '$look' 2>/dev/null` || 'none');

# Why a block cannot run here; undef when it can.
sub missing {
    my ($needs) = @_;
    return if $needs !~ /^cgroup(.?)/ || $cgroups eq $1 || ($1 eq '' && $cgroups ne 'none');
    return "no control groups" . ($1 ? " of version $1" : '') . " for a sandbox here";
}

# The commands of a file: {where, command, expected (lines), host}.
sub commands_of {
    my ($path) = @_;
    my ($open, $host, $needs, @commands) = (0, 0, '');
    open my $file, '<', $path or die "$path: $!\n";
    while (my $line = <$file>) {
        chomp $line;
        if (!$open && $line =~ /^```console(?:\s+(\w+))?\s*$/) {
            my $word = $1 // '';
            ($open, $host, $needs) = (1, $word eq 'host' ? 1 : 0, $word);
            die "$path:$.: \"$word\" is not known\n" if $word !~ /^(|host|cgroup[12]?)$/;
        } elsif ($open && $line =~ /^```/) {
            $open = 0;
        } elsif ($open && $line =~ /^\$ (.*)/) {
            push @commands, {where => "$path:$.", command => $1, expected => [], host => $host, needs => $needs};
        } elsif ($open && $line =~ /^> (.*)/ && @commands && !@{$commands[-1]{expected}}) {
            $commands[-1]{command} .= "\n$1";
        } elsif ($open) {
            die "$path:$.: a block begins with a command\n" unless @commands;
            push @{$commands[-1]{expected}}, $line;
        }
    }
    die "$path: the last block has no end\n" if $open;
    return @commands;
}

# The expected lines as one pattern for the whole output.
sub pattern_of {
    my $pattern = '';
    for my $line (@_) {
        if ($line eq '...') {
            $pattern .= '(?:[^\n]*\n)*';
            next;
        }
        # An odd part is a placeholder.
        my @parts = split /(<[^<>\s]+>)/, $line;
        $pattern .= join('', map { /^<[^<>\s]+>$/ ? '[^\n]+' : quotemeta } @parts) . '\n';
    }
    return qr/\A$pattern\z/;
}

sub quoted {
    my ($text) = @_;
    $text =~ s/'/'\\''/g;
    return "'$text'";
}

# The whole session as a script: before each command a line that no command prints, and its number.
# The last lines of a command that ends without a newline still count as a line.
sub script_of {
    my ($mark, @commands) = @_;
    my $script = "exec 2>&1 </dev/null\n";
    for my $i (0 .. $#commands) {
        $script .= "printf '\\n$mark %d\\n' $i\neval " . quoted($commands[$i]{command}) . "\n";
    }
    return $script . "printf '\\n$mark end\\n'\n";
}

# Runs the script; returns what each command printed, undef where the session never came to it.
sub run_session {
    my ($mark, $script, @how) = @_;
    my $dir = tempdir(CLEANUP => 1);
    open my $file, '>', "$dir/session" or die "$dir/session: $!\n";
    print $file $script;
    close $file;
    my $pid = open(my $out, '-|') // die "fork: $!\n";
    if ($pid == 0) {
        open STDERR, '>&', \*STDOUT;
        exec map { s/^SESSION$/$dir\/session/r =~ s/=SESSION$/=$dir\/session/r } @how;
        die "$how[0]: $!\n";
    }
    my $text = do { local $/; <$out> } // '';
    close $out;
    my @parts = split /\n\Q$mark\E (\d+|end)\n/, "\n$text", -1;
    my (%said, $before);
    $before = shift @parts;
    while (@parts > 1) {
        my ($number, $said) = splice @parts, 0, 2;
        $said .= "\n" if $said ne '' && $said !~ /\n\z/;
        $said{$number} = $said;
    }
    $said{before} = $before;
    return %said;
}

# How to run a session: in the sandbox of the chapter's lab, or in the checkout.
sub how_to_run {
    my ($path, $host) = @_;
    return ('timeout', $DEADLINE, 'sh', 'SESSION') if $host;
    my ($number) = $path =~ m{/(\d\d)-[^/]*$};
    my @files = ('busybox=build/busybox', 'probe=build/probe');
    for my $program (glob 'build/solutions/[0-9][0-9]/lab[0-9][0-9]') {
        my ($n) = $program =~ /(\d\d)$/;
        push @files, "lab$n=$program" if !defined $number || $n <= $number;
    }
    push @files, map { m{([^/]+)$} && "$1=$_" } grep { -x && !/\.d$/ } glob 'build/extra/*';
    return ('build/inside', $cgroups eq 'none' || $number < 11 ? () : '--cgroups',
        '--seconds', $DEADLINE, '--rootfs', 'build/rootfs.tar',
        (map { ('--file', $_) } @files, 'session=SESSION'), '--', 'sh', '/strata/session');
}

sub shown {
    my ($title, $text) = @_;
    return "#   $title (nothing)\n" if $text eq '';
    return join '', "#   $title\n", map { "#     $_\n" } split /\n/, $text;
}

my $failed = 0;
for my $path (@ARGV) {
    my @all = commands_of($path);
    print "not ok - $path has no ```console block\n" unless @all;
    $failed++ unless @all;
    for my $host (0, 1) {
        my @commands;
        for my $c (grep { $_->{host} == $host } @all) {
            my $why = missing($c->{needs});
            if (defined $why) {
                print "ok - $c->{where}: $c->{command} # SKIP $why\n" =~ s/\n(?=.)/ /gr;
            } else {
                push @commands, $c;
            }
        }
        next unless @commands;
        my $mark = sprintf '=-%08x%08x-=', rand(2**32), rand(2**32);
        my %said =
            run_session($mark, script_of($mark, @commands), how_to_run($path, $host));
        for my $i (0 .. $#commands) {
            my $c = $commands[$i];
            my $said = $said{$i};
            my ($first) = split /\n/, $c->{command};
            my $ends = $i == $#commands ? 'end' : $i + 1;
            if (defined $said && exists $said{$ends} && defined $said{$ends}
                && $said =~ pattern_of(@{$c->{expected}}))
            {
                print "ok - $c->{where}: $first\n";
                next;
            }
            $failed++;
            print "not ok - $c->{where}: $first\n";
            print shown('expected', join '', map { "$_\n" } @{$c->{expected}});
            print shown('got', $said // "the session ended before this: $said{before}");
            print "#   and there the session ended\n"
                if defined $said && !defined $said{$ends};
        }
    }
}
exit($failed ? 1 : 0);
