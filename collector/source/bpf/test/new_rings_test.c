// SPDX-License-Identifier: GPL-2.0-only
/* new_rings_test.c - each ring is handed over once, and has the kernel's answer; in any number */
#include <stdint.h>

#include "collector/source/bpf/new_rings.h"
#include "kvm/test/common/check.h"

int main(void)
{
	for (uint32_t n = 0; n <= BPF_NEW_RINGS; n++) {
		struct bpf_new_ring rings[BPF_NEW_RINGS + 1];

		for (uint32_t i = 0; i <= BPF_NEW_RINGS; i++)
			rings[i] = (struct bpf_new_ring){.index = i, .fd = -1, .rc = 1};
		/* No map: the kernel refuses them, or bpf() at all. */
		new_rings_insert(rings, n, -1);

		for (uint32_t i = 0; i <= BPF_NEW_RINGS; i++)
			CHECK(i < n ? rings[i].rc < 0 : rings[i].rc == 1);
	}
	return 0;
}
