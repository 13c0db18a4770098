# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # the caller uses what is set here
#
# Part of scripts/kernel: finds the source of a line, or fetches it from Debian.

# The version that a tree's Makefile states.
tree_version() {
	awk -F ' *= *' '
		$1 == "VERSION" { version = $2 }
		$1 == "PATCHLEVEL" { version = version "." $2 }
		$1 == "SUBLEVEL" { print version ($2 ? "." $2 : ""); exit }
	' "$1/Makefile"
}

# check_version TREE WHAT: it must be a kernel source tree of LINE.
check_version() {
	local tree=$1 what=$2 version

	[[ -f $tree/Makefile && -f $tree/Kbuild && -d $tree/arch/x86 ]] ||
		die "$what is not a Linux source tree"
	version=$(tree_version "$tree")
	[[ $version == "$LINE" || $version == "$LINE".* ]] ||
		die "$what is Linux ${version:-of no known version}, not of line $LINE"
}

# check_tree TREE WHAT: it must be one that nobody has built in, too.
check_tree() {
	local tree=$1 what=$2

	check_version "$tree" "$what"
	[[ ! -e $tree/.config && ! -e $tree/include/config ]] ||
		die "$what has been built in, which kbuild does not allow; run 'make mrproper' in it"
}

# What identifies the content of a tree that others may change.
tree_fingerprint() {
	find "$1" -name .git -prune -o -type f -printf '%P %s %T@\n' |
		sort | sha256sum | cut -c 1-16
}

# Sets SOURCE, a directory, and SOURCE_ID, which stands for its content. Fails
# when the source has to be fetched first.
find_source() {
	if [[ -n ${KERNEL_TREE:-} ]]; then
		check_tree "$KERNEL_TREE" "KERNEL_TREE=$KERNEL_TREE"
		SOURCE=$(cd "$KERNEL_TREE" && pwd)
		SOURCE_ID="$(tree_version "$SOURCE") tree $(tree_fingerprint "$SOURCE")"
		return
	fi
	SOURCE=$(find "$CACHE/src" -maxdepth 1 -name "linux-${LINE}[.-]*" 2>/dev/null |
		sort --version-sort | tail -n 1)
	SOURCE_ID=${SOURCE##*/linux-}
	[[ -n $SOURCE ]]
}

get_source() {
	find_source || with_lock "$CACHE/src" fetch_source
}

# Ends with the status that has tests and the lab skip a line.
unavailable() {
	echo "$NAME: $*; set KERNEL_TREE to an unpacked tree of Linux $LINE" >&2
	exit 77
}

# A URL of Debian, as the machine's own sources have it.
debian_mirror() {
	# shellcheck disable=SC2016 # apt's variable
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Label: Debian' |
		sort -u | awk 'NR == 1'
}

# use_suite DIR SUITE: sets APT_OPTIONS so that apt knows SUITE and nothing
# else, whatever the machine's own sources are, with its files in DIR.
use_suite() {
	local dir=$1 suite=$2 mirror keys=/usr/share/keyrings/debian-archive-keyring.gpg

	mirror=$(debian_mirror)
	[[ -n $mirror && -f $keys ]] ||
		die "apt on this machine knows no mirror of Debian to take $suite from; set KERNEL_TREE to an unpacked tree of Linux $LINE"
	mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial"
	echo "deb [signed-by=$keys target=Packages lang=none] $mirror $suite main" >"$dir/sources.list"
	APT_OPTIONS=(-o "Dir::Etc::SourceList=$dir/sources.list" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null
		-o "Dir::State::Lists=$dir/lists" -o Dir::State::Status=/dev/null
		-o "Dir::Cache=$dir/cache")
}

# find_in_suite DIR PACKAGE SUITE: has apt look for PACKAGE in SUITE, which
# moves on, and so may have left PACKAGE behind.
find_in_suite() {
	local dir=$1 package=$2 suite=$3 others

	use_suite "$dir/apt" "$suite"
	echo "looking for $package in $suite"
	run apt-get -q "${APT_OPTIONS[@]}" -o APT::Update::Error-Mode=any update 2>&1 ||
		die "apt cannot read what $suite has; try again later, or set KERNEL_TREE to an unpacked tree of Linux $LINE"
	others=$(apt-cache "${APT_OPTIONS[@]}" pkgnames linux-source- | sort --version-sort | xargs)
	[[ " $others " == *" $package "* ]] ||
		unavailable "$suite has no $package any more, only ${others:-other packages}"
}

download() {
	cd "$1" && apt-get -q "${APT_OPTIONS[@]}" download "$2" 2>&1
}

# get_package DIR PACKAGE SUITE: PACKAGE, as a file in DIR
get_package() {
	local dir=$1 package=$2 suite=$3

	APT_OPTIONS=()
	[[ $suite == - ]] || find_in_suite "$dir" "$package" "$suite"
	echo "downloading $package"
	run download "$dir" "$package" || {
		[[ $suite != - || $(id -u) != 0 ]] || run apt-get -q update 2>&1
		run download "$dir" "$package"
	} || die "apt cannot download $package; run 'apt-get update' as root, or set KERNEL_TREE to an unpacked tree of Linux $LINE"
}

# unpack DEB PACKAGE DIR: the kernel tree in DEB, as DIR/PACKAGE. A third of it
# cannot be of use here, and is left out: register lists of AMD's graphics, and
# code and device trees of other architectures. Their Kconfig files are needed.
unpack() {
	local deb=$1 package=$2 dir=$3

	dpkg-deb --fsys-tarfile "$deb" |
		tar -xO "./usr/src/$package.tar.xz" |
		xz -dc --threads=0 |
		tar -x -C "$dir" \
			--exclude="$package/drivers/gpu/drm/amd/include" \
			--exclude="$package/arch/*/boot/dts" \
			--exclude="$package/arch/[!x]*/*.[chS]"
}

# Sets PACKAGE and SUITE: where LINE's source comes from.
find_package() {
	read -r PACKAGE SUITE < <(awk -v line="$LINE" '$1 == line { print $2, $3 }' \
		"$TOP/scripts/kernel-lines.txt") ||
		die "scripts/kernel-lines.txt names no source for line $LINE; set KERNEL_TREE to an unpacked tree"
	command -v apt-get >/dev/null ||
		die "without apt-get no source can be fetched; set KERNEL_TREE to an unpacked tree of Linux $LINE"
}

# Downloads and unpacks the source that Debian has of LINE now; under a lock.
download_source() {
	local dir=$CACHE/src/.fetch-$LINE version

	find_package
	need_disk "$CACHE" 4
	new_temp_dir "$dir"
	get_package "$dir" "$PACKAGE" "$SUITE"
	version=$(dpkg-deb --field "$dir"/*.deb Version 2>&1) || die "$PACKAGE has arrived damaged; try again"
	echo "unpacking $PACKAGE $version"
	run unpack "$dir"/*.deb "$PACKAGE" "$dir" 2>&1 || die "$PACKAGE $version cannot be unpacked; try again"
	check_tree "$dir/$PACKAGE" "the package $PACKAGE"
	mv -T "$dir/$PACKAGE" "$CACHE/src/linux-$version"
}

# Fetches LINE's source, unless whom we waited for has; under a lock.
fetch_source() {
	find_source || {
		download_source
		find_source
	}
}
