// SPDX-License-Identifier: GPL-2.0-only
/*
 * Four CPUID leaves that show a guest its own exits:
 *
 *	0x4FFFFFFF		exits		eax = low 32, ebx = high 32 bits
 *	0x4FFFFFFE		their cycles	ebx = high 32, ecx = low 32 bits
 *	0x4FFFFFFD, ecx = n	exits of basic reason n		as 0x4FFFFFFF
 *	0x4FFFFFFC, ecx = n	cycles of basic reason n	as 0x4FFFFFFE
 *
 * The other registers are 0. For the last two a reason that the vendor does not
 * define gives eax = ebx = ecx = 0 and edx = 0xffffffff. Exits that KVM made up
 * (totals.synthesized) count like real ones. The asking CPUID's own exit is in
 * the count and, still open, not in the cycles.
 *
 * They are answered with any CPUID model that user space gave the vCPU, unless that has them.
 */
#define pr_fmt(fmt) "kvm: exit_ring: " fmt

#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "exit_reason.h"
#include "exit_ring_dev.h"

#define LEAF_REASON_CYCLES	0x4ffffffc
#define LEAF_REASON_COUNT	0x4ffffffd
#define LEAF_CYCLES		0x4ffffffe
#define LEAF_COUNT		0x4fffffff

static bool leaves_on = true;
module_param_named(cpuid_leaves, leaves_on, bool, 0444);
MODULE_PARM_DESC(cpuid_leaves, "answer the CPUID leaves 0x4FFFFFFC to 0x4FFFFFFF (1) or not (0)");

static char *leaf_scope = "vm";
module_param(leaf_scope, charp, 0444);
MODULE_PARM_DESC(leaf_scope, "the leaves sum over the vCPUs of the asking VM (vm) or of all VMs (host)");

static char *leaf_time = "total";
module_param(leaf_time, charp, 0444);
MODULE_PARM_DESC(leaf_time, "the leaves show all cycles from exit to entry (total) or without those halted, in user space or preempted (handler)");

static bool scope_is_host, time_is_handler;

int exit_ring_init_leaves(void)
{
	scope_is_host = !strcmp(leaf_scope, "host");
	time_is_handler = !strcmp(leaf_time, "handler");
	if (!scope_is_host && strcmp(leaf_scope, "vm")) {
		pr_err("leaf_scope=%s is neither vm nor host\n", leaf_scope);
		return -EINVAL;
	}
	if (!time_is_handler && strcmp(leaf_time, "total")) {
		pr_err("leaf_time=%s is neither total nor handler\n", leaf_time);
		return -EINVAL;
	}
	return 0;
}

u64 exit_ring_read(const struct kvm_exit_total *total, enum exit_ring_what what)
{
	u64 away;

	if (what == EXIT_RING_COUNT)
		return READ_ONCE(total->count) + READ_ONCE(total->synthesized);
	if (what == EXIT_RING_CYCLES)
		return READ_ONCE(total->cycles);

	/* Written in the opposite order, so the cycles read here include their parts. */
	away = READ_ONCE(total->preempted_cycles) + READ_ONCE(total->userspace_cycles);
	away += READ_ONCE(total->halted_cycles);
	return READ_ONCE(total->cycles) - away;
}

/* Sums up the slots that were seen in use; *exits: the exits in them. */
static u64 exit_ring_sum_used(struct exit_ring *er, enum exit_ring_what what, u64 *exits)
{
	/* Pairs with the release in exit_ring_find_used(). */
	const u8 *end = er->used + smp_load_acquire(&er->used_count);
	u64 sum = 0, count = 0;

	for (const u8 *slot = er->used; slot < end; slot++)
		count += exit_ring_read(&er->totals[*slot], EXIT_RING_COUNT);
	*exits = count;
	if (what == EXIT_RING_COUNT)
		return count;

	for (const u8 *slot = er->used; slot < end; slot++)
		sum += exit_ring_read(&er->totals[*slot], what);
	return sum;
}

/* Adds the slots in use that are not among those seen. One CPU at a time, others may be reading. */
static void exit_ring_find_used(struct exit_ring *er)
{
	unsigned int count = er->used_count;

	BUILD_BUG_ON(KVM_EXIT_TOTAL_SLOTS > U8_MAX + 1);
	for (unsigned int slot = 0; slot < KVM_EXIT_TOTAL_SLOTS; slot++)
		if (exit_ring_read(&er->totals[slot], EXIT_RING_COUNT) &&
		    !memchr(er->used, slot, count))
			er->used[count++] = slot;
	/* Pairs with the acquire in exit_ring_sum_used(). */
	smp_store_release(&er->used_count, count);
}

static noinline u64 exit_ring_sum_searched(struct exit_ring *er, enum exit_ring_what what)
{
	u64 exits;

	spin_lock(&er->used_lock);
	exit_ring_find_used(er);
	spin_unlock(&er->used_lock);
	return exit_ring_sum_used(er, what, &exits);
}

/*
 * KVM's own statistic shows whether the slots seen in use are all of them. It counts VMfail too, and
 * on 5.10 no fastpath that enters again; it may be reset, and it moves a little later than the totals:
 * then all slots are searched.
 */
static u64 exit_ring_sum_all(struct exit_ring *er, enum exit_ring_what what)
{
	u64 before = READ_ONCE(*er->stat_exits), exits;
	u64 sum = exit_ring_sum_used(er, what, &exits);

	exits += READ_ONCE(er->vmfail) - READ_ONCE(er->reentered);
	if (likely(exits == before && READ_ONCE(*er->stat_exits) == before))
		return sum;
	return exit_ring_sum_searched(er, what);
}

u64 exit_ring_sum(struct exit_ring *er, unsigned int slot, enum exit_ring_what what)
{
	if (slot < EXIT_RING_ALL_SLOTS)
		return exit_ring_read(&er->totals[slot], what);
	return exit_ring_sum_all(er, what);
}

/* The sum of one slot over the vCPUs of a VM. @er: one of them, which is running. */
static u64 exit_ring_vm_sum(struct exit_ring *er, unsigned int slot, enum exit_ring_what what)
{
	struct exit_ring *other = er;
	u64 sum = 0;

	/* No vCPU of the VM goes while one of them runs. */
	do {
		sum += exit_ring_sum(other, slot, what);
		/* Pairs with the release in exit_ring_join_vm() of exit_ring_set.c. */
		other = smp_load_acquire(&other->vm_next);
	} while (other != er);
	return sum;
}

/* The slot of a reason that a guest named, or -1 if the vendor defines none. */
static int leaf_slot(u8 isa, u32 reason)
{
	u32 slot;

	if (isa == KVM_EXIT_ISA_VMX) {
		if (!kvm_exit_defined_vmx(reason))
			return -1;
		slot = kvm_exit_slot_vmx(reason);
	} else {
		if (!kvm_exit_defined_svm(reason))
			return -1;
		slot = kvm_exit_slot_svm(reason);
	}
	return array_index_nospec(slot, KVM_EXIT_TOTAL_SLOTS);
}

static u64 leaf_sum(struct exit_ring *er, unsigned int slot, bool count)
{
	enum exit_ring_what what = EXIT_RING_CYCLES;

	if (count)
		what = EXIT_RING_COUNT;
	else if (time_is_handler)
		what = EXIT_RING_HANDLER_CYCLES;
	return scope_is_host ? exit_ring_host_sum(slot, what) : exit_ring_vm_sum(er, slot, what);
}

bool exit_ring_leaf(struct kvm_vcpu *vcpu, u32 leaf, u32 index,
		    u32 *eax, u32 *ebx, u32 *ecx, u32 *edx)
{
	bool count = leaf == LEAF_COUNT || leaf == LEAF_REASON_COUNT;
	struct exit_ring *er = exit_ring_of(vcpu);
	int slot = EXIT_RING_ALL_SLOTS;
	u64 value;

	if (!leaves_on || !exit_ring_is_on() || !er->isa)
		return false;

	*eax = 0;
	*ebx = 0;
	*ecx = 0;
	*edx = 0;

	if (leaf == LEAF_REASON_CYCLES || leaf == LEAF_REASON_COUNT)
		slot = leaf_slot(er->isa, index);
	if (slot < 0) {
		*edx = U32_MAX;
		return true;
	}

	value = leaf_sum(er, slot, count);
	*ebx = upper_32_bits(value);
	*(count ? eax : ecx) = lower_32_bits(value);
	return true;
}
