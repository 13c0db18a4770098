# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/kernel: keeps a copy of the source with the series applied.
#
# The copy stays where it is when the series changes, and only files whose
# content changes are written. So objects stay good for make, by their times,
# and for ccache, by their paths.

BUGS_DIR=${BUGS_DIR:-$TOP/lab/torture/bugs}

# Sets PATCHES, the files of the series as KERNEL_VARIANT wants it, and
# SERIES_HASH.
read_series() {
	local bug=$BUGS_DIR/${KERNEL_VARIANT:-}.patch

	PATCHES=()
	case ${KERNEL_VARIANT:-} in
	'')
		add_series
		;;
	stock)
		;;
	*)
		[[ -f $bug ]] || usage_error "unknown KERNEL_VARIANT '$KERNEL_VARIANT'; known: stock $(
			basename -a -s .patch "$BUGS_DIR"/*.patch 2>/dev/null | xargs)"
		add_series
		PATCHES+=("$bug")
		;;
	esac
	hash_series
}

# Sets SERIES_HASH, which stands for the content of PATCHES.
hash_series() {
	SERIES_HASH=$(cat /dev/null "${PATCHES[@]}" | sha256sum | cut -c 1-16)
}

# Adds the files that the series names to PATCHES.
add_series() {
	local series=$PATCHES_DIR/$LINE/series name

	while read -r name _; do
		[[ -n $name && $name != \#* ]] || continue
		[[ -f ${series%/*}/$name ]] || die "$series names $name, which is not there"
		PATCHES+=("${series%/*}/$name")
	done <"$series"
	((${#PATCHES[@]})) || die "$series names no patch"
}

# The files that the series changes, adds or removes.
patched_files() {
	sed -nE 's,^(---|\+\+\+) [ab]/([^\t]+).*,\2,p' /dev/null "${PATCHES[@]}" |
		sort -u | sed -E '\,(^|/)\.\.(/|$),d'
}

# Makes WORK/tree a copy of SOURCE, unless it comes from there already. Top
# level dot files, as .git, stay behind.
copy_source() {
	[[ ! -f $WORK/source || $(<"$WORK/source") != "$SOURCE_ID" ]] || return 0
	need_disk "$CACHE" 3
	echo "copying $SOURCE"
	rm -rf "$WORK/source" "$WORK/applied" "$WORK/touched" "$WORK/tree" "$WORK"/obj-*
	new_temp_dir "$WORK/.copy"
	run cp -a --reflink=auto -t "$WORK/.copy" "$SOURCE"/[!.]* 2>&1 || die "$SOURCE cannot be copied to $WORK"
	mv -T "$WORK/.copy" "$WORK/tree"
	: >"$WORK/touched"
	echo "$SOURCE_ID" >"$WORK/source"
}

# Says in one line why a patch does not apply, from what patch(1) printed.
patch_failure() {
	awk '
		/^patching file / { file = $3 }
		/^Hunk #[0-9]+ FAILED/ { sub(/#/, "", $2); why = file ", hunk " $2 " (line " $5 + 0 ")"; exit }
		/^\|\+\+\+ / { file = $2 }
		/^No file to patch/ { why = file ", which the source does not have"; exit }
		/^patch: \*\*\*\* / { sub(/^[^*]*\*+ /, ""); why = $0; exit }
		END { print why ? why : "see patch(1) on it" }
	' "$1"
}

# apply_patches DIR: DIR/tree gets the series applied; what patch(1) said, such
# as offsets, is gathered in DIR/apply.log.
apply_patches() {
	local dir=$1 patch

	: >"$dir/apply.log"
	for patch in "${PATCHES[@]}"; do
		run patch -d "$dir/tree" -p1 --force --fuzz=0 --no-backup-if-mismatch \
			--reject-file=- -i "$(realpath "$patch")" >"$dir/log" 2>&1 ||
			die "${patch##*/} does not apply to Linux ${SOURCE_ID%% *}: $(patch_failure "$dir/log")"
		{ echo "${patch##*/}:" && cat "$dir/log"; } >>"$dir/apply.log"
	done
}

# put_files DIR: brings the files listed in WORK/touched from DIR/tree to
# WORK/tree, where they differ. Ends at the first that cannot be put there.
put_files() {
	local dir=$1 file

	while read -r file; do
		if [[ ! -e $dir/tree/$file ]]; then
			rm -f "$WORK/tree/$file" || return
		elif ! cmp -s "$dir/tree/$file" "$WORK/tree/$file"; then
			mkdir -p "$(dirname "$WORK/tree/$file")" &&
				cp --preserve=mode "$dir/tree/$file" "$WORK/tree/$file.new" &&
				mv "$WORK/tree/$file.new" "$WORK/tree/$file" || return
		fi
	done <"$WORK/touched"
}

# copy_touched DIR: makes DIR/tree, with copies of those files listed in
# DIR/touched that SOURCE has.
copy_touched() {
	local dir=$1 files

	mkdir "$dir/tree"
	mapfile -t files < <(cd "$SOURCE" && xargs -r -d '\n' ls -d 2>/dev/null <"$dir/touched")
	((${#files[@]} == 0)) || (cd "$SOURCE" && cp -a --parents -t "$dir/tree" "${files[@]}")
}

# Applies the series to fresh copies of the files that it touches, and of those
# that a series before it touched, and puts the result in WORK/tree: a series
# that does not apply changes nothing there. Under a lock.
apply_series() {
	local dir=$WORK/.apply

	copy_source
	[[ ! -f $WORK/applied || $(<"$WORK/applied") != "$SERIES_HASH" ]] || return 0
	new_temp_dir "$dir"
	patched_files | sort -u - "$WORK/touched" >"$dir/touched"
	copy_touched "$dir"
	apply_patches "$dir"
	rm -f "$WORK/applied"
	mv "$dir/touched" "$WORK/touched"
	put_files "$dir"
	mv "$dir/apply.log" "$WORK/apply.log"
	echo "$SERIES_HASH" >"$WORK/applied"
}
