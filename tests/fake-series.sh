# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests of scripts/series, to be sourced after fake-kernel.sh: a series in
# git format-patch form for its trees, and a checkpatch.pl that dislikes FIXME.

export GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=Anna GIT_AUTHOR_EMAIL=anna@example.com
export GIT_COMMITTER_NAME=Anna GIT_COMMITTER_EMAIL=anna@example.com
export FAULTLINE_CACHE=$SCRATCH/cache PATCHES_DIR=$SCRATCH/patches
unset KERNEL_TREE KERNEL_VARIANT

# series ARG...: runs scripts/series.
series() {
	try "$TOP/scripts/series" "$@"
}

# checkable_kernel DIR SUBLEVEL: fake_kernel, with a checkpatch.pl.
checkable_kernel() {
	fake_kernel "$1" "$2"
	mkdir -p "$1/scripts"
	cat >"$1/scripts/checkpatch.pl" <<-'END'
		@ARGV = grep { !/^--/ } @ARGV;
		while (<ARGV>) {
			next unless /^\+.*FIXME/;
			print "$ARGV:$.: WARNING:FIXME: leave no work for others\n";
			$found = 1;
		}
		exit($found // 0);
	END
}

# change TEXT FILE SED-SCRIPT: a commit in the current directory.
change() {
	sed -i "$3" "$2"
	git add -A
	git commit -q -s -m "KVM: $1" -m "Because the test wants so."
}

# fake_series TREE [OPTION...]: makes patches/6.12 a series of three patches for
# TREE. The options are for git format-patch.
fake_series() {
	local tree=$1 git=$SCRATCH/series-git

	shift
	rm -rf "$git" "$PATCHES_DIR/6.12"
	mkdir -p "$PATCHES_DIR/6.12"
	cp -a "$tree" "$git"
	(
		cd "$git" || exit
		git init -q
		git add -A
		git commit -q -m source
		change "Change a line of the fork" kernel/fork.c 's/^150/my 150/'
		change "Change a line of the MMU" arch/x86/kvm/mmu.c 's/^250/my 250/'
		echo new >arch/x86/kvm/new.c
		change "Change it again and add a file" arch/x86/kvm/mmu.c 's/^250.*/our 250/; s/^my 250/our 250/'
		git format-patch -q -o "$PATCHES_DIR/6.12" --zero-commit --abbrev=12 --no-signature -N "$@" HEAD~3
	)
	(cd "$PATCHES_DIR/6.12" && ls -- *.patch >series)
}

# contents DIR: stands for all that is in it, times included.
contents() {
	(cd "$1" && find . -printf '%P %s %T@\n' | sort && find . -type f -exec sha256sum {} + | sort) | sha256sum
}
