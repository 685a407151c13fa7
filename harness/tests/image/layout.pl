#!/usr/bin/perl
# layout.pl [OPTION...] FOLDER TAG LAYER...: an OCI image layout of these layers (FILE.tar, .tar.gz
# or .tar.zst), and what is to be wrong with it:
#   --edit OBJECT PATH VALUE   OBJECT is config, manifest or index; PATH "layers/0/digest"; VALUE JSON
#   --raw OBJECT TEXT          these bytes in place of the object
# What is edited is still found under its own digest, unless that is what was edited.
use strict;
use warnings;
use Digest::SHA qw(sha256_hex);
use JSON::PP;

my $json = JSON::PP->new->canonical->allow_nonref;
my (@edits, %raw);
while (@ARGV && $ARGV[0] =~ /^--(edit|raw)$/) {
    shift;
    if ($1 eq 'edit') { push @edits, [splice @ARGV, 0, 3] }
    else { my ($object, $text) = splice @ARGV, 0, 2; $raw{$object} = $text }
}
my ($folder, $tag, @layers) = @ARGV;

sub slurp { my ($path) = @_; local $/; open my $f, '<:raw', $path or die "$path: $!\n"; <$f> }

sub spill {
    my ($path, $bytes) = @_;
    open my $f, '>:raw', "$folder/$path" or die "$folder/$path: $!\n";
    print $f $bytes;
    close $f or die "$folder/$path: $!\n";
}

sub blob { my ($bytes) = @_; my $hex = sha256_hex($bytes); spill("blobs/sha256/$hex", $bytes); $hex }

sub edited {
    my ($name, $object) = @_;
    for (grep { $_->[0] eq $name } @edits) {
        my @path = split m{/}, $_->[1];
        my $last = pop @path;
        my $at = $object;
        $at = ref $at eq 'ARRAY' ? $at->[$_] : $at->{$_} for @path;
        (ref $at eq 'ARRAY' ? $at->[$last] : $at->{$last}) = $json->decode($_->[2]);
    }
    return $raw{$name} // $json->encode($object);
}

sub descriptor {
    my ($type, $bytes) = @_;
    return {mediaType => "application/vnd.oci.image.$type",
        digest => 'sha256:' . blob($bytes), size => length $bytes};
}

umask 022;
mkdir $_ for $folder, "$folder/blobs", "$folder/blobs/sha256";
my (@descriptors, @diff_ids);
for my $layer (@layers) {
    my ($how, $cat) = $layer =~ /\.gz$/ ? ('+gzip', 'gzip -dc') : $layer =~ /\.zst$/
        ? ('+zstd', 'zstd -dcq') : ('', 'cat');
    push @descriptors, descriptor("layer.v1.tar$how", slurp($layer));
    my $sha = Digest::SHA->new(256);
    open my $plain, '-|', "$cat '$layer'" or die;
    $sha->addfile($plain);
    push @diff_ids, 'sha256:' . $sha->hexdigest;
}
my $config = edited('config', {architecture => 'amd64', os => 'linux',
    config => {Env => ['PATH=/bin'], Cmd => ['/bin/sh']},
    rootfs => {type => 'layers', diff_ids => \@diff_ids},
    history => [map { {created_by => "layer $_"} } 1 .. @layers]});
my $manifest = edited('manifest', {schemaVersion => 2,
    mediaType => 'application/vnd.oci.image.manifest.v1+json',
    config => descriptor('config.v1+json', $config), layers => \@descriptors});
my $entry = descriptor('manifest.v1+json', $manifest);
$entry->{annotations} = {'org.opencontainers.image.ref.name' => $tag};
spill('index.json', edited('index', {schemaVersion => 2, manifests => [$entry]}));
spill('oci-layout', '{"imageLayoutVersion":"1.0.0"}');
