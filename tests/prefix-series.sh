# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A line's series up to one of its patches, as a patches directory of its own.
# To be sourced after tap.sh, with TOP set.

# prefix_series LINE COUNT: $SCRATCH/patches has the first COUNT patches of LINE,
# and no other line.
prefix_series() {
	local from=$TOP/patches/$1 to=$SCRATCH/patches/$1

	rm -rf "$SCRATCH/patches"
	mkdir -p "$to"
	head -n "$2" "$from/series" >"$to/series"
	(cd "$from" && xargs cp -t "$to" <"$to/series")
}
