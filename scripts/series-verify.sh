# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: `verify`, what can be told without a compiler.

# git where no repository is found, whatever is above WORK.
plain_git() {
	GIT_CONFIG_GLOBAL=/dev/null GIT_CEILING_DIRECTORIES=$DIR git -C "$WORK" "$@"
}

# shortlog_problem TEXT: what is wrong with the first line of a changelog.
shortlog_problem() {
	if [[ ! $1 =~ ^[A-Za-z0-9_/\ -]+:\ .*[A-Z] ]]; then
		echo "the shortlog lacks a subsystem or a sentence: $1"
	elif ((${#1} > 75)); then
		echo "the shortlog is longer than 75 characters: $1"
	elif [[ $1 == *. ]]; then
		echo "the shortlog ends with a full stop: $1"
	fi
}

# form_problem PATCH: what is not as `git format-patch` writes it, or should be.
form_problem() {
	local patch=$1 info author shortlog

	if [[ ! $(head -n 1 "$patch") =~ ^From\ [0-9a-f]{40}\ Mon\ Sep\ 17\ 00:00:00\ 2001$ ]] ||
		! grep -q '^Subject: \[PATCH' "$patch" ||
		! info=$(plain_git mailinfo msg diff <"$patch"); then
		echo "it is not in the form of git format-patch"
		return
	fi
	author=$(sed -nE 's/^(Author|Email): //p' <<<"$info" | paste -sd ' ' | sed -E 's/ ([^ ]+)$/ <\1>/')
	shortlog=$(sed -n 's/^Subject: //p' <<<"$info")
	shortlog_problem "$shortlog"
	sed '/^[A-Z][A-Za-z-]*-by: /d' "$WORK/msg" | grep -q '[a-z]' || echo "it has no changelog"
	grep -qxF "Signed-off-by: $author" "$WORK/msg" || echo "its author's Signed-off-by is missing: $author"
	grep -qxF -- "$(plain_git apply --stat <"$patch" | tail -n 1)" "$patch" ||
		echo "its diffstat is missing or wrong"
}

# patch_blobs PATCH...: "PATCH BEFORE AFTER FILE" for each file in each patch,
# BEFORE and AFTER from its index line, - without one.
patch_blobs() {
	awk '
		function put() { if (file) print name, before, after, file; file = "" }
		FNR == 1 { put(); name = FILENAME; sub(/.*\//, "", name) }
		/^diff --git a\// { put(); file = substr($4, 3); before = after = "-" }
		file && /^index [0-9a-f]+\.\.[0-9a-f]+/ { split($2, id, /\.\./); before = id[1]; after = id[2] }
		/^-- $/ { put() }
		END { put() }
	' "$@"
}

# What is wrong with the index lines: each must be there, with 12 digits, and a
# file must be in each patch what the one before made of it.
chain_problem() {
	patch_blobs "${PATCHES[@]}" | awk '
		length($2) < 12 || length($3) < 12 { print $1 ": the index line of " $4 " is missing, or has less than 12 digits"; exit }
		$4 in is && substr(is[$4], 1, length($2)) != substr($2, 1, length(is[$4])) {
			print $1 ": " $4 " is " $2 " before it, but " is[$4] " after " by[$4]; exit
		}
		{ is[$4] = $3; by[$4] = $1 }
	'
}

check_form() {
	local patch problem

	# shellcheck disable=SC2153 # add_series() sets PATCHES
	for patch in "${PATCHES[@]}"; do
		problem=$(form_problem "$(realpath "$patch")" | head -n 1)
		[[ -z $problem ]] || die "${patch##*/}: $problem"
	done
	problem=$(chain_problem)
	# shellcheck disable=SC2153 # lib.sh sets NAME
	[[ -z $problem ]] || die "$problem; run '$NAME refresh $LINE'"
	echo "form: ${#PATCHES[@]} patches, good"
}

# Adds what checkpatch.pl --strict reports on a patch to WORK/reports: the
# patch, the type, the line and the text. It gets a copy, as it takes a patch
# that git knows for a source file, and no git tree, as it looks for commits of
# Linux in the one that it is called in.
checkpatch() {
	local name=${1##*/} status=0

	cp "$1" "$WORK/patch"
	GIT_DIR=$WORK/none perl "$SOURCE/scripts/checkpatch.pl" --root="$SOURCE" --strict --terse \
		--show-types --no-summary "$WORK/patch" >"$WORK/checkpatch" 2>&1 || status=$?
	((status <= 1)) ||
		die "scripts/checkpatch.pl of $SOURCE does not run: $(tail -n 1 "$WORK/checkpatch")"
	sed -nE "s,^.*/patch:([0-9]+): [A-Z]+:([A-Z_]+): (.*),$name \2 \1 \3,p" "$WORK/checkpatch" >>"$WORK/reports"
}

# The first report that checkpatch-exceptions has no line for, or the first
# line there without a report. A line is a type, the start of the patch's name,
# and the reason.
style_problem() {
	awk '
		FILENAME == ARGV[1] && /^[A-Z]/ {
			if (NF < 3) { print "checkpatch-exceptions: " $1 " " $2 " is without a reason"; exit }
			type[++n] = $1; start[n] = $2
		}
		FILENAME == ARGV[1] { next }
		{
			for (i = 1; i <= n && !(type[i] == $2 && index($1, start[i]) == 1); i++)
				;
			used[i] = 1
			if (i > n) { where = $1 ", line " $3 ": checkpatch.pl: " $2 ": "; $1 = $2 = $3 = ""; print where substr($0, 4); exit }
		}
		END {
			for (i = 1; i <= n; i++)
				if (!used[i]) print "checkpatch-exceptions: " type[i] " " start[i] " is not needed any more"
		}
	' "$1" "$WORK/reports" | head -n 1
}

check_style() {
	local patch problem exceptions=$PATCHES_DIR/$LINE/checkpatch-exceptions

	: >"$WORK/reports"
	for patch in "${PATCHES[@]}"; do
		checkpatch "$patch"
	done
	[[ -f $exceptions ]] || exceptions=/dev/null
	problem=$(style_problem "$exceptions")
	[[ -z $problem ]] || die "$problem"
	if [[ -s $WORK/reports ]]; then
		echo "checkpatch: no reports but those that checkpatch-exceptions argues for"
	else
		echo "checkpatch: no reports"
	fi
}

verify_series() {
	WORK=$DIR/.verify
	new_temp_dir "$WORK"
	check_form
	if [[ -f $PATCHES_DIR/$LINE/base ]]; then
		[[ -z $BUILD_TOO ]] || usage_error "line $LINE cannot be built: today's tools do not build that kernel"
		verify_blobs
		return
	fi
	[[ -z $GIT ]] || usage_error "--git is for lines without a source of their own, not for $LINE"
	get_source
	try_patches
	echo "applies: to Linux ${SOURCE_ID%% *}, without fuzz"
	check_style
	[[ -z $BUILD_TOO ]] || build_prefixes
}
