# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: `verify LINE --git DIR`, for a series that is kept for
# files in Linux's history. patches/LINE/base names the commit that they come
# from; the patches' index lines name them exactly, in full.

# git in a repository in WORK that sees the objects of the clone GIT, and puts
# its own beside them: nothing is written there.
blob_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_INDEX_FILE=$WORK/index \
		git -c core.autocrlf=false --git-dir="$WORK/git" "$@"
}

borrow_objects() {
	local objects

	objects=$(cd "$GIT" 2>/dev/null && realpath -e "$(git rev-parse --git-path objects 2>/dev/null)" 2>/dev/null) ||
		die "$GIT is not a git repository, or not one that git lets you use; give a clone of Linux"
	git init -q --bare "$WORK/git"
	echo "$objects" >"$WORK/git/objects/info/alternates"
}

# The files as the series needs them, as lines "BLOB FILE".
first_blobs() {
	patch_blobs "${PATCHES[@]}" | awk '$2 !~ /^0+$/ && !seen[$4]++ { print $2, $4 }'
}

# load_files BASE: fills the index with the files, which must be those of BASE if
# the clone has it.
load_files() {
	local base=$1 blob file got known

	known=$(blob_git rev-parse -q --verify "$base^{commit}" 2>/dev/null) || true
	while read -r blob file; do
		if [[ -n $known ]]; then
			got=$(blob_git rev-parse -q --verify "$base:$file") || got=nothing
			[[ $got == "$blob" ]] || die "$file of $base is $got in $GIT, but the series is for $blob"
		fi
		blob_git cat-file -e "$blob" 2>/dev/null ||
			die "$GIT has neither $base nor $file as it was there ($blob); fetch Linux's history into it, v2.6.23 has both"
		blob_git update-index --add --cacheinfo "100644,$blob,$file"
	done < <(first_blobs)
	if [[ -n $known ]]; then
		echo "files: those of $base, as the series needs them"
	else
		echo "files: as the series needs them; $GIT lacks $base to compare"
	fi
}

# check_blobs WHICH PATCH: the files must have the blobs that the index lines of
# PATCH give, before or after it.
check_blobs() {
	local which=$1 patch=$2 want got before after file

	# shellcheck disable=SC2034 # one of the two is taken, by its name
	while read -r _ before after file; do
		want=${!which}
		got=$(blob_git rev-parse -q --verify ":$file") || got=$(printf '0%.0s' {1..40})
		[[ $got == "$want" ]] ||
			die "${patch##*/}: $file is $got $which it, not $want"
	done < <(patch_blobs "$patch")
}

verify_blobs() {
	local base patch

	base=$(sed '/^#/d' "$PATCHES_DIR/$LINE/base")
	[[ -n $GIT ]] ||
		usage_error "line $LINE is verified in a clone of Linux that has v2.6.23; give one with --git DIR"
	borrow_objects
	load_files "$base"
	for patch in "${PATCHES[@]}"; do
		check_blobs before "$patch"
		blob_git apply --cached "$(realpath "$patch")" 2>"$WORK/log" ||
			die "${patch##*/} does not apply: $(head -n 1 "$WORK/log")"
		check_blobs after "$patch"
		echo "applies: ${patch##*/}"
	done
}
