# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# How an archive for an emulated host is packed. To be sourced by what makes one.

# copy_libraries PROGRAM ROOT: what it is linked with, and its dynamic loader, to
# where they are here.
copy_libraries() {
	ldd "$1" | grep -oE '/[^ ]+' | while read -r library; do
		install -D "$library" "$2$library"
	done
}

# pack DIR [EXCLUDED]...: DIR as a cpio archive, without the directories EXCLUDED
# (./usr/share/doc). The same files make the same archive: fixed times and
# owner, sorted names.
pack() {
	local dir=$1 exclude=() path

	shift
	for path; do
		exclude+=(-path "$path" -prune -o)
	done
	cd "$dir" || return
	find . "${exclude[@]}" -exec touch -h -d @0 {} +
	find . "${exclude[@]}" -print0 | LC_ALL=C sort -z |
		cpio --null --create --format=newc --owner=0:0 --reproducible --quiet
}

# pack_guest DIR INIT ARCHIVE...: the initramfs of a Linux guest: the archives, and
# INIT as its first program. DIR is a place to work in.
pack_guest() {
	local dir=$1 init=$2

	shift 2
	mkdir -p "$dir"/{dev,proc,sys,tmp}
	cp "$init" "$dir/init"
	(pack "$dir") | cat "$@" -
}
