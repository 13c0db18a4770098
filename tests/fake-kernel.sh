# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# For tests of scripts/kernel, to be sourced after tap.sh: a kernel source tree
# that takes no time. It is "built" by copying; obj/builds counts how often.

# fake_kernel DIR SUBLEVEL: a tree of Linux 6.12.SUBLEVEL.
fake_kernel() {
	local dir=$1

	mkdir -p "$dir/arch/x86/kvm" "$dir/kernel"
	printf 'VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = %s\nEXTRAVERSION =\n\n' "$2" >"$dir/Makefile"
	cat >>"$dir/Makefile" <<'END'
tinyconfig:
	printf '%s\n' 'CONFIG_TINY=y' '# CONFIG_KVM is not set' >$(O)/.config
olddefconfig:
	sed -i /UNHEARD_OF/d $(O)/.config
bzImage:
	echo >>$(O)/builds
	test ! -e slow || sleep 1000
	@! grep 'error:' kernel/fork.c
	mkdir -p $(O)/arch/x86/boot
	cat kernel/fork.c arch/x86/kvm/mmu.c >$(O)/vmlinux
	cp $(O)/vmlinux $(O)/arch/x86/boot/bzImage
END
	touch "$dir/Kbuild"
	seq 100 199 >"$dir/kernel/fork.c"
	seq 200 299 >"$dir/arch/x86/kvm/mmu.c"
	echo old >"$dir/kernel/old.c"
}

# make_patch NAME TREE SED-SCRIPT FILE...: adds a patch to the line's series,
# which does to the files what SED-SCRIPT does. Prints nothing.
make_patch() {
	local patch=$PATCHES_DIR/6.12/$1 tree=$2 script=$3 dir=$SCRATCH/edit

	shift 3
	rm -rf "$dir"
	mkdir -p "$PATCHES_DIR/6.12" "$dir"
	cp -r "$tree" "$dir/a"
	cp -r "$tree" "$dir/b"
	(cd "$dir/b" && sed -i "$script" "$@")
	(cd "$dir" && diff -Nru a b) >"$patch" || true
	echo "${patch##*/}" >>"${patch%/*}/series"
}
