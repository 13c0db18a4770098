#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/kernel fetch, with a package and an apt-get of our own.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"

export FAULTLINE_CACHE=$SCRATCH/cache PATCHES_DIR=$SCRATCH/patches
export SCRATCH PATH=$SCRATCH/bin:$PATH
unset KERNEL_TREE
SRC=$FAULTLINE_CACHE/src
mkdir -p "$SCRATCH/bin" "$PATCHES_DIR"/{6.12,7.2,2007}
touch "$PATCHES_DIR"/{6.12,7.2,2007}/series

# make_deb PACKAGE VERSION: as Debian makes them. What fetch leaves out is in.
make_deb() {
	local dir=$SCRATCH/deb

	rm -rf "$dir"
	fake_kernel "$dir/$1" 9
	mkdir -p "$dir/root/usr/src" "$dir/root/DEBIAN" "$dir/$1/arch/arm/boot/dts" "$dir/$1/tools/arch/arm"
	touch "$dir/$1/arch/arm/"{Kconfig,head.S} "$dir/$1/tools/arch/arm/asm.h"
	tar -C "$dir" -cJf "$dir/root/usr/src/$1.tar.xz" "$1"
	printf '%s\n' "Package: $1" "Version: $2" Architecture:\ all Maintainer:\ nobody Description:\ test >"$dir/root/DEBIAN/control"
	dpkg-deb -b "$dir/root" "$SCRATCH/$1.deb" >/dev/null
}

# This apt-get does what the file `mode` says, and keeps what is said to it, and
# the sources that it shall go by.
cat >"$SCRATCH/bin/apt-get" <<'END'
#!/bin/bash
echo "$*" >>"$SCRATCH/calls"
mode=$(<"$SCRATCH/mode")
[[ $* != *SourceList=* ]] || cat "$(sed 's/.*SourceList=//; s/ .*//' <<<"$*")" >"$SCRATCH/sources"
case $*:$mode in
indextargets*:nomirror)	;;
indextargets*)	printf '%s\n' file:///debian/ file:///debian/ ;;
*update*:unreadable)	echo "E: The repository does not have a Release file." >&2; exit 100 ;;
*update*)	;;
*:good)		cp "$SCRATCH/${!#}.deb" "${!#}_1_all.deb" ;;
*:short*)	head -c "${mode#short}" "$SCRATCH/${!#}.deb" >"${!#}_1_all.deb" ;;
*:slow)		touch "$SCRATCH/downloading"; sleep 1000 ;;
*)		echo "E: Unable to locate package" >&2; exit 100 ;;
esac
END
# This apt-cache knows 7.2 unless it has moved on.
cat >"$SCRATCH/bin/apt-cache" <<'END'
#!/bin/bash
[[ $(<"$SCRATCH/mode") == moved ]] || echo linux-source-7.2
echo linux-source-7.3
END
chmod +x "$SCRATCH"/bin/*

# fetch MODE [LINE]
fetch() {
	echo "$1" >"$SCRATCH/mode"
	: >"$SCRATCH/calls"
	try "$TOP/scripts/kernel" fetch "${2:-6.12}"
}

# empty NAME: nothing, or nothing new, is in the cache.
empty() {
	is "$(ls -A "$SRC")" "" "$1: nothing is left behind"
}

make_deb linux-source-6.12 6.12.9-1~deb12u1
fetch none
fails 1 'apt cannot download linux-source-6.12; .*KERNEL_TREE' "a package that apt does not know"
empty "a package that apt does not know"

fetch short700
fails 1 'cannot be unpacked' "half a package"
empty "half a package"
fetch short100
fails 1 'has arrived damaged' "the start of a package"
empty "the start of a package"

echo slow >"$SCRATCH/mode"
interrupt "$SCRATCH/downloading" "$TOP/scripts/kernel" fetch 6.12
is "$STATUS" 130 "Ctrl-C: exit status"
is "$ERR$IDS" "" "Ctrl-C: no process is left, nothing is said"
empty "Ctrl-C"

fetch good
is "$STATUS:$(ls -A "$SRC")" "0:linux-6.12.9-1~deb12u1" "a package is fetched"
is "$(cd "$SRC"/* && find arch/arm tools -type f | sort | xargs)" "arch/arm/Kconfig tools/arch/arm/asm.h" \
	"other architectures are left out, but for Kconfig"
fetch none
is "$STATUS:$(<"$SCRATCH/calls")" "0:" "again: apt is left alone"

try "$TOP/scripts/kernel" fetch 2007
fails 1 'names no source for line 2007; set KERNEL_TREE' "a line that Debian has no source for"

rm -rf "$FAULTLINE_CACHE"
make_deb linux-source-6.12 6.13.1-1
sed -i s/12/13/ "$SCRATCH/deb/linux-source-6.12/Makefile"
tar -C "$SCRATCH/deb" -cJf "$SCRATCH/deb/root/usr/src/linux-source-6.12.tar.xz" linux-source-6.12
dpkg-deb -b "$SCRATCH/deb/root" "$SCRATCH/linux-source-6.12.deb" >/dev/null
fetch good
fails 1 'the package linux-source-6.12 is Linux 6.13.9, not of line 6.12' "a package with another line in it"
empty "a package with another line in it"

# A line that is in unstable only: with sources and lists of its own
make_deb linux-source-7.2 7.2.9-1
sed -i -e s/6/7/ -e s/12/2/ "$SCRATCH/deb/linux-source-7.2/Makefile"
tar -C "$SCRATCH/deb" -cJf "$SCRATCH/deb/root/usr/src/linux-source-7.2.tar.xz" linux-source-7.2
dpkg-deb -b "$SCRATCH/deb/root" "$SCRATCH/linux-source-7.2.deb" >/dev/null
fetch moved 7.2
fails 77 'sid has no linux-source-7.2 any more, only linux-source-7.3; .*KERNEL_TREE' "a package that unstable has moved on from"
empty "a package that unstable has moved on from"
fetch unreadable 7.2
fails 1 'apt cannot read what sid has; ' "a suite that cannot be read"
fetch nomirror 7.2
fails 1 'knows no mirror of Debian to take sid from; .*KERNEL_TREE' "a machine without Debian's sources"
empty "a machine without Debian's sources"
fetch good 7.2
is "$STATUS:$(ls -A "$SRC")" "0:linux-7.2.9-1" "a package of unstable is fetched"
like "$(<"$SCRATCH/sources")" '^deb .*signed-by=.* file:///debian/ sid main$' "from the machine's own mirror"
is "$(grep -vc -e ^indextargets -e "Lists=$SRC/.fetch-7.2/" "$SCRATCH/calls")" 0 "the machine's own lists are left alone"

done_testing
