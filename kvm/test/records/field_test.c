// SPDX-License-Identifier: GPL-2.0-only
/*
 * field_test.c - what kvm/uapi/kvm_exit_ring.h promises of the fields of a record that ABI 2 has
 * added: values that a guest wrote, events that KVM injected, polling, requests, errno. Runs in the
 * test bed's L1 as root, with ring_records=4096.
 */
#include "kvm/test/records/probe_tables.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/time.h>

#define INT_TABLE(vector) (4 * (vector)) /* of real mode */
#define NMI_VECTOR	  2
#define IRQ_VECTOR	  0x30
#define NMI_EVENT	  0x80000202U /* valid, NMI, vector 2 */
#define IRQ_EVENT	  0x80000030U /* valid, external interrupt, vector 0x30 */
#define GP_EVENT	  0x80000b0dU /* valid, error code, hardware exception, vector 13 */
#define GP_ERROR_CODE	  0x50
#define POLL_NS		  "/sys/module/kvm/parameters/halt_poll_ns"
#define EVENT_FLAGS	  (KVM_EXIT_REC_EVENT | KVM_EXIT_REC_EVENT_ERROR)

static void no_action(int signal)
{
	(void)signal;
}

static int is_vmx(const struct probe *p)
{
	return p->map.meta->isa == KVM_EXIT_ISA_VMX;
}

/* Whether the CPU runs the guests of here in virtual-8086 mode, in which the claim can't be tried.
 */
static bool is_virtual_8086(const char *why)
{
	bool is = vmx_without("unrestricted_guest");

	if (is)
		printf("field_test: skipped, needs unrestricted_guest: in virtual-8086 mode %s\n",
		       why);
	return is;
}

static void set_stack(struct step_vm *vm, uint64_t rflags)
{
	struct kvm_regs regs;

	CHECK(!ioctl(vm->vcpu.fd, KVM_GET_REGS, &regs));
	regs.rflags = rflags;
	regs.rsp = 0x7000;
	CHECK(!ioctl(vm->vcpu.fd, KVM_SET_REGS, &regs));
}

static void set_vector(struct step_vm *vm, unsigned int vector, const uint8_t *code, size_t bytes)
{
	uint16_t entry[2] = {HANDLER, 0};

	memcpy(vm->vm.memory + INT_TABLE(vector), entry, sizeof(entry));
	memcpy(vm->vm.memory + HANDLER, code, bytes);
}

/* What has no value written says so. */
static void check_values(void)
{
	for (const struct kvm_exit_record *r = seen; r < seen + seen_count; r++)
		CHECK(r->flags & KVM_EXIT_REC_VALUE || r->value == 0);
}

/* Of the port instructions only OUT writes a value; only as much as the access is wide. */
static void test_port_values(void)
{
	struct probe p;

	/*
	 * mov $0x89abcdef,%eax; out %al,$0x20; out %ax,$0x21; out %eax,$0x22; in $0x23,%al
	 * mov $0x24,%dx; mov $0,%si; outsb; step
	 */
	PROBE(&p, 0x66, 0xb8, 0xef, 0xcd, 0xab, 0x89, 0xe6, 0x20, 0xe7, 0x21, 0x66, 0xe7, 0x22,
	      0xe4, 0x23, 0xba, 0x24, 0, 0xbe, 0, 0, 0x6e, OUT_STEP);
	probe_run(&p, 1);
	probe_close(&p);

	CHECK(keyed(30, 0x7b, 0x20)->value == 0xef);
	CHECK(keyed(30, 0x7b, 0x21)->value == 0xcdef);
	CHECK(keyed(30, 0x7b, 0x22)->value == 0x89abcdef);
	CHECK(keyed(30, 0x7b, 0x22)->flags & KVM_EXIT_REC_VALUE);
	CHECK(!(keyed(30, 0x7b, 0x23)->flags & KVM_EXIT_REC_VALUE));
	CHECK(!(keyed(30, 0x7b, 0x24)->flags & KVM_EXIT_REC_VALUE));
	check_values();
}

/* Of the MSR instructions only WRMSR writes a value. */
static void test_msr_values(void)
{
	struct probe p;

	if (is_virtual_8086("WRMSR raises #GP"))
		return;
	/*
	 * mov $0x89abcdef,%eax; mov $0x12345678,%edx; mov $0x10,%ecx; wrmsr
	 * mov $0x1b,%ecx; rdmsr; step
	 */
	PROBE(&p, 0x66, 0xb8, 0xef, 0xcd, 0xab, 0x89, 0x66, 0xba, 0x78, 0x56, 0x34, 0x12, 0x66,
	      0xb9, 0x10, 0, 0, 0, 0x0f, 0x30, 0x66, 0xb9, 0x1b, 0, 0, 0, 0x0f, 0x32, OUT_STEP);
	probe_run(&p, 1);
	probe_close(&p);

	CHECK(keyed(32, 0x7c, 0x10)->value == 0x1234567889abcdef);
	CHECK(keyed(32, 0x7c, 0x10)->flags & KVM_EXIT_REC_VALUE);
	CHECK(!(keyed(31, 0x7c, 0x1b)->flags & KVM_EXIT_REC_VALUE));
	check_values();
}

/* All that has no event has none of its fields. */
static void check_events(void)
{
	for (const struct kvm_exit_record *r = seen; r < seen + seen_count; r++) {
		CHECK(r->flags & KVM_EXIT_REC_EVENT ||
		      (!r->entry_event && !(r->flags & EVENT_FLAGS)));
		CHECK(r->flags & KVM_EXIT_REC_EVENT_ERROR || !r->entry_error_code);
	}
}

/* An interrupt and an NMI, each at the entry after an OUT; their handler is an OUT. */
static void test_injected_interrupts(void)
{
	static const uint8_t handler[] = {OUT_STEP, 0xcf}; /* step; iret */
	const struct kvm_exit_record *r;
	struct kvm_interrupt irq = {.irq = IRQ_VECTOR};
	struct probe p;
	unsigned int io;

	if (is_virtual_8086("KVM emulates the delivery of interrupts"))
		return;
	PROBE(&p, OUT_STEP, 0xeb, 0xfc);
	set_vector(&p.vm, IRQ_VECTOR, handler, sizeof(handler));
	set_vector(&p.vm, NMI_VECTOR, handler, sizeof(handler));
	set_stack(&p.vm, RFLAGS_IF);

	probe_run(&p, 2);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_INTERRUPT, &irq));
	probe_run(&p, 3);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_NMI));
	probe_run(&p, 3);
	io = io_slot(&p.map);
	probe_close(&p);

	r = found(io, 1);
	CHECK(r && r->guest_rip == STEP_CODE && r->entry_event == IRQ_EVENT);
	CHECK((r->flags & EVENT_FLAGS) == KVM_EXIT_REC_EVENT);
	r = found(io, 2);
	CHECK(r->guest_rip == HANDLER && !(r->flags & KVM_EXIT_REC_EVENT));
	r = found(io, 4);
	CHECK(r->guest_rip == STEP_CODE && r->entry_event == NMI_EVENT);
	CHECK((r->flags & EVENT_FLAGS) == KVM_EXIT_REC_EVENT);
	r = found(io, 5);
	CHECK(r->guest_rip == HANDLER);
	check_events();
}

/* An exception that the VMM has injected, with an error code. */
static void test_injected_exception(void)
{
	const struct kvm_exit_record *r;
	struct kvm_vcpu_events events;
	struct probe p;
	unsigned int io;

	if (is_virtual_8086("KVM emulates the delivery of exceptions"))
		return;
	PROBE(&p, OUT_STEP, OUT_STEP);
	set_gp_handler(&p);
	memcpy(p.vm.vm.memory + HANDLER, (const uint8_t[]){OUT_STEP}, 2);
	set_stack(&p.vm, 2);
	probe_run(&p, 1);
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_GET_VCPU_EVENTS, &events));
	events.exception.injected = 1;
	events.exception.nr = GP_VECTOR;
	events.exception.has_error_code = 1;
	events.exception.error_code = GP_ERROR_CODE;
	CHECK(!ioctl(p.vm.vcpu.fd, KVM_SET_VCPU_EVENTS, &events));
	probe_run(&p, 1);
	io = io_slot(&p.map);
	probe_close(&p);

	r = found(io, 0);
	CHECK(r && r->entry_event == GP_EVENT && r->entry_error_code == GP_ERROR_CODE);
	CHECK((r->flags & EVENT_FLAGS) == EVENT_FLAGS);
	r = found(io, 1);
	CHECK(r && r->guest_rip == HANDLER && !(r->flags & EVENT_FLAGS));
	check_events();
}

static void write_poll_ns(const char *text)
{
	int fd = open(POLL_NS, O_WRONLY);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

/* In virtual-8086 mode HLT raises #GP, and KVM emulates it. */
static uint32_t hlt_reason(const struct probe *p)
{
	if (!is_vmx(p))
		return 0x78;
	return vmx_without("unrestricted_guest") ? 0 : 12;
}

static void set_timer_us(suseconds_t us)
{
	const struct itimerval timer = {.it_interval.tv_usec = us, .it_value.tv_usec = us};

	CHECK(!setitimer(ITIMER_REAL, &timer, NULL));
}

/*
 * A halt that a signal interrupts @count times, 2 ms apart: one record, in *@halt. The signals are
 * a timer's: KVM polls only while nobody else is ready to run on the CPU, and from Linux 6.12 on a
 * thread that sleeps may count as such for a while.
 */
static uint64_t record_halt(unsigned int count, struct kvm_exit_record *halt)
{
	static const uint8_t code[] = {0xf4}; /* hlt */
	const struct kvm_exit_record *r;
	struct probe p;
	uint64_t khz;

	code_vm_with_apic_open(&p.vm, code, sizeof(code), 2);
	attach(&p.map, newest_ring(), 0);
	khz = p.map.meta->tsc_khz;
	seen_count = 0;

	set_timer_us(2000);
	for (unsigned int i = 0; i < count; i++)
		CHECK(ioctl(p.vm.vcpu.fd, KVM_RUN, 0) < 0 && errno == EINTR);
	set_timer_us(0);
	step_vm_close(&p.vm);
	collect(&p.map);

	*halt = seen[seen_count - 1];
	CHECK(halt->reason == hlt_reason(&p));
	CHECK(SUM(&p.map, polled_cycles) == halt->polled_cycles);
	for (r = seen; r < seen + seen_count - 1; r++)
		CHECK(!(r->flags & KVM_EXIT_REC_POLLED) && !r->polled_cycles);
	ring_unmap(&p.map);
	return khz;
}

/* KVM polls for longer and longer if it may, as halts end soon. Then polling is a part of them. */
static void test_polling(void)
{
	struct sigaction action = {.sa_handler = no_action};
	struct kvm_exit_record r;
	uint64_t khz;

	CHECK(!sigaction(SIGALRM, &action, NULL));
	write_poll_ns("0");
	khz = record_halt(20, &r);
	CHECK(r.halted_cycles > khz * 10 && r.flags & KVM_EXIT_REC_HALTED);
	CHECK(!(r.flags & KVM_EXIT_REC_POLLED) && r.polled_cycles == 0);

	write_poll_ns("50000000");
	khz = record_halt(40, &r);
	write_poll_ns("200000");
	CHECK(r.flags & KVM_EXIT_REC_POLLED && r.flags & KVM_EXIT_REC_HALTED);
	printf("field_test: polled %llu of %llu halted cycles\n",
	       (unsigned long long)r.polled_cycles, (unsigned long long)r.halted_cycles);
	CHECK(r.polled_cycles > khz / 4);
	CHECK(r.polled_cycles <= r.halted_cycles);
	CHECK(r.handler_cycles + r.halted_cycles + r.userspace_cycles + r.preempted_cycles ==
	      r.cycles);
}

#define STOP 0x8000 /* where the guest sees that it may end */

static void *run_until_a_step(void *vm)
{
	step(vm, 1);
	return NULL;
}

/* What KVM asks of a guest that runs on another CPU is a request; the exit is for that. */
static void test_requests(void)
{
	/* pause; mov STOP,%al; test %al,%al; jz . - 7; step */
	static const uint8_t code[] = {0xf3, 0x90, 0xa0, 0x00, 0x80,
				       0x84, 0xc0, 0x74, 0xf7, OUT_STEP};
	struct kvm_msr_filter filter = {.flags = KVM_MSR_FILTER_DEFAULT_ALLOW};
	const struct kvm_exit_record *r;
	unsigned int requested = 0;
	pthread_t thread;
	struct probe p;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		printf("field_test: skipped, needs 2 CPUs\n");
		return;
	}
	probe_open(&p, 0, code, sizeof(code), 0);
	CHECK(!pthread_create(&thread, NULL, run_until_a_step, &p.vm));
	for (int i = 0; i < 100; i++) {
		usleep(2000);
		CHECK(!ioctl(p.vm.vm.fd, KVM_X86_SET_MSR_FILTER, &filter));
	}
	((volatile uint8_t *)p.vm.vm.memory)[STOP] = 1;
	CHECK(!pthread_join(thread, NULL));
	probe_close(&p);

	for (r = seen; r < seen + seen_count; r++) {
		CHECK(r->flags & KVM_EXIT_REC_REQUESTS);
		requested += r->requests != 0;
	}
	CHECK(requested >= 10);
}

#define GONE_ADDRESS 0x8000
#define MEMORY_FAULT 39 /* KVM_EXIT_MEMORY_FAULT, which older headers lack */

/* A page of the guest that the host does not have: KVM_RUN fails. */
static void test_errno_of_kvm_run(void)
{
	static const uint8_t code[] = {0xe6, STEP_PORT, 0xa0, 0x00, 0x80};
	struct kvm_exit_record found = {0};
	const struct kvm_exit_record *first;
	struct ring_map map;
	struct step_vm vm;
	uint32_t n, reason;

	code_vm_open(&vm, 0, code, sizeof(code));
	attach(&map, newest_ring(), 0);
	step(&vm, 1);
	CHECK(!munmap(vm.vm.memory + GONE_ADDRESS, RING_PAGE));
	CHECK(ioctl(vm.vcpu.fd, KVM_RUN, 0) < 0 && errno == EFAULT);
	reason = vm.vcpu.run->exit_reason;
	step_vm_close(&vm);

	n = exit_ring_peek(&map.reader, &first);
	CHECK(n >= 2);
	for (uint32_t i = 0; i < n - 1; i++) {
		CHECK(first[i].run_errno == 0);
		CHECK(!(first[i].flags & KVM_EXIT_REC_USER) || first[i].user_reason == KVM_EXIT_IO);
	}
	found = first[n - 1];
	CHECK(found.flags & KVM_EXIT_REC_USER && found.run_errno == EFAULT);
	/* Some kernels describe the fault, so that user space can mend it. */
	CHECK(found.user_reason == (reason == MEMORY_FAULT ? reason : KVM_EXIT_UNKNOWN));
	ring_unmap(&map);
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{"values written to ports", test_port_values},
		{"values written to MSRs", test_msr_values},
		{"injected interrupts", test_injected_interrupts},
		{"an injected exception", test_injected_exception},
		{"polling", test_polling},
		{"requests", test_requests},
		{"errno of KVM_RUN", test_errno_of_kvm_run},
	};

	(void)argc;
	return RUN_TESTS("field_test", tests, argv);
}
