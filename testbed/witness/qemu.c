// SPDX-License-Identifier: GPL-2.0-only
/*
 * qemu.c - the witness inside QEMU's TCG: LD_PRELOAD for qemu-system-x86_64
 *
 * HOW IT WORKS. With "-d in_asm -dfilter 0x1+1" QEMU logs each VMRUN and each #VMEXIT, because
 * its SVM code ignores -dfilter, and no disassembly, which obeys it. Both lines go through
 * the exported qemu_log(), which is overwritten here by a jump: the lines' arguments become an
 * entry and an exit, nothing is formatted or written to a log. All else is read with QEMU's own
 * exported functions; no offset of its structures is used, only of the VMCB, which is the CPU's.
 */
#include "testbed/witness/writer.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

/* Guest registers by gdb's number, as QEMU's gdbstub gives them out */
#define GDB_EAX 0
#define GDB_ECX 2

/* VMCB, AMD APM vol. 2, appendix B: offsets in bytes */
#define VMCB_EVENTINJ  0x0a8U
#define EVENTINJ_VALID 0x80000000U

/* Formats of the two lines begin so, in the versions of QEMU that were tried. */
static const struct qemu {
	int64_t major;
	int64_t minor;
	const char *vmrun;  /* then the address of the VMCB */
	const char *vmexit; /* then EXITCODE (32 bits), EXITINFO1, EXITINFO2, RIP */
	int gdb_cr3;	    /* gdb's number of CR3 */
} tried[] = {
	{.major = 7, .minor = 2, .vmrun = "vmrun! ", .vmexit = "vmexit(", .gdb_cr3 = 29},
	{.major = 10, .minor = 0, .vmrun = "vmrun! ", .vmexit = "vmexit(", .gdb_cr3 = 29},
};

static const struct qemu *names;

/* The beginning of what qmp_query_version() returns (QEMU's qapi/control.json) */
struct version_info {
	struct {
		int64_t major;
		int64_t minor;
		int64_t micro;
	} * qemu;
};

/* GByteArray of GLib: its two public fields */
struct byte_array {
	uint8_t *data;
	unsigned int length;
};

static int64_t (*elapsed_ticks)(void);
static void (*update_icount)(void *cpu);
static void *(*get_cpu)(int index);
static int (*read_register)(void *cpu, struct byte_array *to, int number);
static void (*read_physical)(uint64_t address, void *to, uint64_t bytes, bool is_write);
static struct byte_array *(*resize)(struct byte_array *array, unsigned int length);
static int *use_icount;
static void **current_cpu; /* of the one thread that runs all CPUs in turn */
static struct byte_array *register_bytes;

static void *cpus[WITNESS_MAX_CPUS];

/* Of each CPU: its present stay in guest mode. */
static struct witness_exit stays[WITNESS_MAX_CPUS];

/* What is known only in the thread that runs the CPUs, at its first VMRUN. */
static void find_cpus(void)
{
	uint32_t count = 0;

	current_cpu = witness_symbol("current_cpu"); /* thread-local */
	while (get_cpu((int)count)) {
		if (count == WITNESS_MAX_CPUS)
			witness_fail("CPU %u: at most %u CPUs are observed", count,
				     WITNESS_MAX_CPUS);
		cpus[count] = get_cpu((int)count);
		count++;
	}
	witness_describe(*use_icount, 0, count);
}

/* The number of the CPU that runs: L1 numbers them in the same order. */
static uint32_t running_cpu(void)
{
	if (!current_cpu)
		find_cpus();

	for (uint32_t i = 0; i < WITNESS_MAX_CPUS; i++) {
		if (cpus[i] && cpus[i] == *current_cpu)
			return i;
	}
	witness_fail("a VM entry or exit of none of the CPUs");
}

/*
 * With -icount QEMU counts the instructions of a translated block at once, and aborts on reading
 * the count in the middle of one. It has found the very instruction before it logs, though: the
 * count is brought up to date, then read as if from outside of the CPU's thread.
 */
static uint64_t read_tsc(void)
{
	void *cpu = *current_cpu;
	uint64_t tsc;

	if (*use_icount)
		update_icount(cpu);

	*current_cpu = NULL;
	tsc = (uint64_t)elapsed_ticks();
	*current_cpu = cpu;
	return tsc;
}

static uint64_t guest_register(int number)
{
	uint64_t value = 0;

	resize(register_bytes, 0);
	read_register(*current_cpu, register_bytes, number);
	if (register_bytes->length > sizeof(value))
		witness_fail("register %d has %u bytes", number, register_bytes->length);
	memcpy(&value, register_bytes->data, register_bytes->length);
	return value;
}

static void on_vmrun(uint64_t vmcb)
{
	struct witness_exit *stay = &stays[running_cpu()];

	if (stay->entry_tsc)
		witness_unpaired();

	stay->vm = vmcb;
	stay->entry_tsc = read_tsc();
}

/*
 * The event whose delivery the exit has interrupted. QEMU logs before it copies EVENTINJ, whose
 * valid bit it has cleared once the event was delivered, to EXITINTINFO.
 */
static void read_interrupted_event(struct witness_exit *exit)
{
	uint32_t event[2];

	read_physical(exit->vm + VMCB_EVENTINJ, event, sizeof(event), false);
	if (event[0] & EVENTINJ_VALID) {
		exit->intr_info = event[0];
		exit->error_code = event[1];
	}
}

static void on_vmexit(uint32_t code, uint64_t info1, uint64_t info2, uint64_t rip)
{
	uint32_t cpu = running_cpu();
	struct witness_exit *exit = &stays[cpu];

	if (!exit->entry_tsc)
		witness_unpaired();

	/* With -icount a VMRUN that is refused is undone by then: both are one instruction earlier.
	 */
	exit->exit_tsc = read_tsc();
	if (exit->entry_tsc > exit->exit_tsc)
		exit->entry_tsc = exit->exit_tsc;

	exit->cpu = cpu;
	exit->reason = code;
	exit->info1 = info1;
	exit->info2 = info2;
	exit->rip = rip;
	exit->eax = (uint32_t)guest_register(GDB_EAX);
	exit->ecx = (uint32_t)guest_register(GDB_ECX);
	exit->cr3 = guest_register(names->gdb_cr3);
	read_interrupted_event(exit);
	witness_append(exit);

	memset(exit, 0, sizeof(*exit));
}

/* Takes the place of qemu_log(). */
static void on_log(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (!strncmp(format, names->vmexit, strlen(names->vmexit))) {
		uint32_t code = va_arg(args, uint32_t);
		uint64_t info1 = va_arg(args, uint64_t);
		uint64_t info2 = va_arg(args, uint64_t);
		uint64_t rip = va_arg(args, uint64_t);

		on_vmexit(code, info1, info2, rip);
	} else if (!strncmp(format, names->vmrun, strlen(names->vmrun))) {
		on_vmrun(va_arg(args, uint64_t));
	}
	va_end(args);
}

/* The row of the running version. What is in no row was never tried, so it can't be believed. */
static const struct qemu *find_names(void)
{
	struct version_info *(*query_version)(void *error) = witness_symbol("qmp_query_version");
	const struct version_info *version = query_version(NULL);

	for (size_t i = 0; i < sizeof(tried) / sizeof(tried[0]); i++) {
		if (tried[i].major == version->qemu->major &&
		    tried[i].minor == version->qemu->minor)
			return &tried[i];
	}
	witness_fail("QEMU %lld.%lld: not tried (try it, then add a row to testbed/witness/qemu.c)",
		     (long long)version->qemu->major, (long long)version->qemu->minor);
}

__attribute__((constructor)) static void start(void)
{
	struct byte_array *(*create_array)(void);

	if (!dlsym(RTLD_DEFAULT, "qemu_get_cpu"))
		return; /* not QEMU, but a program that has inherited LD_PRELOAD */

	names = find_names();
	elapsed_ticks = witness_symbol("cpus_get_elapsed_ticks");
	update_icount = witness_symbol("icount_update");
	use_icount = witness_symbol("use_icount");
	get_cpu = witness_symbol("qemu_get_cpu");
	read_register = witness_symbol("x86_cpu_gdb_read_register");
	read_physical = witness_symbol("cpu_physical_memory_rw");
	create_array = witness_symbol("g_byte_array_new");
	resize = witness_symbol("g_byte_array_set_size");
	register_bytes = create_array();

	witness_create(WITNESS_SVM);
	witness_replace(witness_symbol("qemu_log"), on_log);
}
