// SPDX-License-Identifier: GPL-2.0-only
/*
 * selfcheck - do the loaded KVM modules record the exits of a guest?
 *
 * Runs a guest that executes CPUID SELFCHECK_EXITS times and reads its ring: each
 * of them must be there, once and in order, and in the totals. With hooks=0 of kvm.ko
 * the guest must run, and that is all. No library, no database: kvm/install runs it with
 * modules that were loaded a moment ago.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kvm/test/common/ring_map.h"
#include "testbed/guest/guest_vm.h"

#define HOOKS		  "/sys/module/kvm/parameters/hooks"
#define SELFCHECK_EXITS	  100U
#define SELFCHECK_RECORDS 1024U /* the ring holds that many: more exits than the guest makes */
#define CODE_ADDRESS	  0x1000U
#define REASON_CPUID	  10U	/* VMX, Intel SDM vol. 3, appendix C */
#define SVM_EXIT_CPUID	  0x72U /* SVM, AMD APM vol. 2, appendix C */

/* Real mode: ESI times CPUID of leaf 1, then OUT to port 0xfe. */
static const uint8_t code[] = {
	0x66, 0xb8, 0x01, 0x00, 0x00, 0x00, /* 1: mov $1, %eax */
	0x0f, 0xa2,			    /* cpuid */
	0x66, 0x4e,			    /* dec %esi */
	0x75, 0xf4,			    /* jnz 1b */
	0xe6, 0xfe,			    /* out %al, $0xfe */
	0xf4,				    /* hlt */
};

__attribute__((noreturn, format(printf, 1, 2))) static void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fputs("selfcheck: ", stderr);
	vfprintf(stderr, format, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	exit(1);
}

/* Attaches to the ring of the only vCPU of this process. */
static void attach(struct ring_map *ring, int control)
{
	struct kvm_exit_ring_info info = {.ring_id = 0};
	struct kvm_exit_ring_attach how = {.ring_id = 0};
	int err;

	while (!ioctl(control, KVM_EXIT_RING_NEXT, &info))
		if (info.tgid == (uint32_t)getpid())
			how.ring_id = info.ring_id;
	if (!how.ring_id)
		die("the guest's vCPU has no ring: is the vendor module (kvm-intel or kvm-amd) a stock one?");
	err = ring_map(ring, &how);
	if (err)
		die("the ring can't be attached: %s", strerror(-err));
}

static void start_guest(struct guest_vm *vm, struct guest_vcpu *vcpu)
{
	struct kvm_regs regs = {.rip = CODE_ADDRESS, .rsi = SELFCHECK_EXITS, .rflags = 2};
	struct kvm_sregs sregs;
	int err = guest_vm_open(vm, 0x10000, 0);

	if (!err)
		err = guest_vm_add_vcpu(vm, 0, vcpu);
	if (err)
		die("%s: %s", vm->step, strerror(-err));
	memcpy(vm->memory + CODE_ADDRESS, code, sizeof(code));
	if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs))
		die("KVM_GET_SREGS: %s", strerror(errno));
	sregs.cs.base = 0;
	sregs.cs.selector = 0;
	if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) || ioctl(vcpu->fd, KVM_SET_REGS, &regs))
		die("KVM_SET_REGS: %s", strerror(errno));
}

static void run_guest(struct guest_vcpu *vcpu)
{
	while (ioctl(vcpu->fd, KVM_RUN, NULL))
		if (errno != EINTR && errno != EAGAIN)
			die("KVM_RUN: %s", strerror(errno));
	if (vcpu->run->exit_reason != KVM_EXIT_IO)
		die("the guest failed: KVM_EXIT_* %u", vcpu->run->exit_reason);
}

/* CPUID exits in the ring; the records must follow each other without a gap. */
static unsigned int count_records(struct exit_ring_reader *reader, uint32_t reason)
{
	const struct kvm_exit_record *first, *record;
	unsigned int found = 0;
	uint64_t seq = 0;
	uint32_t n;

	while ((n = exit_ring_peek(reader, &first))) {
		for (uint32_t i = 0; i < n; i++) {
			record = exit_ring_record_at(reader, first, i);
			if (record->seq != seq++)
				die("record %llu: %llu was expected",
				    (unsigned long long)record->seq, (unsigned long long)seq - 1);
			found += (record->reason & 0xffff) == reason;
		}
		exit_ring_advance(reader, n);
	}
	return found;
}

static bool hooks_are_off(void)
{
	char value = 0;
	int fd = open(HOOKS, O_RDONLY | O_CLOEXEC);
	bool off = fd >= 0 && read(fd, &value, 1) == 1 && value == 'N';

	if (fd >= 0)
		close(fd);
	return off;
}

/* Runs the guest with its ring attached, and compares. */
static void check_records(struct guest_vm *vm, struct guest_vcpu *vcpu)
{
	struct ring_map ring;
	struct kvm_exit_ring_query query = {.size = sizeof(query), .abi = 1};
	/* Whatever ring_records is: nothing is read before the guest has ended. */
	struct kvm_exit_ring_arm how = {.size = sizeof(how), .record_count = SELFCHECK_RECORDS};
	int control = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);
	unsigned int records;
	uint64_t total;
	uint32_t reason;

	if (control < 0)
		die("%s: %s", KVM_EXIT_RING_DEVICE, strerror(errno));
	if (ioctl(control, KVM_EXIT_RING_QUERY, &query) || query.abi != KVM_EXIT_RING_ABI)
		die("the modules speak ABI %u, this program ABI %u", query.abi, KVM_EXIT_RING_ABI);
	if (ioctl(control, KVM_EXIT_RING_ARM, &how))
		die("KVM_EXIT_RING_ARM: %s", strerror(errno));

	start_guest(vm, vcpu);
	attach(&ring, control);
	run_guest(vcpu);

	reason = ring.meta->isa == KVM_EXIT_ISA_SVM ? SVM_EXIT_CPUID : REASON_CPUID;
	records = count_records(&ring.reader, reason);
	total = ring.totals[reason].count;
	if (records != SELFCHECK_EXITS || total != SELFCHECK_EXITS)
		die("%u CPUID exits were made: %u records, %llu in the totals", SELFCHECK_EXITS,
		    records, (unsigned long long)total);
	printf("selfcheck: %u CPUID exits made, recorded and in the totals\n", SELFCHECK_EXITS);
}

int main(void)
{
	struct guest_vm vm;
	struct guest_vcpu vcpu;

	if (hooks_are_off()) {
		start_guest(&vm, &vcpu);
		run_guest(&vcpu);
		puts("selfcheck: a guest runs; nothing is recorded with hooks=0");
		return 0;
	}
	check_records(&vm, &vcpu);
	return 0;
}
