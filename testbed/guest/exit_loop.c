// SPDX-License-Identifier: GPL-2.0-only
/* exit_loop.c - runs one guest operation N times and times it */
#include "testbed/guest/exit_loop.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>

#define TIMER_VECTOR	0x20
#define TIMER_HANDLER	0xf00 /* guest-physical; IRET */
#define PIT_HZ		1193182ULL
#define PAGE_PRESENT_RW 0x3ULL
#define PAGE_LARGE	0x80ULL

/* Long mode: 4 GiB mapped one to one in 2 MiB pages. */
static void build_page_tables(uint8_t *memory)
{
	uint64_t *tables = (uint64_t *)(memory + LOOP_TABLES_ADDRESS);

	tables[0] = (LOOP_TABLES_ADDRESS + 0x1000) | PAGE_PRESENT_RW;
	for (uint64_t i = 0; i < 4; i++)
		tables[512 + i] = (LOOP_TABLES_ADDRESS + 0x2000 + i * 0x1000) | PAGE_PRESENT_RW;
	for (uint64_t i = 0; i < 4 * 512; i++)
		tables[1024 + i] = i << 21 | PAGE_PRESENT_RW | PAGE_LARGE;
}

/* IRQ 0 of the master PIC at TIMER_VECTOR, ended by itself, and the PIT's channel 0. */
static int start_timer(struct loop *loop, unsigned int period_us)
{
	struct kvm_irqchip pic = {.chip_id = KVM_IRQCHIP_PIC_MASTER};
	struct kvm_pit_state2 pit;
	uint16_t vector[2] = {TIMER_HANDLER, 0};

	loop->vm.memory[TIMER_HANDLER] = 0xcf; /* IRET */
	memcpy(loop->vm.memory + TIMER_VECTOR * sizeof(vector), vector, sizeof(vector));

	loop->vm.step = "setting PIC and PIT";
	if (ioctl(loop->vm.fd, KVM_GET_IRQCHIP, &pic))
		return -errno;

	pic.chip.pic.irq_base = TIMER_VECTOR;
	pic.chip.pic.imr = 0xfe;
	pic.chip.pic.auto_eoi = 1;
	if (ioctl(loop->vm.fd, KVM_SET_IRQCHIP, &pic) || ioctl(loop->vm.fd, KVM_GET_PIT2, &pit))
		return -errno;

	pit.channels[0].mode = 2;
	pit.channels[0].gate = 1;
	pit.channels[0].count = (uint32_t)(period_us * PIT_HZ / 1000000);
	return ioctl(loop->vm.fd, KVM_SET_PIT2, &pit) ? -errno : 0;
}

const struct guest_op *guest_op_find(const char *name)
{
	const struct guest_op *op = guest_ops;

	while (op->name && strcmp(op->name, name))
		op++;
	return op->name ? op : NULL;
}

int loop_open(struct loop *loop, const struct loop_options *options)
{
	int err;

	loop->options = options;

	err = guest_vm_open(&loop->vm, LOOP_MEMORY_BYTES,
			    options->irqchip || options->timer_us ? GUEST_VM_IRQCHIP : 0);
	if (!err && !strcmp(options->op->name, "touch"))
		err = guest_vm_add_memory(&loop->vm, 1, LOOP_TOUCH_ADDRESS,
					  (size_t)options->count << 12);
	if (err)
		return err;

	build_page_tables(loop->vm.memory);
	for (unsigned int i = 0; !err && i < options->vcpus; i++) {
		loop->vcpus[i] = (struct loop_vcpu){.loop = loop, .id = i};
		err = guest_vm_add_vcpu(&loop->vm, i, &loop->vcpus[i].guest);
	}

	if (!err && options->timer_us)
		err = start_timer(loop, options->timer_us);
	return err;
}

/*
 * @unreal: the limit of DS stays at 4 GiB, as after a visit to protected mode.
 * Without unrestricted guest no VM entry can have that, so KVM emulates.
 */
static void set_real_mode(struct kvm_sregs *special, bool unreal)
{
	if (unreal)
		special->ds.limit = ~0U;
	special->cs.base = 0;
	special->cs.selector = 0;
	special->es.base = LOOP_MMIO_ADDRESS;
	special->es.selector = LOOP_MMIO_ADDRESS >> 4;
}

static void set_long_mode(struct kvm_sregs *special)
{
	struct kvm_segment code = {
		.limit = ~0U, .selector = 8, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1};
	struct kvm_segment data = {
		.limit = ~0U, .selector = 16, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1};

	special->cs = code;
	special->ds = special->es = special->fs = special->gs = special->ss = data;

	special->cr3 = LOOP_TABLES_ADDRESS;
	special->cr4 = 0x20;	   /* PAE */
	special->cr0 = 0x80000031; /* PG, NE, ET, PE */
	special->efer = 0x500;	   /* LME, LMA */
}

int loop_load(struct loop_vcpu *vcpu, const struct guest_op *op, uint32_t count, uint32_t address)
{
	struct loop *loop = vcpu->loop;
	bool long_mode = loop->options->long_mode;
	const uint8_t *code = long_mode ? op->long_mode : op->real;
	const uint8_t *end = long_mode ? op->long_mode_end : op->real_end;
	struct kvm_regs registers = {.rip = LOOP_CODE_ADDRESS,
				     .rsi = count,
				     .rdi = address,
				     .rsp = LOOP_STACK_ADDRESS - vcpu->id * 0x400,
				     .rflags = 0x202}; /* IF: Bochs takes no interrupts without */
	struct kvm_sregs special;

	memcpy(loop->vm.memory + LOOP_CODE_ADDRESS, code, (size_t)(end - code));

	vcpu->step = "setting the vCPU's registers";
	if (ioctl(vcpu->guest.fd, KVM_GET_SREGS, &special))
		return -errno;

	if (long_mode)
		set_long_mode(&special);
	else
		set_real_mode(&special, loop->options->unreal);

	if (ioctl(vcpu->guest.fd, KVM_SET_SREGS, &special))
		return -errno;
	return ioctl(vcpu->guest.fd, KVM_SET_REGS, &registers) ? -errno : 0;
}

static void sleep_us(unsigned int us)
{
	struct timespec time = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000L};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

/* Returns 1 when the loop is over, 0 to run on, or -errno. */
static int handle_exit(struct loop_vcpu *vcpu)
{
	struct kvm_run *run = vcpu->guest.run;

	vcpu->user_exits++;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		vcpu->io++;
		if (run->io.port == GUEST_DONE_PORT)
			return 1;
		break;
	case KVM_EXIT_MMIO:
		vcpu->mmio++;
		break;
	case KVM_EXIT_HLT:
		vcpu->hlt++;
		break;
	default:
		vcpu->step = "the guest stopped for an unknown reason";
		return -EPROTO;
	}

	if (vcpu->loop->options->sleep_us)
		sleep_us(vcpu->loop->options->sleep_us);
	return 0;
}

int loop_run(struct loop_vcpu *vcpu)
{
	struct timespec start, end;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);

	while (!result) {
		vcpu->step = "KVM_RUN";
		if (!ioctl(vcpu->guest.fd, KVM_RUN, NULL))
			result = handle_exit(vcpu);
		else if (errno != EINTR && errno != EAGAIN)
			result = -errno;
	}

	clock_gettime(CLOCK_MONOTONIC, &end);
	vcpu->seconds =
		(double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) * 1e-9;
	return result < 0 ? result : 0;
}

void loop_close(struct loop *loop)
{
	for (unsigned int i = 0; i < loop->options->vcpus; i++)
		guest_vcpu_close(&loop->vm, &loop->vcpus[i].guest);
	guest_vm_close(&loop->vm);
}
