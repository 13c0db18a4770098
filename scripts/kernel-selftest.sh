# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # build_once uses what is set here
#
# Part of scripts/kernel: builds the KVM selftest that the series adds, as a
# static program, which an emulated host can run.

SELFTEST=shadow_pte_update_test

describe_selftest() {
	cat <<-END
		source $SOURCE_ID
		series $SERIES_HASH
		gcc $(gcc --version | head -n 1)
		make $(declare -f compile_selftest | sha256sum | cut -c 1-16)
	END
}

# The directory of x86's tests was renamed in 6.14.
compile_selftest() {
	local obj=$WORK/obj-selftest tests=$WORK/tree/tools/testing/selftests/kvm program

	apply_series
	mkdir -p "$obj"
	program=$(cd "$tests" && echo */$SELFTEST.c)
	[[ -f $tests/$program ]] || die "the series for $LINE adds no $SELFTEST.c"
	echo "building $SELFTEST"
	{
		run make -C "$WORK/tree" O="$obj" ARCH=x86_64 headers &&
			run make -C "$tests" OUTPUT="$obj/kvm" CC=gcc LDFLAGS=-static \
				KHDR_INCLUDES="-isystem $obj/usr/include" "$obj/kvm/${program%.c}"
	} >"$WORK/selftest.log" 2>&1 ||
		die "$SELFTEST does not build: $(grep -m 1 error: "$WORK/selftest.log"); see $WORK/selftest.log"
	keep "$obj/kvm/${program%.c}"
}

build_selftest() {
	KEY=$(describe_selftest)
	build_once "$BUILD/kernel/$LINE-selftest" kernel "$LINE-selftest" compile_selftest
}
