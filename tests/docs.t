#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# The documentation: what it links to and names is there.
set -euo pipefail
TOP=$(cd "$(dirname "$0")/.." && pwd)
# shellcheck source=tests/tap.sh
. "$TOP/tests/tap.sh"
cd "$TOP"

# anchors FILE: those of its headings, as they are made of them
anchors() {
	sed -n 's/^##* *//p' "$1" | tr '[:upper:]' '[:lower:]' | sed 's/[^a-z0-9 _-]//g; s/ /-/g'
}

# broken FILE: links in it that lead nowhere
broken() {
	local link path anchor

	while read -r link; do
		path=${link%%#*} anchor=''
		[[ $link != *#* ]] || anchor=${link#*#}
		path=$(dirname "$1")/$path
		[[ ${link%%#*} ]] || path=$1
		if [[ ! -e $path ]]; then
			echo "$link"
		elif [[ $anchor ]] && ! anchors "$path" | grep -qxF -- "$anchor"; then
			echo "$link"
		fi
	done < <(grep -oE '\]\([^) ]+\)' "$1" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:')
}

mapfile -t pages < <(find . -path ./build -prune -o -name '*.md' -print | sort)
for page in "${pages[@]}"; do
	is "$(broken "$page")" "" "${page#./}: its links lead somewhere"
done

# shellcheck disable=SC2016 # backticks as in the page
mapfile -t named < <(grep -oE '`[a-z0-9-]+(/[a-z0-9._-]+)+`' CONTRIBUTING.md | tr -d '`' | sort -u)
missing=''
for file in "${named[@]}"; do
	[[ -e $file ]] || missing+=" $file"
done
ok $((${#named[@]} < 10)) "CONTRIBUTING.md names files"
is "$missing" "" "CONTRIBUTING.md names ${#named[@]} files that are there"

# Each page that a reader may want to begin with is found from the first one.
for page in docs/*.md CONTRIBUTING.md; do
	ok "$(grep -qF "]($page)" README.md; echo $?)" "README.md leads to $page"
done
done_testing
