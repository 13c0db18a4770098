/* SPDX-License-Identifier: GPL-2.0 */
/* The words by which the tests' event streams say what KVM was seen to do. */
#ifndef FAULTLINE_TESTS_FACTS_H
#define FAULTLINE_TESTS_FACTS_H

#include <stddef.h>
#include <string.h>

#include "episode.h"

/* An enum fl_fact, or 0 if @word is for none. */
static inline __u32 fact_of(const char *word)
{
	static const struct {
		const char *word;
		enum fl_fact fact;
	} facts[] = {
		{ "emulate", FL_SAW_EMULATION },
		{ "mmio", FL_SAW_MMIO },
		{ "unsync", FL_SAW_UNSYNC },
		{ "zapped", FL_SAW_PTE_WRITE },
		{ "nested", FL_SAW_NESTED },
		{ "reflect", FL_SAW_REFLECT },
		{ "device", FL_SAW_DEVICE },
		{ "handed", FL_SAW_HANDED },
	};
	size_t i;

	for (i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		if (!strcmp(word, facts[i].word))
			return facts[i].fact;
	}
	return 0;
}

#endif /* FAULTLINE_TESTS_FACTS_H */
