#!/usr/bin/perl
# tar.pl ENTRY... >ARCHIVE: a tar archive that no honest program would make.
#
# ENTRY is "KIND NAME [KEY=VALUE]...", KIND one of: file dir link hard char block fifo
#   text=T    the content of a file          zeros=N   N zero bytes as its content
#   to=PATH   where a link leads             size=N    what the header says, whatever follows
#   mode=0644, time=N, uid=N, gid=N          dev=1:8   of a device
#   times=N   the entry N times over
# and "end" writes the two blocks that end an archive before more entries. "@x" anywhere in NAME or
# PATH is the environment variable x.
use strict;
use warnings;

my %flag = (file => 0, hard => 1, link => 2, char => 3, block => 4, dir => 5, fifo => 6);

sub header {
    my ($kind, $name, %o) = @_;
    my $long = '';
    if (length $name > 100) {    # GNU's way: the name as the content of an entry before
        my $body = "$name\0";
        $long = block(0, '././@LongLink', length $body, 'L') . padded($body);
        $name = substr $name, 0, 100;
    }
    my ($major, $minor) = split /:/, $o{dev} // '0:0';
    return $long . block($o{mode} // ($kind eq 'dir' ? '0755' : '0644'),
        $name, $o{size}, $flag{$kind}, $o{to} // '', $o{time} // 1000000000, $major, $minor,
        $o{uid} // 0, $o{gid} // 0);
}

sub octal {    # eleven digits, or for what is larger the base-256 of GNU tar
    my ($n) = @_;
    return sprintf '%011o ', $n if $n < 8**11;
    return pack 'C x3 Q>', 0x80, $n;
}

sub block {
    my ($mode, $name, $size, $type, $to, $time, $major, $minor, $uid, $gid) = @_;
    my $b = pack 'a100 a8 a8 a8 a12 a12 a8 a1 a100 a6 a2 a32 a32 a8 a8 a155 x12', $name,
        sprintf('%07o', oct($mode || '0644')), sprintf('%07o', $uid // 0),
        sprintf('%07o', $gid // 0), octal($size), octal($time // 0), ' ' x 8, $type, $to // '',
        'ustar', '00', 'root', 'root', sprintf('%07o', $major // 0),
        sprintf('%07o', $minor // 0), '';
    substr($b, 148, 8) = sprintf "%06o\0 ", unpack '%32C*', $b;
    return $b;
}

sub padded { my ($body) = @_; return $body . "\0" x (-length($body) % 512) }

binmode STDOUT;
for (@ARGV) {
    if ($_ eq 'end') { print "\0" x 1024; next }
    s/\@(\w+)/$ENV{$1} \/\/ die "no variable $1\n"/ge;
    my ($kind, $name, @rest) = split / /, $_;
    my %o = map { /^(\w+)=(.*)/s or die "not KEY=VALUE: $_\n"; ($1 => $2) } @rest;
    my $body = $o{text} // '';
    my $zeros = $o{zeros} // 0;
    $o{size} //= $zeros || length $body;
    my $all = header($kind, $name, %o) . padded($body);
    if (my $times = $o{times}) {
        print $all x ($times < 4096 ? $times : 4096) and $times -= 4096 while $times > 0;
        next;
    }
    print $all;
    for (my $left = $zeros + -$zeros % 512; $left > 0; $left -= 1 << 20) {
        print "\0" x ($left < 1 << 20 ? $left : 1 << 20);
    }
}
print "\0" x 1024 unless $ENV{CUT};
