#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# scripts/series apply --tree: trees good and bad. All of a series gets into a
# tree, or nothing.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
# shellcheck source=tests/fake-kernel.sh
. "$TOP/tests/fake-kernel.sh"
# shellcheck source=tests/fake-series.sh
. "$TOP/tests/fake-series.sh"

TREE=$SCRATCH/linux
checkable_kernel "$SCRATCH/pristine" 3
fake_series "$SCRATCH/pristine"

# new_tree: TREE is anew, as no one has touched it.
new_tree() {
	rm -rf "$TREE"
	cp -a "$SCRATCH/pristine" "$TREE"
}

# bad REGEX NAME [STATUS]: apply must fail and change nothing.
bad() {
	local before

	before=$(contents "$TREE")
	series apply 6.12 --tree "$TREE"
	fails "${3:-1}" "$1" "$2"
	is "$(contents "$TREE")" "$before" "$2: the tree is untouched"
	is "$(find "$FAULTLINE_CACHE/series/6.12" -mindepth 1 2>/dev/null)" "" "$2: nothing is left behind"
}

new_tree
series apply 6.12 --tree "$TREE"
is "$STATUS:$ERR" "0:" "a series is applied to a tree"
is "$(grep -h '[a-z] ' "$TREE/kernel/fork.c" "$TREE/arch/x86/kvm/mmu.c" | xargs)" "my 150 our 250" "files are changed"
is "$(<"$TREE/arch/x86/kvm/new.c")" new "a file is added"
is "$(diff -rq "$SCRATCH/pristine" "$TREE" | wc -l)" 3 "and nothing else"
bad "$TREE has the series already" "a tree that is patched already"

new_tree
(cd "$TREE" && git init -q && git add -A && git commit -q -m all)
sed -i 's/^110/ten/' "$TREE/kernel/fork.c"
bad "$TREE has local changes: kernel/fork.c; commit or stash" "a git tree with local changes"
(cd "$TREE" && git commit -q -a -m mine)
series apply 6.12 --tree "$TREE"
is "$STATUS:$(grep -c my "$TREE/kernel/fork.c")" "0:1" "a git tree without"

new_tree
sed -i 's/^PATCHLEVEL.*/PATCHLEVEL = 1/' "$TREE/Makefile"
bad "$TREE is Linux 6.1.3, not of line 6.12" "a tree of another version"

new_tree
sed -i 's/^250/two/' "$TREE/arch/x86/kvm/mmu.c"
bad '0002-.*\.patch does not apply to Linux 6.12.3: arch/x86/kvm/mmu.c, hunk 1 \(line 48\)' "a tree in which the second patch does not apply"

rm "$TREE/Makefile"
bad "$TREE is not a Linux source tree" "a directory that is no kernel"

# A tree that cannot be written. Root needs a read-only mount for that.
new_tree
if [[ $(id -u) != 0 ]]; then
	chmod a-w "$TREE/arch/x86/kvm"
	bad 'linux/arch/x86/kvm cannot be written' "a read-only tree"
	chmod u+w "$TREE/arch/x86/kvm"
elif unshare --mount true 2>/dev/null; then
	# shellcheck disable=SC2016 # for the shell in there
	try unshare --mount sh -c 'mount --bind -o ro "$1" "$1" && exec "$2" apply 6.12 --tree "$1"' - "$TREE" "$TOP/scripts/series"
	fails 1 "$TREE/arch/x86/kvm cannot be written" "a read-only tree"
	is "$(diff -r "$SCRATCH/pristine" "$TREE")" "" "a read-only tree: the tree is untouched"
else
	skip 3 "root cannot have a read-only mount here"
fi

# Without git
mkdir "$SCRATCH/bin"
ln -s /usr/bin/* "$SCRATCH/bin/"
rm "$SCRATCH/bin/git"
PATH=$SCRATCH/bin bad 'git is missing; run scripts/deps' "no git"

# Bad series
cp -a "$PATCHES_DIR" "$SCRATCH/good"
restore() {
	rm -rf "$PATCHES_DIR"
	cp -a "$SCRATCH/good" "$PATCHES_DIR"
}
echo 0009-no-such.patch >>"$PATCHES_DIR/6.12/series"
bad '6.12/series names 0009-no-such.patch, which is not there' "a missing patch"
restore
: >"$PATCHES_DIR/6.12/series"
bad '6.12/series names no patch' "an empty series"
restore

# Arguments
series apply 2.4 --tree "$TREE"
fails 2 "unknown LINE '2.4'; known: 6.12" "an unknown line"
series destroy 6.12
fails 2 "unknown command 'destroy'; known: apply verify refresh rebase" "an unknown command"
series apply 6.12 --build
fails 2 "apply does not know '--build'" "an option of another command"
series apply 6.12 --tree
fails 2 "--tree needs a value" "an option without its value"
series apply --tree
fails 2 "usage: series apply LINE" "no line"

done_testing
