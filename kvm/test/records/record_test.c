// SPDX-License-Identifier: GPL-2.0-only
/*
 * record_test.c - what kvm/uapi/kvm_exit_ring.h promises of a record, of the totals and of meta,
 * field by field: small guests cause the exits, and what they did is known. Runs in
 * the test bed's L1 as root, with the default ring_records.
 */
#include "kvm/test/records/probe_tables.h"

#include <sched.h>
#include <time.h>
#include <x86intrin.h>

#define GUEST_CR3	  0x5000
#define INT_TABLE(vector) (4 * (vector)) /* of real mode */
#define UD_VECTOR	  6
#define UD_EVENT	  0x80000306U /* valid, hardware exception, vector 6 */
#define GP_EVENT	  0x80000b0dU /* valid, error code, hardware exception, vector 13 */
#define WRONG_SELECTOR	  0x50	      /* beyond the GDT; the error code of its #GP */
#define STACK_TOP	  0x1ffc      /* in the page of the code */

#define UD2 0x0f, 0x0b

static int is_vmx(const struct probe *p)
{
	return p->map.meta->isa == KVM_EXIT_ISA_VMX;
}

static int nested_paging(void)
{
	char value = 'Y';
	int fd = open("/sys/module/kvm_amd/parameters/npt", O_RDONLY);

	if (fd < 0)
		return !vmx_without("ept");
	CHECK(read(fd, &value, 1) == 1);
	close(fd);
	return value == 'Y' || value == '1';
}

static void skipped(const char *needs)
{
	printf("record_test: skipped, needs %s\n", needs);
}

static uint64_t parts(const struct kvm_exit_record *r)
{
	return r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles;
}

static void test_ordinary_exit(void)
{
	static const uint8_t code[] = {OUT_STEP, 0xeb, 0xfc};
	struct probe p;
	uint64_t before, after;
	const struct kvm_exit_record *r, *last = NULL;

	probe_open(&p, 5, code, sizeof(code), 0);
	before = __rdtsc();
	probe_run(&p, 4);
	after = __rdtsc();

	collect(&p.map);
	for (unsigned int i = 0; (r = found(io_slot(&p.map), i)); i++) {
		CHECK(r->tsc > before && r->tsc + r->cycles < after && r->cycles > 0);
		CHECK(!last || r->tsc > last->tsc + last->cycles);
		CHECK(parts(r) == r->cycles && r->userspace_cycles > 0 && r->handler_cycles > 0);
		CHECK(r->guest_rip == STEP_CODE && r->guest_cr3 == 0);
		CHECK(r->flags == (KVM_EXIT_REC_USER | KVM_EXIT_REC_QUAL | KVM_EXIT_REC_KEY |
				   KVM_EXIT_REC_VALUE | KVM_EXIT_REC_REQUESTS |
				   (r->preempted_cycles ? KVM_EXIT_REC_PREEMPTED : 0)));
		CHECK(r->key == STEP_PORT && r->key_aux == 1 &&
		      r->qualification >> 16 == STEP_PORT);
		CHECK(r->intr_info == 0 && r->error_code == 0 && r->run_errno == 0);
		CHECK(r->user_reason == KVM_EXIT_IO && r->isa == p.map.meta->isa);
		CHECK(r->vcpu_id == 5 && r->pcpu == (uint16_t)sched_getcpu());
		last = r;
	}

	CHECK(last == found(io_slot(&p.map), 2));
	for (unsigned int i = 0; i < seen_count; i++)
		CHECK(seen[i].seq == i);
	probe_close(&p);
}

/* mov $page * 256,%eax; mov %eax,%cr3; out %al,$0x10 */
#define LOAD_CR3_AND_STEP(page) 0x66, 0xb8, 0, page, 0, 0, 0x0f, 0x22, 0xd8, OUT_STEP

/* What the VMM has set, then what the guest loads, which nested paging does without an exit. */
static void test_guest_cr3(void)
{
	static const uint8_t code[] = {OUT_STEP, LOAD_CR3_AND_STEP(0x60), LOAD_CR3_AND_STEP(0x70),
				       LOAD_CR3_AND_STEP(0x80), OUT_STEP};
	static const uint64_t loaded[] = {GUEST_CR3, 0x6000, 0x7000, 0x8000};
	const struct kvm_exit_record *r;
	struct kvm_sregs sregs;
	struct probe p;

	probe_open(&p, 0, code, sizeof(code), KVM_EXIT_ATTACH_CR3);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_GET_SREGS, &sregs));
	sregs.cr3 = GUEST_CR3;
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_SREGS, &sregs));
	probe_run(&p, 5);
	collect(&p.map);

	for (unsigned int i = 0; i < sizeof(loaded) / sizeof(loaded[0]); i++) {
		r = found(io_slot(&p.map), i);
		CHECK(r && r->flags & KVM_EXIT_REC_CR3);
		CHECK(r->guest_cr3 == loaded[i]);
	}
	probe_close(&p);
}

static void test_string_io(void)
{
	struct probe p;

	/* mov $0x20,%dx; mov $3,%cx; xor %si,%si; rep outsb; mov $0x21,%dx; insw; step */
	PROBE(&p, 0xba, 0x20, 0, 0xb9, 3, 0, 0x31, 0xf6, 0xf3, 0x6e, 0xba, 0x21, 0, 0x6d, OUT_STEP);
	probe_run(&p, 1);
	probe_close(&p);
	CHECK(keyed(30, 0x7b, 0x20)->key_aux == (1 | KVM_EXIT_KEY_IO_STRING | KVM_EXIT_KEY_IO_REP));
	CHECK(keyed(30, 0x7b, 0x21)->key_aux == (2 | KVM_EXIT_KEY_IO_STRING | KVM_EXIT_KEY_IO_IN));
}

static void test_debug_registers(void)
{
	struct probe p;

	if (vmx_without("unrestricted_guest")) {
		skipped("unrestricted_guest: in virtual-8086 mode MOV DR raises #GP");
		return;
	}
	/* mov %eax,%dr3; step; mov %dr2,%eax; step */
	PROBE(&p, 0x0f, 0x23, 0xd8, OUT_STEP, 0x0f, 0x21, 0xd0, OUT_STEP);
	probe_run(&p, 2);
	probe_close(&p);
	CHECK(keyed(29, 0x33, 3)->key_aux == 0);
	CHECK(keyed(29, 0x22, 2)->key_aux == 1);
}

static void test_lmsw(void)
{
	struct probe p;

	if (vmx_without("unrestricted_guest") || access("/sys/module/kvm_intel", F_OK)) {
		skipped("VMX with unrestricted_guest, where LMSW exits by itself");
		return;
	}
	/* mov $2,%ax; lmsw %ax; step: sets CR0.MP, which the guest doesn't own */
	PROBE(&p, 0xb8, 2, 0, 0x0f, 0x01, 0xf0, OUT_STEP);
	probe_run(&p, 1);
	probe_close(&p);
	CHECK(keyed(28, 0, 0)->key_aux == 3);
}

/* #UD, whose handler's stack is in a page that no entry maps yet. */
static void test_exception(void)
{
	struct probe p;
	const struct kvm_exit_record *r;
	uint16_t vector[2] = {HANDLER, 0};
	int vmx;

	/* mov $0x9000,%sp; ud2 */
	PROBE(&p, 0xbc, 0x00, 0x90, UD2);
	memcpy(p.vm.vm.memory + INT_TABLE(UD_VECTOR), vector, sizeof(vector));
	memcpy(p.vm.vm.memory + HANDLER, (const uint8_t[]){OUT_STEP}, 2);

	probe_run(&p, 1);
	probe_close(&p);

	r = keyed(0, 0x46, UD_VECTOR);
	vmx = r->isa == KVM_EXIT_ISA_VMX;
	CHECK(r->guest_rip == STEP_CODE + 3 && !(r->flags & KVM_EXIT_REC_USER));
	CHECK(!vmx || (r->flags & KVM_EXIT_REC_INTR && r->intr_info == UD_EVENT));
	CHECK(!(r->flags & KVM_EXIT_REC_ERROR_CODE) && r->error_code == 0);

	if (!nested_paging())
		return;

	for (unsigned int i = 0; (r = found(vmx ? 48 : 0x400, i)); i++)
		if (r->key >> 12 == 8)
			break;
	CHECK(r && r->key_aux & KVM_EXIT_ACCESS_WRITE);
	CHECK(vmx ? r->info2 == UD_EVENT
		  : r->flags & KVM_EXIT_REC_INTR && r->intr_info == UD_EVENT);
}

/* In virtual-8086 mode HLT raises #GP(0), and VMX exits for every exception. */
static void test_error_code(void)
{
	struct probe p;
	const struct kvm_exit_record *r;

	if (!vmx_without("unrestricted_guest")) {
		skipped("kvm-intel with unrestricted_guest=0");
		return;
	}
	PROBE(&p, 0xf4, OUT_STEP);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_RUN, 0) && p.vm.vcpu.run->exit_reason == KVM_EXIT_HLT);
	probe_run(&p, 1);
	probe_close(&p);
	r = keyed(0, 0, GP_VECTOR);
	CHECK(r->flags & KVM_EXIT_REC_INTR && r->flags & KVM_EXIT_REC_ERROR_CODE);
	CHECK(r->intr_info == GP_EVENT && r->error_code == 0);
}

/*
 * A #GP with an error code that is not 0. The exit in the middle of its delivery reports it;
 * those after it do not, though SVM may leave the rest of EXITINTINFO as it was.
 */
static void test_delivered_error_code(void)
{
	const struct kvm_exit_record *r;
	unsigned int interrupted = 0;
	struct probe p;

	/* mov $STACK_TOP,%esp; mov $WRONG_SELECTOR,%eax; mov %eax,%ds */
	PROBE(&p, 0xbc, 0xfc, 0x1f, 0, 0, 0xb8, WRONG_SELECTOR, 0, 0, 0, 0x8e, 0xd8);
	set_gp_handler(&p);
	memcpy(p.vm.vm.memory + HANDLER, (const uint8_t[]){OUT_STEP, OUT_STEP}, 4);
	probe_run(&p, 2);
	probe_close(&p);

	for (r = seen; r < seen + seen_count; r++) {
		CHECK(r->flags & KVM_EXIT_REC_INTR || !(r->flags & KVM_EXIT_REC_ERROR_CODE));
		CHECK(r->flags & KVM_EXIT_REC_ERROR_CODE || r->error_code == 0);
		if (r->intr_info == GP_EVENT) {
			CHECK(r->flags & KVM_EXIT_REC_ERROR_CODE);
			CHECK(r->error_code == WRONG_SELECTOR);
			interrupted++;
		}
	}

	r = keyed(30, 0x7b, STEP_PORT);
	CHECK(r->guest_rip == HANDLER && !(r->flags & KVM_EXIT_REC_INTR));
	CHECK(interrupted > 0 || r->isa == KVM_EXIT_ISA_VMX || !nested_paging());
}

static void test_kinds_of_access(void)
{
	struct probe p;

	if (!nested_paging()) {
		skipped("ept=1 or npt=1");
		return;
	}
	/* mov 0x8000,%al; mov %al,0x9000; jmp 0xa000, where a step is */
	PROBE(&p, 0xa0, 0x00, 0x80, 0xa2, 0x00, 0x90, 0xe9, 0xf7, 0x8f);
	memcpy(p.vm.vm.memory + 0xa000, (const uint8_t[]){OUT_STEP}, 2);
	probe_run(&p, 1);
	probe_close(&p);
	CHECK(keyed(48, 0x400, 0x8000)->key_aux & KVM_EXIT_ACCESS_READ);
	CHECK(!(keyed(48, 0x400, 0x8000)->key_aux & KVM_EXIT_ACCESS_WRITE));
	CHECK(keyed(48, 0x400, 0x9000)->key_aux & KVM_EXIT_ACCESS_WRITE);
	CHECK(keyed(48, 0x400, 0xa000)->key_aux & KVM_EXIT_ACCESS_EXEC);
}

/* L1's timer, while the guest counts: VMX acknowledges it on exit. */
static void test_external_interrupt(void)
{
	struct kvm_regs regs;
	struct probe p;
	const struct kvm_exit_record *r;
	int vmx;

	/* mov $8000000,%ecx; dec %ecx; jnz . - 2; step */
	PROBE(&p, 0x66, 0xb9, 0x00, 0x12, 0x7a, 0x00, 0x66, 0x49, 0x75, 0xfc, OUT_STEP);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_GET_REGS, &regs));
	regs.rflags |= 0x200;
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_REGS, &regs));
	vmx = is_vmx(&p);
	probe_run(&p, 1);
	probe_close(&p);
	/* One may also come before the first instruction. */
	for (unsigned int i = 0; (r = found(vmx ? 1 : 0x60, i)); i++)
		if (r->guest_rip >= STEP_CODE + 6)
			break;
	CHECK(r && r->guest_rip <= STEP_CODE + 10);
	if (!vmx)
		return;
	CHECK(r->flags & KVM_EXIT_REC_KEY && r->flags & KVM_EXIT_REC_INTR);
	CHECK(r->key >= 0x20 && r->intr_info == (0x80000000U | r->key));
}

/* Destroyed while it was in user space: that time is the last exit's, up to the end. */
static void test_no_reentry(void)
{
	static const struct timespec pause = {.tv_nsec = 20000000};
	uint64_t asleep, awake, pause_cycles;
	const struct kvm_exit_record *r;
	struct probe p;

	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	probe_run(&p, 2);
	pause_cycles = p.map.meta->tsc_khz * 20ULL;
	asleep = __rdtsc();
	nanosleep(&pause, NULL);
	awake = __rdtsc();
	probe_close(&p);
	r = &seen[seen_count - 1];
	CHECK(r->flags & KVM_EXIT_REC_NO_REENTRY && r->flags & KVM_EXIT_REC_USER);
	CHECK(!(seen[seen_count - 2].flags & KVM_EXIT_REC_NO_REENTRY));
	CHECK(parts(r) == r->cycles && r->tsc + r->cycles < __rdtsc());
	CHECK(r->tsc < asleep && r->tsc + r->cycles > awake && r->userspace_cycles >= pause_cycles);
}

/* The rest of test_totals(), whose guest has made 4 steps: what nobody reads is counted, too. */
static void count_unread_steps(struct probe *p)
{
	uint64_t id = p->map.meta->ring_id;

	ring_unmap(&p->map);
	probe_run(p, 3);
	attach(&p->map, id, 0);
	CHECK(IO(&p->map, count) == 7 && IO(&p->map, recorded) == 3 && IO(&p->map, unread) == 3);
	CHECK(SUM(&p->map, count) == guest_stat(&p->vm.vcpu, "exits"));
}

/*
 * The count moves at the exit, the cycles when the next entry has closed it. The guest's exits are
 * CPUID, which KVM handles itself, and OUT, which it does not.
 */
static void test_totals(void)
{
	uint64_t count, cycles;
	struct probe p;

	/* cpuid; step; jmp . - 4 */
	PROBE(&p, 0x0f, 0xa2, OUT_STEP, 0xeb, 0xfa);
	probe_run(&p, 1);
	CHECK(IO(&p.map, count) == 1 && IO(&p.map, cycles) == 0 && IO(&p.map, recorded) == 0);
	probe_run(&p, 3);
	count = IO(&p.map, count);
	cycles = SUM(&p.map, cycles);
	collect(&p.map);
	CHECK(count == 4 && IO(&p.map, recorded) == 3);
	CHECK(found(is_vmx(&p) ? 10 : 0x72, 3));
	for (unsigned int i = 0; i < seen_count; i++)
		cycles -= seen[i].cycles;
	CHECK(cycles == 0);
	CHECK(SUM(&p.map, count) == guest_stat(&p.vm.vcpu, "exits"));
	count_unread_steps(&p);
	probe_close(&p);
}

static void test_meta(void)
{
	const struct kvm_exit_ring_meta *meta;
	uint64_t ns, elapsed_ns, tsc;
	struct timespec now;
	struct probe p;

	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	meta = p.map.meta;
	CHECK(meta->magic == KVM_EXIT_RING_MAGIC && meta->abi == KVM_EXIT_RING_ABI);
	CHECK(meta->meta_bytes == sizeof(*meta) && meta->record_bytes == KVM_EXIT_RECORD_BYTES);
	CHECK(meta->total_bytes == sizeof(struct kvm_exit_total));
	CHECK(meta->total_slots == KVM_EXIT_TOTAL_SLOTS && meta->state == KVM_EXIT_RING_LIVE);
	CHECK(!(meta->record_count & (meta->record_count - 1)));
	CHECK(!(meta->totals_offset % RING_PAGE) && !(meta->records_offset % RING_PAGE));
	CHECK(meta->features == (KVM_EXIT_FEAT_SPLIT | KVM_EXIT_FEAT_KEYS | KVM_EXIT_FEAT_SYNTH |
				 KVM_EXIT_FEAT_POLLED | KVM_EXIT_FEAT_VALUE |
				 KVM_EXIT_FEAT_REQUESTS | KVM_EXIT_FEAT_EVENT));
	CHECK(meta->tgid == (uint32_t)getpid() && meta->vcpu_id == 0);
	/* Both clocks have gone on by the same time since the pair was read. */
	usleep(20000);
	CHECK(!clock_gettime(CLOCK_MONOTONIC_RAW, &now));
	tsc = __rdtsc();
	ns = (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec - meta->mono_raw_base_ns;
	elapsed_ns = (tsc - meta->tsc_base) * 1000000 / meta->tsc_khz;
	CHECK(ns > elapsed_ns / 2 && ns < elapsed_ns * 2);
	probe_close(&p);
}

static void test_ids(void)
{
	struct kvm_exit_ring_info first, second, other;
	struct guest_vcpu more;
	struct step_vm a, b;

	step_vm_open(&a);
	first = ring_info(newest_ring());
	CHECK(!guest_vm_add_vcpu(&a.vm, 7, &more));
	second = ring_info(newest_ring());
	step_vm_open(&b);
	other = ring_info(newest_ring());
	CHECK(first.vcpu_id == 0 && second.vcpu_id == 7 && other.vcpu_id == 0);
	CHECK(first.vm_id == second.vm_id && other.vm_id > first.vm_id);
	CHECK(second.ring_id > first.ring_id && other.ring_id > second.ring_id);
	CHECK(first.tgid == (uint32_t)getpid() && first.isa == other.isa && first.isa);
	guest_vcpu_close(&a.vm, &more);
	step_vm_close(&a);
	step_vm_close(&b);
}

/* Of a large ring POLLIN comes with 4096 records. */
static void test_watermark(void)
{
	struct probe p;

	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	CHECK(p.map.meta->record_count / 4 > 4096);
	while (p.map.meta->head < 4090)
		probe_run(&p, 1);
	CHECK(p.map.meta->head >= 4096 || polled(p.map.fd, 0) == 0);
	while (p.map.meta->head < 4096)
		probe_run(&p, 1);
	CHECK(polled(p.map.fd, 0) == POLLIN);
	ring_unmap(&p.map);
	step_vm_close(&p.vm);
}

/*
 * The VMM has #UD injected with an error code, which it does not have: the CPU refuses
 * the VM entry for its control fields (SDM vol. 3, "VM-Entry Control Fields").
 */
static void test_vmfail(void)
{
	struct kvm_vcpu_events events;
	const struct kvm_exit_record *r;
	struct kvm_run *run;
	struct probe p;

	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	if (!is_vmx(&p)) {
		probe_close(&p);
		skipped("VMX");
		return;
	}

	run = p.vm.vcpu.run;
	set_protected_mode(&p);
	probe_run(&p, 2);

	CHECK(!ioctl(p.vm.vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = UD_VECTOR;
	events.exception.has_error_code = 1;
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_VCPU_EVENTS, &events));

	/* Twice: KVM leaves the fields as they are. */
	for (unsigned int n = 1; n <= 2; n++) {
		CHECK(!ioctl(p.vm.vcpu.fd, KVM_RUN, 0) && run->exit_reason == KVM_EXIT_FAIL_ENTRY);
		/* the VM-instruction error */
		CHECK(run->fail_entry.hardware_entry_failure_reason == 7);
		CHECK(p.map.meta->vmfail == n && IO(&p.map, count) == 2);
		CHECK(guest_stat(&p.vm.vcpu, "exits") ==
		      SUM(&p.map, count) + SUM(&p.map, synthesized) + n);
	}

	probe_close(&p);

	/* No record of it: the exit before stayed open, up to the end. */
	r = found(30, 1);
	CHECK(r && !found(30, 2) && r->flags & KVM_EXIT_REC_NO_REENTRY);
	CHECK(r->user_reason == KVM_EXIT_IO && parts(r) == r->cycles);
}

/* A guest state that the CPU refuses: a failed VM entry is an exit, bit 31 says so. */
static void test_failed_entry(void)
{
	const uint32_t reason = 0x80000021; /* 33, invalid guest state */
	const struct kvm_exit_record *r;
	struct kvm_sregs good, bad;
	struct probe p;

	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	if (!is_vmx(&p) || vmx_without("unrestricted_guest")) {
		probe_close(&p);
		skipped("VMX with unrestricted_guest, where KVM leaves the check to the CPU");
		return;
	}

	probe_run(&p, 1);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_GET_SREGS, &good));

	bad = good;
	bad.ds.limit = ~0U; /* without G */
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_SREGS, &bad));
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_RUN, 0));

	CHECK(p.vm.vcpu.run->exit_reason == KVM_EXIT_FAIL_ENTRY);
	CHECK(p.vm.vcpu.run->fail_entry.hardware_entry_failure_reason == reason);
	CHECK(p.map.totals[33].count == 1 && p.map.totals[33].synthesized == 0);
	CHECK(p.map.meta->vmfail == 0);

	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_SREGS, &good));
	probe_run(&p, 1);
	probe_close(&p);

	r = found(reason, 0);
	CHECK(r && !found(reason, 1) && !(r->flags & (KVM_EXIT_REC_SYNTH | KVM_EXIT_REC_KEY)));
	CHECK(r->flags & KVM_EXIT_REC_USER && r->user_reason == KVM_EXIT_FAIL_ENTRY);
}

/* The TSC set back while an exit is open, by the MSR driver. */
static void test_tsc_backwards(void)
{
	uint64_t cycles, tsc;
	const struct kvm_exit_record *r;
	struct probe p;
	int msr = open("/dev/cpu/0/msr", O_RDWR);

	if (msr < 0 || access("/sys/module/kvm_intel", F_OK)) {
		skipped("VMX and the msr module; QEMU's TCG ignores writes to the TSC");
		return;
	}
	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	probe_run(&p, 2);
	cycles = SUM(&p.map, cycles);
	tsc = __rdtsc() - p.map.meta->tsc_khz * 5ULL;
	CHECK(pwrite(msr, &tsc, sizeof(tsc), 0x10) == sizeof(tsc));
	close(msr);
	probe_run(&p, 2);
	collect(&p.map);
	r = found(io_slot(&p.map), 1);
	CHECK(r->flags & KVM_EXIT_REC_TSC_BACK && !r->cycles && !parts(r));
	r = found(io_slot(&p.map), 2);
	CHECK(!(r->flags & KVM_EXIT_REC_TSC_BACK) && r->cycles);
	CHECK(SUM(&p.map, cycles) == cycles + r->cycles);
	probe_close(&p);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"an ordinary exit", test_ordinary_exit},
		{"guest CR3", test_guest_cr3},
		{"string I/O", test_string_io},
		{"debug registers", test_debug_registers},
		{"LMSW", test_lmsw},
		{"an exception and its delivery", test_exception},
		{"error code", test_error_code},
		{"an error code that was delivered", test_delivered_error_code},
		{"read, write and fetch", test_kinds_of_access},
		{"external interrupt", test_external_interrupt},
		{"no re-entry", test_no_reentry},
		{"totals", test_totals},
		{"meta", test_meta},
		{"ids", test_ids},
		{"watermark of a large ring", test_watermark},
		{"VMfail", test_vmfail},
		{"failed VM entry", test_failed_entry},
		{"TSC backwards", test_tsc_backwards},
	};

	(void)argc;
	return RUN_TESTS("record_test", tests, argv);
}
