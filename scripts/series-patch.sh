# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: `apply LINE --tree DIR`, which patches a kernel tree
# of the user's. WORK is a temporary directory: WORK/tree is a link to DIR,
# WORK/touched lists the files that the series touches, WORK/old and WORK/new
# have them as they were, and as they will be.

# A git tree must have no local changes: they could not be told from ours
# afterwards.
check_unchanged() {
	local changed

	git -C "$TREE" rev-parse --is-inside-work-tree >/dev/null 2>&1 || return 0
	changed=$(GIT_OPTIONAL_LOCKS=0 git -C "$TREE" status --porcelain --untracked-files=no -- .) ||
		die "git cannot tell whether $TREE has local changes; see 'git status' in it"
	[[ -z $changed ]] ||
		die "$TREE has local changes: $(head -n 1 <<<"${changed:3}"); commit or stash them"
}

# The series must not be in the files already, i.e. its last patch must not
# come off them.
check_unpatched() {
	! patch -d "$WORK/old/tree" -p1 -R --force --fuzz=0 --dry-run \
		-i "$(realpath "${PATCHES[-1]}")" >/dev/null 2>&1 ||
		die "$TREE has the series already; give a tree without it"
}

# Each file, or the directory where it will be made, must be writable.
check_writable() {
	local file place

	while read -r file; do
		place=$TREE/$(dirname "$file")
		until [[ -d $place ]]; do
			place=$(dirname "$place")
		done
		[[ -w $place ]] || die "$place cannot be written; give a tree that can"
	done <"$WORK/touched"
}

# Brings the patched files to the tree, or none of them.
put_patched() {
	trap '' HUP INT TERM	# it takes no time
	put_files "$WORK/new" || {
		put_files "$WORK/old" || true
		die "$TREE cannot be written, and is left as it was; see whether its disk is full"
	}
}

patch_tree() {
	check_version "$TREE" "$TREE"
	SOURCE=$(cd "$TREE" && pwd)
	# shellcheck disable=SC2034 # apply_patches() names the version
	SOURCE_ID=$(tree_version "$SOURCE")
	check_unchanged

	WORK=$DIR/.patch
	new_temp_dir "$WORK"
	ln -s "$SOURCE" "$WORK/tree"
	mkdir "$WORK/old" "$WORK/new"
	patched_files | tee "$WORK/touched" "$WORK/old/touched" >"$WORK/new/touched"
	copy_touched "$WORK/old"
	copy_touched "$WORK/new"
	check_unpatched
	check_writable
	apply_patches "$WORK/new"
	put_patched
	cat "$WORK/new/apply.log"
	echo "$TREE has the series for $LINE now: ${#PATCHES[@]} patches"
}
