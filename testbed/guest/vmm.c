// SPDX-License-Identifier: GPL-2.0-only
/* vmm.c - a VMM of one vCPU that boots a Linux bzImage, enough to make real VM exits */
#include <asm/bootparam.h>
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "testbed/guest/guest_vm.h"
#include "testbed/guest/options.h"
#include "testbed/guest/uart.h"
#include "testbed/guest/vmm_port.h"

#define MIB		     (1UL << 20)
#define BOOT_PARAMS_ADDRESS  0x10000
#define COMMAND_LINE_ADDRESS 0x20000
#define COMMAND_LINE_BYTES   2048
#define KERNEL_ADDRESS	     MIB
#define LOW_MEMORY_END	     0x9fc00
#define SETUP_HEADER_OFFSET  0x1f1
#define SECTOR_BYTES	     512
#define STACK_WORDS	     512	   /* that print_where() reads */
#define KERNEL_TEXT_TOP	     0x1ffffffffUL /* bits 31 to 63 of an address in Linux's text */
#define CMOS_INDEX_PORT	     0x70
#define CMOS_DATA_PORT	     0x71
#define HYPERVISOR_LEAF	     0x40000000U

/*
 * nowatchdog: on a loaded host a boot in TCG is so slow that the guest reports a soft
 * lockup.
 */
static const char *const default_command_line =
	"console=ttyS0,115200 quiet mitigations=off nokaslr acpi=off pci=off noapic random.trust_cpu=on panic=-1 reboot=t rdinit=/init 8250.nr_uarts=1 no_timer_check tsc=reliable nowatchdog";

static const char *const usage =
	"usage: vmm [--memory MIB] [--append ARGUMENTS] [--pass-tsc] KERNEL INITRAMFS\n"
	"Boots the Linux bzImage KERNEL in a VM of one vCPU. Its console comes out in lines\n"
	"that begin with L2|; at the end KVM's statistics follow in lines that begin with\n"
	"\"vmm stats\", name=value, values in numbers of events since the VM's creation.\n"
	"  --memory MIB        guest memory, 32 to 2048 MiB, default 128\n"
	"  --append ARGUMENTS  more of the kernel's command line\n"
	"  --pass-tsc          passes the TSC's frequency to the guest's kernel, which can't\n"
	"                      measure it here; without it no KVM in the guest enters a guest\n"
	"Ended by SIGINT or SIGTERM, it also prints where the guest stood (\"vmm where\",\n"
	"registers in hexadecimal) and return addresses on its stack (\"vmm stack\").\n"
	"exit status: the byte that the guest writes to I/O port 0xf4; 1 on an error\n"
	"example: vmm --append 'leaf_reasons=10,30' /l2/bzImage /l2/initramfs\n";

struct machine {
	struct guest_vm vm;
	struct guest_vcpu vcpu;
	struct uart uart;
	uint8_t cmos_index;
	struct timespec start;
	char line[256];
	size_t line_length;
	uint64_t user_exits;
	int status; /* the guest's, -1 until it ended */
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static double seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + (double)(now.tv_nsec - start->tv_nsec) * 1e-9;
}

static void put_line(struct machine *machine)
{
	printf("L2| [%8.3f] %.*s\n", seconds_since(&machine->start), (int)machine->line_length,
	       machine->line);
	fflush(stdout);
	machine->line_length = 0;
}

static void put_character(char c, void *context)
{
	struct machine *machine = context;

	if (c == '\n' || machine->line_length == sizeof(machine->line))
		put_line(machine);
	if (c != '\r' && c != '\n')
		machine->line[machine->line_length++] = c;
}

static void set_uart_irq(bool level, void *context)
{
	struct machine *machine = context;
	struct kvm_irq_level irq = {.irq = UART_IRQ, .level = level};

	ioctl(machine->vm.fd, KVM_IRQ_LINE, &irq);
}

static int map_file(const char *path, const uint8_t **data, size_t *bytes)
{
	struct stat stat;
	void *map;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &stat) || !stat.st_size) {
		close(fd);
		return -ENODATA;
	}

	map = mmap(NULL, (size_t)stat.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return -ENOMEM;

	*data = map;
	*bytes = (size_t)stat.st_size;
	return 0;
}

/* Documentation/x86/boot.rst, "Loading The Rest of The Kernel" and "32-bit BOOT PROTOCOL". */
static int load_kernel(struct guest_vm *vm, const char *path, struct boot_params *params)
{
	const uint8_t *image;
	size_t bytes, header_bytes, code;
	int err = map_file(path, &image, &bytes);

	vm->step = path;
	if (err)
		return err;

	if (bytes < 0x1000 || memcmp(image + 0x202, "HdrS", 4))
		return -ENOEXEC;

	header_bytes = 0x202 + image[0x201] - SETUP_HEADER_OFFSET;
	if (header_bytes > sizeof(params->hdr))
		header_bytes = sizeof(params->hdr);
	memcpy(&params->hdr, image + SETUP_HEADER_OFFSET, header_bytes);

	code = ((params->hdr.setup_sects ? params->hdr.setup_sects : 4) + 1U) * SECTOR_BYTES;
	if (bytes <= code || KERNEL_ADDRESS + params->hdr.init_size > vm->memory_bytes)
		return -EFBIG;
	memcpy(vm->memory + KERNEL_ADDRESS, image + code, bytes - code);
	return 0;
}

/* At the end of memory, one MiB below the top. */
static int load_initramfs(struct guest_vm *vm, const char *path, struct boot_params *params)
{
	const uint8_t *image;
	size_t bytes, address;
	int err = map_file(path, &image, &bytes);

	vm->step = path;
	if (err)
		return err;

	if (bytes > vm->memory_bytes / 2)
		return -EFBIG;

	address = (vm->memory_bytes - MIB - bytes) & ~0xfffUL;
	memcpy(vm->memory + address, image, bytes);

	params->hdr.ramdisk_image = (uint32_t)address;
	params->hdr.ramdisk_size = (uint32_t)bytes;
	return 0;
}

static int load_linux(struct guest_vm *vm, char **files, const char *append)
{
	struct boot_params *params = (void *)(vm->memory + BOOT_PARAMS_ADDRESS);
	int err = load_kernel(vm, files[0], params);

	if (!err)
		err = load_initramfs(vm, files[1], params);
	if (err)
		return err;

	params->hdr.type_of_loader = 0xff;
	params->hdr.loadflags |= LOADED_HIGH | CAN_USE_HEAP;
	params->hdr.heap_end_ptr = 0xfe00;
	params->hdr.vid_mode = 0xffff;
	params->hdr.cmd_line_ptr = COMMAND_LINE_ADDRESS;

	vm->step = "--append";
	if (snprintf((char *)vm->memory + COMMAND_LINE_ADDRESS, COMMAND_LINE_BYTES, "%s %s",
		     default_command_line, append) >= COMMAND_LINE_BYTES)
		return -E2BIG;

	params->e820_entries = 2;
	params->e820_table[0] = (struct boot_e820_entry){0, LOW_MEMORY_END, 1};
	params->e820_table[1] = (struct boot_e820_entry){MIB, vm->memory_bytes - MIB, 1};
	return 0;
}

/* Flat 32-bit protected mode at the kernel's entry, as the boot protocol asks. */
static int set_registers(struct machine *machine)
{
	struct kvm_segment code = {
		.limit = ~0U, .selector = 0x10, .type = 11, .present = 1, .s = 1, .db = 1, .g = 1};
	struct kvm_segment data = code;
	struct kvm_regs registers = {
		.rip = KERNEL_ADDRESS, .rsi = BOOT_PARAMS_ADDRESS, .rflags = 2};
	struct kvm_sregs special;

	data.type = 3;
	data.selector = 0x18;

	machine->vm.step = "setting the vCPU's registers";
	if (ioctl(machine->vcpu.fd, KVM_GET_SREGS, &special))
		return -errno;

	special.cs = code;
	special.ds = special.es = special.fs = special.gs = special.ss = data;
	special.cr0 |= 1;

	if (ioctl(machine->vcpu.fd, KVM_SET_SREGS, &special))
		return -errno;
	return ioctl(machine->vcpu.fd, KVM_SET_REGS, &registers) ? -errno : 0;
}

/*
 * A register of the PC's clock (MC146818): always the same time, in BCD. Linux 5.10 waits
 * without end for a clock whose bit "update in progress" stays set.
 */
static uint8_t cmos_read(uint8_t index)
{
	static const uint8_t registers[64] = {
		[4] = 0x12,  /* hours */
		[6] = 0x04,  /* day of the week */
		[7] = 0x01,  /* day of the month */
		[8] = 0x01,  /* month */
		[9] = 0x20,  /* year */
		[10] = 0x26, /* register A: runs, no update in progress */
		[11] = 0x02, /* register B: 24 hours a day */
		[13] = 0x80, /* register D: the battery is good */
		[50] = 0x20, /* century */
	};

	return registers[index % sizeof(registers)];
}

static uint8_t port_read(struct machine *machine, uint16_t port)
{
	if (port == CMOS_DATA_PORT)
		return cmos_read(machine->cmos_index);
	return uart_owns(port) ? uart_read(&machine->uart, port) : 0xff;
}

static void port_byte(struct machine *machine, uint16_t port, bool out, uint8_t *byte)
{
	if (!out)
		*byte = port_read(machine, port);
	else if (port == VMM_EXIT_PORT)
		machine->status = *byte;
	else if (port == CMOS_INDEX_PORT)
		machine->cmos_index = *byte;
	else if (uart_owns(port))
		uart_write(&machine->uart, port, *byte);
}

static void handle_io(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	bool out = run->io.direction == KVM_EXIT_IO_OUT;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size) {
		if (!out)
			memset(data, 0xff, run->io.size);
		port_byte(machine, run->io.port, out, data);
	}
}

/* Returns 0 to run on, or -errno if the guest can't. */
static int handle_exit(struct machine *machine)
{
	struct kvm_run *run = machine->vcpu.run;

	machine->user_exits++;
	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		handle_io(machine);
		return 0;
	case KVM_EXIT_MMIO:
		if (!run->mmio.is_write)
			memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
		return 0;
	case KVM_EXIT_SHUTDOWN:
		machine->vm.step = "the guest shut down or reset itself";
		return -ESHUTDOWN;
	case KVM_EXIT_INTERNAL_ERROR:
		machine->vm.step = "KVM internal error";
		return -EIO;
	case KVM_EXIT_FAIL_ENTRY:
		machine->vm.step = "VM entry failed";
		return -EINVAL;
	}
	machine->vm.step = "unknown reason of KVM_RUN's return";
	return -ENOSYS;
}

/*
 * Print where a guest stood that did not come to its end: its registers, and the
 * words of its stack that point into a Linux kernel's text (/proc/kallsyms of L1
 * names them where L2 is the same kernel).
 */
static void print_where(const struct machine *machine)
{
	struct kvm_regs regs;
	struct kvm_translation at = {0};
	uint64_t word;

	if (ioctl(machine->vcpu.fd, KVM_GET_REGS, &regs))
		return;
	printf("vmm where rip=%llx rflags=%llx rsp=%llx\n", regs.rip, regs.rflags, regs.rsp);

	for (unsigned int i = 0; i < STACK_WORDS; i++) {
		at.linear_address = regs.rsp + sizeof(word) * i;
		if (ioctl(machine->vcpu.fd, KVM_TRANSLATE, &at) || !at.valid ||
		    at.physical_address > machine->vm.memory_bytes - sizeof(word))
			return;
		memcpy(&word, machine->vm.memory + at.physical_address, sizeof(word));
		if (word >> 31 == KERNEL_TEXT_TOP)
			printf("vmm stack +%zx %" PRIx64 "\n", sizeof(word) * i, word);
	}
}

static int run_guest(struct machine *machine)
{
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &machine->start);
	while (!err && machine->status < 0 && !interrupted) {
		machine->vm.step = "KVM_RUN";
		if (!ioctl(machine->vcpu.fd, KVM_RUN, NULL))
			err = handle_exit(machine);
		else if (errno != EINTR && errno != EAGAIN)
			err = -errno;
	}

	if (machine->line_length)
		put_line(machine);
	if (interrupted)
		print_where(machine);
	return err;
}

static void print_stat(const char *name, uint64_t value, void *context)
{
	(void)context;
	if (value)
		printf(" %s=%" PRIu64, name, value);
}

static void print_stats(const struct machine *machine)
{
	printf("vmm stats vcpu=0 seconds=%.3f user_exits=%" PRIu64, seconds_since(&machine->start),
	       machine->user_exits);
	guest_stats(&machine->vcpu, print_stat, NULL);
	printf("\n");
}

/*
 * Whether QEMU's TCG is the CPU. A guest's XSETBV makes no exit there (7.2), so KVM never learns
 * of the guest's XCR0: a Linux guest of 5.10 or 7.3 then stands still.
 */
static bool is_tcg(void)
{
	uint32_t eax, name[3];

	__cpuid(HYPERVISOR_LEAF, eax, name[0], name[1], name[2]);
	return !memcmp(name, "TCGTCGTCGTCG", sizeof(name));
}

/* @append, what this CPU needs and, if asked for, the TSC's frequency in kHz. */
static int more_arguments(struct machine *machine, const char *append, bool pass_tsc, char *text,
			  size_t bytes)
{
	const char *needed = is_tcg() ? "noxsave " : "";
	int khz = pass_tsc ? ioctl(machine->vcpu.fd, KVM_GET_TSC_KHZ, NULL) : 0;

	machine->vm.step = "KVM_GET_TSC_KHZ";
	if (khz < 0)
		return -errno;

	if (pass_tsc)
		snprintf(text, bytes, "%stsc_early_khz=%d %s", needed, khz, append);
	else
		snprintf(text, bytes, "%s%s", needed, append);
	return 0;
}

static int boot(struct machine *machine, size_t memory_bytes, char **files, const char *append,
		bool pass_tsc)
{
	char more[COMMAND_LINE_BYTES];
	int err = guest_vm_open(&machine->vm, memory_bytes, GUEST_VM_IRQCHIP);

	if (!err)
		err = guest_vm_add_vcpu(&machine->vm, 0, &machine->vcpu);
	if (!err)
		err = more_arguments(machine, append, pass_tsc, more, sizeof(more));
	if (!err)
		err = load_linux(&machine->vm, files, more);
	if (!err)
		err = set_registers(machine);
	if (err)
		return err;

	err = run_guest(machine);
	print_stats(machine);
	return err;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {{"memory", required_argument, NULL, 'm'},
						{"append", required_argument, NULL, 'a'},
						{"pass-tsc", no_argument, NULL, 't'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	struct machine machine = {.status = -1};
	struct sigaction action = {.sa_handler = on_signal};
	uint32_t memory = 128;
	const char *append = "";
	bool pass_tsc = false;
	int option, err;

	opterr = 0;
	while ((option = getopt_long(argc, argv, OPTIONS_SHORT, options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return options_refuse("vmm", option, argv);
		if (option == 'h')
			return fputs(usage, stdout) < 0;
		if (option == 'm' && options_number("vmm", "memory", optarg, 32, 2048, &memory))
			return 1;
		if (option == 't')
			pass_tsc = true;
		else if (option == 'a')
			append = optarg;
	}

	if (argc - optind != 2) {
		fputs("vmm: KERNEL and INITRAMFS are needed (vmm --help)\n", stderr);
		return 1;
	}

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);

	machine.uart =
		(struct uart){.put = put_character, .set_irq = set_uart_irq, .context = &machine};

	err = boot(&machine, memory * MIB, argv + optind, append, pass_tsc);
	if (err) {
		fprintf(stderr, "vmm: %s: %s\n", machine.vm.step, strerror(-err));
		return 1;
	}
	return interrupted ? 128 + interrupted : machine.status;
}
