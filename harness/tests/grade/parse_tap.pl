#!/usr/bin/env perl
# Reads a report.tap with TAP::Parser, which is not ours, and prints "NUMBER OUTCOME" a step.
# Every failed step must have its diagnostics, and they must be YAML.
use strict;
use warnings;
use TAP::Parser;

open my $file, '<:raw', $ARGV[0] or die "$ARGV[0]: $!";
my $text = do { local $/; <$file> };
my $parser = TAP::Parser->new({ tap => $text });
my @steps;
while (my $result = $parser->next) {
    die 'unknown: ' . $result->raw . "\n" if $result->is_unknown && $result->raw =~ /\S/;
    die "a bail-out\n" if $result->is_bailout;
    if ($result->is_test) {
        next unless $result->description =~ /^- step (\d+): /;
        push @steps, [ $1, $result->has_skip ? 'SKIP' : $result->is_ok ? 'PASS' : undef ];
    } elsif ($result->is_yaml) {
        $steps[-1][1] //= $result->data->{outcome};
    }
}
die join("\n", $parser->parse_errors), "\n" if $parser->parse_errors;
print "$_->[0] ", $_->[1] // 'without diagnostics', "\n" for @steps;
