# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # build_once uses what is set here
#
# Part of scripts/kernel: configures and builds a patched tree.

CONFIG_NAME=${CONFIG_NAME:-lab}
CONFIG_DIR=${CONFIG_DIR:-$TOP/kernel-config}

check_tools() {
	local tool

	for tool in gcc ld make patch bc bison flex python3 pahole ccache; do
		command -v "$tool" >/dev/null || die "$tool is missing; run scripts/deps kernel"
	done
}

# Sets FRAGMENTS, the files that CONFIG_NAME stands for, and CONFIG_ID. What a
# line needs to have differently is in a directory of its own, laid over them.
read_fragments() {
	local name known

	known=$(cd "$CONFIG_DIR" && basename -s .config -- *.config | xargs)
	FRAGMENTS=()
	for name in $CONFIG_NAME; do
		[[ -f $CONFIG_DIR/$name.config ]] ||
			usage_error "unknown CONFIG_NAME '$name'; known: $known"
		FRAGMENTS+=("$CONFIG_DIR/$name.config")
		[[ ! -f $CONFIG_DIR/$LINE/$name.config ]] || FRAGMENTS+=("$CONFIG_DIR/$LINE/$name.config")
	done
	CONFIG_ID=${CONFIG_NAME// /-}
}

# All that a built kernel depends on.
describe_build() {
	cat <<-END
		source $SOURCE_ID
		series $SERIES_HASH
		config $CONFIG_ID $(cat "${FRAGMENTS[@]}" | sha256sum | cut -c 1-16)
		gcc $(gcc --version | head -n 1)
		ld $(ld --version | head -n 1)
		pahole $(pahole --version)
		make $(declare -f kbuild | sha256sum | cut -c 1-16)
	END
}

# kbuild TARGET...: make with nothing of the caller's environment, so that the
# same key is the same kernel. Two things make it faster. CCACHE_DEPEND has
# ccache trust the compiler's own list of headers, which spares a second pass
# through them for each file. -fno-var-tracking leaves out of the debug
# information in which register each variable is at each instruction.
kbuild() {
	env -i PATH="$PATH" HOME="${HOME:-/}" LC_ALL=C \
		CCACHE_DIR="$CACHE/ccache" CCACHE_MAXSIZE=2G CCACHE_DEPEND=1 \
		make -C "$WORK/tree" O="$WORK/obj-$CONFIG_ID" -j$(($(nproc) + 1)) \
		ARCH=x86_64 CC="ccache gcc" KCFLAGS=-fno-var-tracking \
		KBUILD_BUILD_TIMESTAMP="1970-01-01 00:00:00 UTC" KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=faultline KBUILD_BUILD_HOST=localhost \
		"$@" 2>&1 | tee "$WORK/make.log"
}

# "CONFIG_X=value" for each option that a configuration file decides.
options() {
	sed -nE -e 's/^# (CONFIG_[A-Za-z0-9_]+) is not set$/\1=n/p' -e '/^CONFIG_[A-Za-z0-9_]+=/p' "$@"
}

# lost_options CONFIG: what the fragments ask for and CONFIG does not have. An
# option that CONFIG does not mention is off; the last fragment decides.
lost_options() {
	awk -F = '
		{ name = $1; value = substr($0, length(name) + 2) }
		FILENAME == ARGV[1] { got[name] = value; next }
		{ want[name] = value }
		END {
			for (name in want)
				if (want[name] != (name in got ? got[name] : "n"))
					print name "=" want[name]
		}
	' <(options "$1") <(options "${FRAGMENTS[@]}") | sort
}

configure() {
	local obj=$WORK/obj-$CONFIG_ID lost

	mkdir -p "$obj"
	run kbuild tinyconfig || die "make tinyconfig failed; see $WORK/make.log"
	cat "${FRAGMENTS[@]}" >>"$obj/.config"
	run kbuild olddefconfig || die "make olddefconfig failed; see $WORK/make.log"
	lost=$(lost_options "$obj/.config" | xargs)
	[[ -z $lost ]] ||
		die "options of CONFIG_NAME '$CONFIG_NAME' did not take: $lost; see in menuconfig what they depend on"
}

# Builds WORK/tree and keeps the result; under a lock.
compile() {
	local obj=$WORK/obj-$CONFIG_ID error

	need_disk "$CACHE" 2
	need_memory 2
	apply_series
	configure
	echo "building Linux ${SOURCE_ID%% *}, $CONFIG_ID"
	run kbuild bzImage || {
		error=$(grep -aE -m 1 'error:|undefined reference|: not found|: No such file|\*\*\*' "$WORK/make.log" || true)
		die "the build failed: ${error:-make said nothing}; see $WORK/make.log"
	}
	keep "$obj/arch/x86/boot/bzImage" "$obj/vmlinux" "$obj/.config"
}

build_kernel() {
	local out=$BUILD/kernel/$LINE${KERNEL_VARIANT:+-$KERNEL_VARIANT}

	[[ $CONFIG_ID == lab ]] || out+=-$CONFIG_ID
	KEY=$(describe_build)
	build_once "$out" kernel "$LINE-$CONFIG_ID" compile
}
