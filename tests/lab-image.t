#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# shellcheck disable=SC2016 # for the stand-ins
# lab/image/build: what an image is made of, when, and what is left when it is
# not; with stand-ins for apt and mmdebstrap. And a host that has an image.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
unset LINE VENDOR POLICY WORKLOAD PAGING FAULTS MICRO_OPTIONS TIMEOUT SILENCE LAB_KERNEL LAB_HOST_DIR
unset KERNEL_VARIANT CMDLINE CONFIG_NAME IMAGE SCRIPT HOST_MEMORY

# ---- a host with an image ----

printf '%s\n' 'qemu-system-x86_64 --version >&2 || exit 1' 'micro --faults 7 && echo "{\"seen\":7}" >$RESULT' >"$SCRATCH/script"
try env WORKLOAD=script SCRIPT="$SCRATCH/script" IMAGE=linux-host POLICY='zap update' OUT="$SCRATCH/results.json" "$TOP/lab/run"
is "$STATUS:$ERR" "0:" "a script runs on a host with an image, for each policy"
is "$(jq -r '.runs[] | "\(.schema) \(.policy) \(.guest.seen)"' "$SCRATCH/results.json" | xargs)" \
	"faultline.script/1 zap 7 faultline.script/1 update 7" "and its results arrive"
printf '%s\n' 'echo "no luck today" >&2; exit 3' >"$SCRATCH/script"
try env WORKLOAD=script SCRIPT="$SCRATCH/script" IMAGE=linux-host POLICY=zap OUT="$SCRATCH/failed.json" "$TOP/lab/run"
fails 1 "zap script 64 failed: no luck today" "a script that fails"
try env WORKLOAD=script SCRIPT="$SCRATCH/script" "$TOP/lab/run"
fails 2 "WORKLOAD=script needs SCRIPT, a file, and IMAGE" "a script without an image"
try env VENDOR=vmx IMAGE=linux-host "$TOP/lab/run"
fails 2 "IMAGE goes with VENDOR=svm only" "an image for Bochs"

# ---- what is built, with stand-ins ----

export FAULTLINE_CACHE=$SCRATCH/cache FAULTLINE_BUILD=$SCRATCH/build IMAGE_DIR=$SCRATCH/lists
export TMPDIR=$SCRATCH/tmp PATH=$SCRATCH/bin:$PATH ROOT=$SCRATCH/root KNOWN=$SCRATCH/versions
mkdir "$SCRATCH"/{bin,lists,tmp} -p "$ROOT"/{etc,usr/share/doc/x,usr/junk,var/lib/dpkg}
OUT_DIR=$FAULTLINE_BUILD/lab/image/small

# stand_in NAME: the standard input becomes the program NAME.
stand_in() {
	(echo '#!/bin/bash' && cat) >"$SCRATCH/bin/$1"
	chmod +x "$SCRATCH/bin/$1"
}

# What apt knows is in KNOWN; what the archive has, in ROOT.
stand_in apt-get <<<'
	[[ $* == *-s*good ]] || { echo "E: Unable to locate package ${*: -1}" >&2; exit 100; }
	awk "{ print \"Inst \" \$1 \" (\" \$2 \" Debian [amd64])\" }" "$KNOWN"'
stand_in mmdebstrap <<<'
	echo "$*" >>"${KNOWN%/*}/calls"
	for arg; do [[ $arg != *.tar ]] || tar -C "$ROOT" -cf "$arg" .; done'

build() {
	try "$TOP/lab/image/build" small
}

# How often an image was made.
builds() {
	wc -l <"$SCRATCH/calls"
}

# files: those in the image
files() {
	cpio -t --quiet <"$OUT_DIR/root.cpio" | sed 's:^\./::; s:/$::' | sort | xargs
}

# clean NAME: nothing temporary, and no half image is there.
clean() {
	is "$(find "$FAULTLINE_CACHE" "$FAULTLINE_BUILD" "$TMPDIR" -mindepth 1 \( -name '.*' -o -name '*new' -o -path "$TMPDIR/*" \) 2>/dev/null)" "" \
		"$1: nothing is left behind"
}

# refused REGEX NAME: no image is made.
refused() {
	rm -rf "$FAULTLINE_CACHE" "$FAULTLINE_BUILD"
	build
	fails 1 "$1" "$2"
	clean "$2"
	is "$(find "$FAULTLINE_CACHE" "$FAULTLINE_BUILD" -name '*.cpio' 2>/dev/null)" "" "$2: no image is kept"
}

printf '%s\n' 'Package: good' 'Version: 1-1' '' 'Package: lib' 'Version: 2' >"$ROOT/var/lib/dpkg/status"
printf '%s\n' 'good 1-1' 'lib 2' >"$KNOWN"
echo me >"$ROOT/etc/hostname"
echo text | tee "$ROOT/usr/share/doc/x/changelog" "$ROOT/usr/junk/big" >"$ROOT/etc/kept"
printf '%s\n' '# why' 'package good # because' '' 'without ./usr/junk' >"$IMAGE_DIR/small.txt"

build
is "$STATUS:$ERR" "0:" "an image is built"
is "$(files)" "etc etc/kept usr usr/share var var/lib" "what nobody needs is left out"
is "$(xargs <"$OUT_DIR/packages")" "good 1-1 lib 2" "the versions are with it"
like "$(<"$SCRATCH/calls")" "--include=good" "the packages asked for are in it"
clean "an image is built"
build
is "$STATUS:$OUT:$(builds)" "0:$OUT_DIR is up to date:1" "again: nothing is done"
rm -rf "$FAULTLINE_BUILD"
build
is "$STATUS:$(builds):$(ls "$OUT_DIR")" $'0:1:key\npackages\nroot.cpio' "after make clean: taken from the cache"

sed -i s/1-1/1-2/ "$KNOWN" "$ROOT/var/lib/dpkg/status"
build
is "$STATUS:$(builds)" "0:2" "a newer package: built anew"
echo 'without ./etc/kept' >>"$IMAGE_DIR/small.txt"
build
is "$STATUS:$(builds):$(files)" "0:3:etc usr usr/share var var/lib" "a changed list: built anew"

# ---- what can go wrong ----

try "$TOP/lab/image/build"
fails 2 "usage: lab/image/build NAME" "no name"
try "$TOP/lab/image/build" ../small
fails 2 "unknown image '../small'; known: small" "no such image"
echo 'pakcage good' >"$IMAGE_DIR/typo.txt"
try "$TOP/lab/image/build" typo
fails 2 "typo.txt has a line that is neither 'package NAME' nor 'without PATTERN': pakcage good" "a list with a typo"
rm "$IMAGE_DIR/typo.txt"

echo 'package bad' >>"$IMAGE_DIR/small.txt"
refused "Unable to locate package bad; run 'apt-get update'" "a package that doesn't exist"
sed -i /bad/d "$IMAGE_DIR/small.txt"
sed -i s/1-2/1-3/ "$KNOWN"
refused "archive is not as apt here remembers it \(good 1-2 good 1-3\); run 'apt-get update'" "an archive that has moved on"
sed -i s/1-3/1-2/ "$KNOWN"
stand_in mmdebstrap <<<'echo "E: setup failed: no space" >&2; exit 1'
refused "mmdebstrap failed: setup failed: no space; see .*mmdebstrap.log" "mmdebstrap fails"
stand_in mmdebstrap <<<'for arg; do [[ $arg != *.tar ]] || echo half >"$arg"; done; touch "$KNOWN.started"; sleep 1000'
rm -rf "$FAULTLINE_CACHE" "$FAULTLINE_BUILD"
interrupt "$KNOWN.started" "$TOP/lab/image/build" small
is "$STATUS:$IDS" "130:" "Ctrl-C: everything ends"
clean "Ctrl-C"
rm "$SCRATCH/bin/mmdebstrap"
mkdir "$SCRATCH/few"
for tool in bash env dirname basename xargs; do
	ln -s "$(command -v "$tool")" "$SCRATCH/few/$tool"
done
try env PATH="$SCRATCH/few" "$TOP/lab/image/build" small
fails 1 "mmdebstrap is missing; run scripts/deps image" "mmdebstrap isn't installed"
done_testing
