/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * selfcheck - do the loaded KVM modules record the exits of a guest?
 *
 * Runs a guest that executes CPUID SELFCHECK_EXITS times and reads its ring: each
 * of them must be there, once and in order, and in the totals. No library, no
 * database: kvm/install runs it with modules that were loaded a moment ago.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kvm/exit_ring_core.h"
#include "testbed/guest_vm.h"

#define SELFCHECK_EXITS 100U
#define CODE_ADDRESS	0x1000U
#define REASON_CPUID	10U   /* VMX, Intel SDM vol. 3, appendix C */
#define SVM_EXIT_CPUID	0x72U /* SVM, AMD APM vol. 2, appendix C */

/* Real mode: ESI times CPUID of leaf 1, then OUT to port 0xfe. */
static const uint8_t code[] = {
	0x66, 0xb8, 0x01, 0x00, 0x00, 0x00, /* 1: mov $1, %eax */
	0x0f, 0xa2,			    /* cpuid */
	0x66, 0x4e,			    /* dec %esi */
	0x75, 0xf4,			    /* jnz 1b */
	0xe6, 0xfe,			    /* out %al, $0xfe */
	0xf4,				    /* hlt */
};

struct areas {
	const struct kvm_exit_ring_meta *meta;
	struct kvm_exit_ring_tail *tail;
	const struct kvm_exit_total *totals;
	const struct kvm_exit_record *records;
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

static int open_device(void)
{
	int fd = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		die("%s: %s", KVM_EXIT_RING_DEVICE, strerror(errno));
	return fd;
}

/* Attaches to the ring of the only vCPU of this process. */
static int attach(int control)
{
	struct kvm_exit_ring_info info = {.ring_id = 0};
	struct kvm_exit_ring_attach request = {.ring_id = 0};
	int fd = open_device();

	while (!ioctl(control, KVM_EXIT_RING_NEXT, &info))
		if (info.tgid == (uint32_t)getpid())
			request.ring_id = info.ring_id;
	if (!request.ring_id)
		die("the guest's vCPU has no ring: is the vendor module (kvm-intel or kvm-amd) a "
		    "stock one?");
	if (ioctl(fd, KVM_EXIT_RING_ATTACH, &request))
		die("KVM_EXIT_RING_ATTACH: %s", strerror(errno));
	return fd;
}

static void *map(int fd, size_t bytes, uint32_t offset, int protection)
{
	void *area = mmap(NULL, bytes, protection, MAP_SHARED, fd, offset);

	if (area == MAP_FAILED)
		die("mmap of the ring at %u: %s", offset, strerror(errno));
	return area;
}

static struct areas map_areas(int fd)
{
	uint32_t page = (uint32_t)sysconf(_SC_PAGESIZE);
	struct areas areas = {.meta = map(fd, page, 0, PROT_READ)};
	const struct kvm_exit_ring_meta *meta = areas.meta;

	if (meta->magic != KVM_EXIT_RING_MAGIC || meta->abi != KVM_EXIT_RING_ABI)
		die("the device speaks ABI %u, this program ABI %u", meta->abi, KVM_EXIT_RING_ABI);
	areas.tail = map(fd, page, page, PROT_READ | PROT_WRITE);
	areas.totals =
		map(fd, sizeof(*areas.totals) * meta->total_slots, meta->totals_offset, PROT_READ);
	areas.records = map(fd, sizeof(*areas.records) * meta->record_count, meta->records_offset,
			    PROT_READ);
	return areas;
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
static unsigned int count_records(const struct areas *areas, uint32_t reason)
{
	struct exit_ring_reader reader;
	const struct kvm_exit_record *record;
	unsigned int found = 0;
	uint64_t seq = 0;
	uint32_t n;

	exit_ring_reader_init(&reader, areas->meta, areas->tail, areas->records);
	while ((n = exit_ring_peek(&reader, &record))) {
		for (uint32_t i = 0; i < n; i++) {
			if (record[i].seq != seq++)
				die("record %llu: %llu was expected",
				    (unsigned long long)record[i].seq, (unsigned long long)seq - 1);
			found += (record[i].reason & 0xffff) == reason;
		}
		exit_ring_advance(&reader, n);
	}
	return found;
}

int main(void)
{
	struct guest_vm vm;
	struct guest_vcpu vcpu;
	struct areas areas;
	int control = open_device();
	unsigned int records;
	uint64_t total;
	uint32_t reason;

	if (ioctl(control, KVM_EXIT_RING_ARM))
		die("KVM_EXIT_RING_ARM: %s", strerror(errno));
	start_guest(&vm, &vcpu);
	areas = map_areas(attach(control));
	run_guest(&vcpu);
	reason = areas.meta->isa == KVM_EXIT_ISA_SVM ? SVM_EXIT_CPUID : REASON_CPUID;
	records = count_records(&areas, reason);
	total = areas.totals[reason].count;
	if (records != SELFCHECK_EXITS || total != SELFCHECK_EXITS)
		die("%u CPUID exits were made: %u records, %llu in the totals", SELFCHECK_EXITS,
		    records, (unsigned long long)total);
	printf("selfcheck: %u CPUID exits made, recorded and in the totals\n", SELFCHECK_EXITS);
	return 0;
}
