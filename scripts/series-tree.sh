# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: the git tree in which a series is edited, and the way
# back from it to patches/LINE.
#
# It has the source as its first commit, tagged `source`, and on it a commit a
# patch; what patches/LINE has is tagged `written`. It is not all of the
# kernel, only the part that a series for KVM may touch, so that it is made in
# seconds. The file .git/series has the hash of the series in patches/LINE.

SCOPE=(Makefile Documentation/admin-guide Documentation/virt arch/x86 include
	tools/testing/selftests/kvm virt)

# git in the tree, the same whatever the user's configuration says.
tree_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 \
		GIT_COMMITTER_NAME=faultline GIT_COMMITTER_EMAIL=faultline@localhost \
		git -C "$REPO" -c core.autocrlf=false -c gc.auto=0 "$@"
}

# The commands that work in a source need a line that has one of its own.
need_kernel_line() {
	[[ ! -f $PATCHES_DIR/$LINE/base ]] ||
		usage_error "$COMMAND cannot do line $LINE, which has no source of its own; see 'verify $LINE --git DIR'"
}

# commit_source TAG: makes SOURCE, or what there is of SCOPE and of the files
# that the series touches, a commit without parents.
commit_source() {
	local tag=$1 paths tree commit

	mapfile -t paths < <({ printf '%s\n' "${SCOPE[@]}"; patched_files; } |
		(cd "$SOURCE" && xargs -d '\n' ls -d 2>/dev/null))
	(
		export GIT_INDEX_FILE=$REPO/.git/index-$tag
		run tree_git -C "$SOURCE" --git-dir="$REPO/.git" --work-tree="$SOURCE" add -f -- "${paths[@]}"
		tree=$(tree_git write-tree)
		commit=$(GIT_AUTHOR_NAME=faultline GIT_AUTHOR_EMAIL=faultline@localhost \
			tree_git commit-tree -m "Linux ${SOURCE_ID%% *}" "$tree")
		tree_git tag "$tag" "$commit"
		rm "$GIT_INDEX_FILE"
	)
}

# start_tree: REPO, anew, with SOURCE in it and nothing of the series yet.
start_tree() {
	local final=$REPO

	REPO=$DIR/.tree
	new_temp_dir "$REPO"
	tree_git init -q -b series
	tree_git config gc.auto 0
	commit_source source
	tree_git reset -q --hard source
	rm -rf "$final"
	mv -T "$REPO" "$final"
	REPO=$final
}

# Makes each patch given a commit.
commit_patches() {
	run tree_git am -q --keep-non-patch --whitespace=nowarn "$@" 2>&1
}

# Notes that the tree's commits are what patches/LINE has.
mark_written() {
	tree_git tag -f written HEAD >/dev/null
	echo "$SERIES_HASH" >"$REPO/.git/series"
}

check_no_rebase() {
	# shellcheck disable=SC2153 # lib.sh sets NAME
	[[ ! -f $DIR/rebase ]] ||
		die "line $LINE is being rebased in $REPO; run '$NAME rebase $LINE' with --continue or --abort"
}

# The tree, if there is one, must have nothing that patches/LINE lacks.
check_kept() {
	[[ -d $REPO ]] || return 0
	[[ -z $(tree_git status --porcelain) &&
		$(tree_git rev-parse HEAD) == $(tree_git rev-parse -q --verify written) ]] ||
		die "$REPO has changes that patches/$LINE lacks; commit them and run '$NAME refresh $LINE', or remove that directory"
}

# try_patches: the series must apply to SOURCE; says where it does not.
try_patches() {
	local dir=$DIR/.try

	new_temp_dir "$dir"
	patched_files >"$dir/touched"
	copy_touched "$dir"
	apply_patches "$dir"
	grep -E 'patch:$|offset' "$dir/apply.log" | grep -B 1 offset || true
}

make_tree() {
	check_no_rebase
	check_kept
	try_patches
	start_tree
	commit_patches "${PATCHES[@]}" || die "git am does not take the series; see $REPO"
	mark_written
	echo "git tree: $REPO, ${#PATCHES[@]} patches on Linux ${SOURCE_ID%% *}"
}

# The commits must be fit to be written: a plain row, and nothing beside it.
check_commits() {
	local changed

	changed=$(tree_git status --porcelain)
	[[ ! -d $REPO/.git/rebase-merge && ! -d $REPO/.git/rebase-apply ]] ||
		die "$REPO is in a git rebase or am of yours; finish it first"
	[[ -z $changed ]] ||
		die "$REPO has uncommitted changes: $(head -n 1 <<<"${changed:3}"); commit them, e.g. with 'git commit --amend'"
	if [[ $(tree_git merge-base source HEAD) != "$(tree_git rev-parse source)" ||
		-n $(tree_git rev-list --merges source..HEAD) ]]; then
		die "$REPO has commits that are not in a row on its tag 'source'; rebase them onto it"
	fi
	[[ $(tree_git rev-list --count source..HEAD) != 0 ]] || die "$REPO has no commit of a series"
}

# export_commits DIR: writes DIR/series and its patches, in place of the ones
# that DIR/series named before.
export_commits() {
	local dir=$1 names name

	(cd "$dir" && rm -f -- "${PATCHES[@]##*/}")
	names=$(tree_git format-patch -o "$dir" -N --zero-commit --abbrev=12 --no-signature \
		--no-thread --no-cover-letter --src-prefix=a/ --dst-prefix=b/ source..HEAD) ||
		die "git format-patch failed in $REPO"
	{
		grep '^#' "$dir/series" 2>/dev/null || true
		while read -r name; do
			echo "${name##*/}"
		done <<<"$names"
	} >"$dir/.series"
	mv "$dir/.series" "$dir/series"
}

# show_changes OLD NEW: the files that differ, without their directories.
show_changes() {
	diff -rq "$1" "$2" | sed -E "
		s,^Files .*/([^/]+) differ\$,changed: \1,
		s,^Only in $2: ,new: ,
		s,^Only in $1: ,gone: ," || true
}

# write_series LINE: makes the commits patches/LINE, all at once.
write_series() {
	local to=$1 dir new old
	dir=$(realpath -m "$PATCHES_DIR/$to")
	new=${dir%/*}/.$to.new old=${dir%/*}/.$to.old

	new_temp_dir "$new"
	new_temp_dir "$old"
	[[ ! -d $dir ]] || cp -a "$dir/." "$new"
	export_commits "$new"
	if diff -r "$dir" "$new" >/dev/null 2>&1; then
		echo "patches/$to has not changed"
		return
	fi
	[[ ! -d $dir ]] || mv -T "$dir" "$old"
	mv -T "$new" "$dir"
	show_changes "$old" "$dir"
	echo "patches/$to: written"
}

refresh_series() {
	check_no_rebase
	[[ -d $REPO ]] || die "there is no git tree of line $LINE; '$NAME apply $LINE' makes one"
	check_commits
	[[ $(<"$REPO/.git/series") == "$SERIES_HASH" ]] ||
		die "patches/$LINE has changed since $REPO was made from it, and a refresh would undo that; put one of the two aside"
	write_series "$LINE"
	PATCHES=()
	add_series
	hash_series
	mark_written
}
