/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest all of whose exits are recorded, and the records that came of it. */
#ifndef KVM_TEST_RECORDS_PROBE_H
#define KVM_TEST_RECORDS_PROBE_H

#include "kvm/test/common/device_vm.h"
#include "kvm/test/common/ring_steps.h"

#define MAX_SEEN 8192

/* Everything that one test has read. */
static struct kvm_exit_record seen[MAX_SEEN];
static unsigned int seen_count;

static inline void collect(struct ring_map *map)
{
	const struct kvm_exit_record *first;
	uint32_t n;

	while ((n = exit_ring_peek(&map->reader, &first))) {
		CHECK(seen_count + n <= MAX_SEEN);
		memcpy(&seen[seen_count], first, n * sizeof(*first));
		seen_count += n;
		exit_ring_advance(&map->reader, n);
	}
}

/* The n-th record of a reason, from 0. */
static inline const struct kvm_exit_record *found(uint32_t reason, unsigned int n)
{
	for (unsigned int i = 0; i < seen_count; i++)
		if (seen[i].reason == reason && !n--)
			return &seen[i];
	return NULL;
}

/* The record of a VMX reason or an SVM code that has this key; of several alike the first. */
static inline const struct kvm_exit_record *keyed(uint32_t vmx, uint32_t svm, uint64_t key)
{
	const struct kvm_exit_record *first = NULL;

	for (unsigned int i = 0; i < seen_count; i++) {
		if (seen[i].reason != (seen[i].isa == KVM_EXIT_ISA_VMX ? vmx : svm) ||
		    seen[i].key != key)
			continue;
		CHECK(!first || first->key_aux == seen[i].key_aux);
		first = first ? first : &seen[i];
	}
	CHECK(first && first->flags & KVM_EXIT_REC_KEY);
	return first;
}

/* A guest with its code, and its ring attached: every exit is recorded. */
struct probe {
	struct step_vm vm;
	struct ring_map map;
};

static inline void probe_open(struct probe *p, unsigned int vcpu_id, const uint8_t *code,
			      size_t bytes, uint32_t flags)
{
	code_vm_open(&p->vm, vcpu_id, code, bytes);
	attach(&p->map, newest_ring(), flags);
	seen_count = 0;
}

/* Runs up to the n-th OUT to STEP_PORT, ignoring other exits to user space. */
static inline void probe_run(struct probe *p, unsigned int n)
{
	const struct kvm_run *run = p->vm.vcpu.run;

	while (n) {
		CHECK(!ioctl(p->vm.vcpu.fd, KVM_RUN, 0));
		CHECK(run->exit_reason == KVM_EXIT_IO);
		n -= run->io.port == STEP_PORT && run->io.direction == KVM_EXIT_IO_OUT;
	}
}

/* Destroys the VM, so that the last exit is recorded too, and reads the rest. */
static inline void probe_close(struct probe *p)
{
	step_vm_close(&p->vm);
	collect(&p->map);
	ring_unmap(&p->map);
}

#define PROBE(p, ...)                                                                              \
	do {                                                                                       \
		static const uint8_t code[] = {__VA_ARGS__};                                       \
		probe_open(p, 0, code, sizeof(code), 0);                                           \
	} while (0)

#define OUT_STEP 0xe6, STEP_PORT /* out %al,$0x10 */

#endif
