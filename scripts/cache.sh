# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2153 # WORK and KEY are the caller's
#
# What takes long to make is kept in CACHE under a key made of all that it
# depends on, so that what has been made once is never made again. To be sourced
# after lib.sh by what makes kernels and images.

CACHE=${FAULTLINE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/var}/.cache}/faultline}

# keep FILE...: makes KEPT, with these files and the key in it.
keep() {
	local dir=${KEPT%/*}/.new-${KEPT##*/}

	new_temp_dir "$dir"
	cp -t "$dir" "$@"
	echo "$KEY" >"$dir/key"
	mv -T "$dir" "$KEPT"
}

# is_up_to_date OUT: whether it is what KEY stands for.
is_up_to_date() {
	[[ $(cat "$1/key" 2>/dev/null) == "$KEY" ]]
}

# Makes KEPT if nobody did, and OUT a copy of it; under a lock, which another run may
# have held to do the same.
provide() {
	local out=$1 make=$2

	! is_up_to_date "$out" || return 0
	[[ -d $KEPT ]] || "$make"
	new_temp_dir "$out.new"
	cp -r --reflink=auto "$KEPT/." "$out.new"
	rm -rf "$out"
	mv -T "$out.new" "$out"
}

# build_once OUT KIND NAME MAKE: has MAKE make the directory KEPT in the cache,
# which is of KIND, if it is not there yet, and OUT a copy of it. KEY is all that
# the result depends on; WORK, a directory to work in, is locked meanwhile.
build_once() {
	local out=$1 kind=$2 name=$3 make=$4

	KEPT=$CACHE/$kind/$name-$(sha256sum <<<"$KEY" | cut -c 1-16)
	if is_up_to_date "$out"; then
		echo "$out is up to date"
		return
	fi
	mkdir -p "$CACHE/$kind"
	with_lock "$WORK" provide "$out" "$make"
	echo "$name: $out"
}
