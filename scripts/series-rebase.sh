# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: `rebase`, which brings a series to another source.
# The git tree gets the new source, and `git am` the patches one by one; older
# sources are in the repository beside it, for three-way merges. While that is
# under way, series/LINE/rebase has the line to be written, the version of its
# kernel, and the hash of the series that it began with.

# Has the newest source of LINE that apt knows in the cache.
fetch_newest() {
	local version dir=$DIR/.newest

	find_package
	new_temp_dir "$dir"
	APT_OPTIONS=()
	[[ $SUITE == - ]] || find_in_suite "$dir" "$PACKAGE" "$SUITE"
	version=$(apt-get -q "${APT_OPTIONS[@]}" --print-uris download "$PACKAGE" 2>/dev/null |
		sed -nE "s/^.* ${PACKAGE}_([^_ ]+)_all\.deb .*/\1/p") ||
		die "apt knows no $PACKAGE; run 'apt-get update' as root, or give a source with --to"
	echo "the newest source that apt knows: $PACKAGE $version"
	[[ -d $CACHE/src/linux-$version ]] || with_lock "$CACHE/src" download_source
	SOURCE=$CACHE/src/linux-$version SOURCE_ID=$version
}

# Sets SOURCE and SOURCE_ID to what --to asks for.
find_target() {
	if [[ -z $TO ]]; then
		fetch_newest
	elif [[ -d $TO ]]; then
		[[ -f $TO/Makefile && -f $TO/Kbuild && -d $TO/arch/x86 ]] ||
			die "$TO is not a Linux source tree"
		TREE=$TO check_unchanged
		SOURCE=$(cd "$TO" && pwd)
		SOURCE_ID="$(tree_version "$TO") tree"
	elif awk -v line="$TO" '$1 == line { found = 1 } END { exit !found }' "$TOP/scripts/kernel-lines.txt"; then
		KERNEL_TREE='' LINE=$TO get_source
	else
		SOURCE=$(find "$CACHE/src" -maxdepth 1 -name "linux-${TO//[^A-Za-z0-9.~+-]/?}*" 2>/dev/null |
			grep -E -- "/linux-${TO//./\\.}(-|\$)" | sort --version-sort | tail -n 1) ||
			die "there is no source of Linux $TO here; give its directory, or a line of scripts/kernel-lines.txt"
		SOURCE_ID=${SOURCE##*/linux-}
	fi
}

# The line that a source is of: the series' own, or the one that its version
# starts with.
target_line() {
	local version=${SOURCE_ID%% *}

	version=${version%%-*}
	if [[ $version == "$LINE" || $version == "$LINE".* ]]; then
		echo "$LINE"
	else
		cut -d . -f 1,2 <<<"$version"
	fi
}

# Puts the line's other sources into the repository: a patch's index lines name
# what it was made for, and git finds it among them.
add_old_sources() {
	local target=$SOURCE number=0 SOURCE

	while read -r SOURCE; do
		[[ $SOURCE != "$target" ]] || continue
		number=$((number + 1))
		commit_source "old-$number"
	done < <(
		find "$CACHE/src" -maxdepth 1 -name "linux-${LINE}[.-]*" 2>/dev/null
		[[ -z ${KERNEL_TREE:-} ]] || (cd "$KERNEL_TREE" && pwd)
	)
}

# The files that are in conflict, or have rejects beside them.
conflicts() {
	{
		tree_git diff --name-only --diff-filter=U
		tree_git ls-files --others -- '*.rej'
	} | sort -u
}

# show_rejects PATCH DIR: what patch(1) rejects of PATCH where the tree is
# before it, but only for the files in conflict: the others git has merged.
# What patch(1) said is in DIR/log.
show_rejects() {
	local patch=$1 dir=$2

	mkdir "$dir/tree"
	tree_git archive HEAD | tar -x -C "$dir/tree"
	awk -v files="$(conflicts | sed 's/\.rej$//' | tr '\n' ' ')" \
		'/^diff --git / { on = index(" " files, " " substr($4, 3) " ") } on' "$patch" >"$dir/patch"
	patch -d "$dir/tree" -p1 --force --fuzz=0 --no-backup-if-mismatch \
		-i "$dir/patch" >"$dir/log" 2>&1 || true
	find "$dir/tree" -name '*.rej' -exec cat {} +
}

# Says where the patch that git am is at does not apply, and what to do. What
# git could merge is in the tree; what it could not has conflict marks, or,
# without the source that the patch was made for, is in a .rej file.
show_conflict() {
	local to version patch dir=$DIR/.conflict next

	read -r to version _ <"$DIR/rebase"
	next=$(<"$REPO/.git/rebase-apply/next")
	patch=$(realpath "${PATCHES[next - 1]}")
	[[ -n $(tree_git ls-files -u) ]] ||
		tree_git apply --reject --whitespace=nowarn "$patch" >/dev/null 2>&1 || true
	new_temp_dir "$dir"
	show_rejects "$patch" "$dir"
	die "${patch##*/} does not apply to Linux $version: $(patch_failure "$dir/log"); edit $(
		conflicts | xargs) in $REPO, then run '$NAME rebase $LINE --continue', or '--abort'"
}

# Writes the result, when git am is through.
finish_rebase() {
	local to version began

	read -r to version began <"$DIR/rebase"
	check_commits
	[[ $began == "$SERIES_HASH" ]] ||
		die "patches/$LINE has changed since the rebase began; run '$NAME rebase $LINE --abort' and begin anew"
	write_series "$to"
	rm "$DIR/rebase"
	rm -rf "$REPO"
	echo "patches/$to is for Linux $version now; see it through with '$NAME verify $to'"
}

# run_am OPTION...: has git am go on, until it is through or at a conflict.
run_am() {
	local log=$REPO/.git/am.log

	run tree_git am "$@" >"$log" 2>&1 || {
		[[ -f $REPO/.git/rebase-apply/next ]] || die "git am failed: $(tail -n 1 "$log")"
		show_conflict
	}
	sed -nE '/^Applying: /h; /^No changes -- Patch already applied/ { g; s/^Applying/dropped, as the source has it/; p }' "$log"
	finish_rebase
}

start_rebase() {
	local to patch files=()

	check_no_rebase
	check_kept
	find_target
	to=$(target_line)
	[[ $to == "$LINE" || ! -e $PATCHES_DIR/$to ]] ||
		die "patches/$to exists already, for Linux ${SOURCE_ID%% *}; put it aside first"
	start_tree
	add_old_sources
	echo "$to ${SOURCE_ID%% *} $SERIES_HASH" >"$DIR/rebase"
	for patch in "${PATCHES[@]}"; do
		files+=("$(realpath "$patch")")
	done
	run_am -3 --keep-non-patch --whitespace=nowarn "${files[@]}"
}

# Takes what the user made of a conflict, and goes on. A patch of which nothing
# is left has come to the new source by another way.
continue_rebase() {
	local file files

	[[ -d $REPO/.git/rebase-apply ]] || { finish_rebase; return; }
	file=$(tree_git ls-files --others -- '*.rej' | head -n 1)
	[[ -z $file ]] || die "$REPO/$file is still there; work it in and remove it"
	mapfile -t files < <(conflicts)
	file=$(cd "$REPO" && grep -l -E '^(<<<<<<<|>>>>>>>) ' /dev/null "${files[@]}" 2>/dev/null | head -n 1) || true
	[[ -z $file ]] || die "$REPO/$file still has conflict marks; edit it"
	tree_git add -A
	if tree_git diff --cached --quiet; then
		echo "dropped, as nothing is left of it: ${PATCHES[$(<"$REPO/.git/rebase-apply/next") - 1]##*/}"
		run_am --skip
	else
		run_am --continue
	fi
}

rebase_series() {
	[[ -z $RESUME || -f $DIR/rebase ]] || die "line $LINE is not being rebased"
	case $RESUME in
	continue)
		continue_rebase
		;;
	abort)
		rm -rf "$REPO" "$DIR/rebase"
		echo "patches/$LINE is as it was"
		;;
	*)
		start_rebase
		;;
	esac
}
