# SPDX-License-Identifier: GPL-2.0
# What `make help` prints, from the makefiles: a line "##@ HEADING" begins a
# group, and "TARGET:	## TEXT" is a target in it. Groups of one name in
# several files are one, in the order in which their names come first.

/^##@ / {
	heading = substr($0, 5)
	if (!(heading in text))
		order[++nr] = heading
	text[heading] = text[heading]
}

/^[a-z-]+:.*## / {
	target = $0
	sub(/:.*/, "", target)
	sub(/.*## /, "")
	text[heading] = text[heading] sprintf("  %-11s %s\n", target, $0)
}

END {
	for (i = 1; i <= nr; i++)
		printf "%s%s:\n%s", (i > 1 ? "\n" : ""), order[i], text[order[i]]
}
