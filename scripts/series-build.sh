# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Part of scripts/series: `verify LINE --build`. Each prefix of the series must
# build on its own, or the series is no good for a bisection: all of KVM, with
# what the compiler warns about under W=1 as errors, built in and as modules.

# write_config HOW FILE: what KVM is built like, over the lab's configuration of the line.
# Modules with BTF would need a vmlinux.
write_config() {
	cat >"$2" <<-END
		CONFIG_EXPERT=y
		CONFIG_KVM=$1
		CONFIG_KVM_AMD=$1
		CONFIG_KVM_INTEL=$1
		CONFIG_KVM_WERROR=y
		CONFIG_MODULES=y
		# CONFIG_DEBUG_INFO_BTF is not set
	END
}

# Symbols that one of KVM's modules lacks and another has, but does not export.
# modpost cannot tell, as it has no vmlinux here to compare with.
unexported() {
	local obj=$1

	nm -A -u "$obj"/arch/x86/kvm/kvm*.ko | awk '{ print $NF }' | sort -u |
		comm -12 - <(nm --defined-only "$obj"/arch/x86/kvm/kvm*.ko |
			awk 'NF == 3 && $2 ~ /[A-Z]/ { print $3 }' | sort -u) |
		comm -23 - <(nm --defined-only "$obj"/arch/x86/kvm/kvm*.ko |
			sed -nE 's/.* __ksymtab_//p' | sort -u)
}

# build_kvm HOW: builds WORK/tree's KVM. What failed is told by the caller.
build_kvm() {
	local modules=(arch/x86/kvm/{kvm,kvm-amd,kvm-intel}.ko)

	case $1 in
	y) run kbuild W=1 arch/x86/kvm/ ;;
	m) run kbuild modules_prepare && run kbuild W=1 KBUILD_MODPOST_WARN=1 "${modules[@]}" ;;
	esac
}

# build_prefix HOW: configures, where that has not been done, and builds.
build_prefix() {
	local how=$1 last=${PATCHES[-1]##*/} error

	CONFIG_NAME=lab
	read_fragments
	CONFIG_ID=kvm-$how
	# shellcheck disable=SC2034 # configure() names it
	CONFIG_NAME=$CONFIG_ID
	write_config "$how" "$WORK/kvm-$how.config"
	FRAGMENTS+=("$WORK/kvm-$how.config")
	[[ -f $WORK/obj-$CONFIG_ID/configured ]] || configure >/dev/null
	touch "$WORK/obj-$CONFIG_ID/configured"
	build_kvm "$how" >/dev/null || {
		error=$(grep -aE -m 1 'error:|\*\*\*' "$WORK/make.log" || true)
		die "the series up to $last does not build with KVM=$how: ${error:-make said nothing}; see $WORK/make.log"
	}
	[[ $how == y ]] || error=$(unexported "$WORK/obj-$CONFIG_ID" | xargs)
	[[ -z ${error:-} ]] || die "the series up to $last needs these to be exported: $error"
}

build_prefixes() {
	local all=("${PATCHES[@]}") count how began

	check_tools
	need_disk "$CACHE" 4
	need_memory 2
	WORK=$DIR/build
	mkdir -p "$WORK"
	for ((count = 1; count <= ${#all[@]}; count++)); do
		PATCHES=("${all[@]:0:count}")
		hash_series
		apply_series
		for how in y m; do
			began=$SECONDS
			build_prefix "$how"
			echo "builds: KVM=$how up to ${PATCHES[-1]##*/}, $((SECONDS - began)) s"
		done
	done
}
