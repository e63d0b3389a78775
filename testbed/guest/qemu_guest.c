// SPDX-License-Identifier: GPL-2.0-only
/*
 * qemu_guest.c - a guest for QEMU (-kernel) whose exits are known: no operating system
 *
 * It is up in a fraction of the time that Linux takes. Words of its command line (-append):
 *	count=N		each vCPU executes CPUID and OUT N times; default 100
 *	reasons=A,B	when the first vCPU has done it, it reads the exit statistics, also those of
 *			these basic exit reasons, and prints them as `cpuid -r` does
 *	cpus=N		then it starts vCPUs 1 to N - 1, or waits until they are there; default 1
 *	forever		does the work again and again, until QEMU is ended
 * Its words are on the first serial port. At the end it resets the machine by a triple fault:
 * -no-reboot makes that the end of QEMU, with status 0.
 */
#include <cpuid.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testbed/guest/qemu_guest.h"

/* No firmware has a reason to execute one of these. */
#define WORK_LEAF    1
#define WORK_SUBLEAF 0x5eaf
#define WORK_PORT    0x10

#define SERIAL_PORT 0x3f8

#define APIC_SPURIOUS  0xfee000f0UL
#define APIC_ICR_LOW   0xfee00300UL
#define APIC_ICR_HIGH  0xfee00310UL
#define APIC_ENABLED   0x1ff
#define ICR_INIT       0x4500
#define ICR_STARTUP    0x4600
#define STARTUP_ROUNDS 2000

/* As in Xen's public/arch-x86/hvm/start_info.h. */
struct hvm_start_info {
	uint32_t magic;
	uint32_t version;
	uint32_t flags;
	uint32_t module_count;
	uint64_t modules;
	uint64_t command_line;
};

/*
 * The first vCPU starts another one anew until that one says has_started, and never after may_go:
 * so nothing that counts is done twice.
 */
struct vcpu {
	bool has_started;
	bool may_go;
	bool is_done;
};

extern const uint8_t trampoline[], trampoline_end[];

static volatile struct vcpu vcpus[GUEST_VCPUS];
static unsigned int work_count = 100;
static bool is_endless;

static void out_byte(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static void write_apic(uintptr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

/*
 * A step of waiting. It exits, because the emulated CPU of Bochs takes no interrupt of the host
 * while a guest without an exit has interrupts off.
 */
static void relax(void)
{
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
	(void)(a + b + c + d);
}

static void print(const char *text)
{
	for (; *text; text++)
		out_byte(SERIAL_PORT, (uint8_t)*text);
}

static void print_hex(uint32_t value, unsigned int digits)
{
	print("0x");
	while (digits--)
		out_byte(SERIAL_PORT, (uint8_t) "0123456789abcdef"[value >> 4 * digits & 15]);
}

/* What follows @name in the command line, or NULL. */
static const char *find_word(const char *line, const char *name)
{
	for (; *line; line++) {
		size_t length = 0;

		while (name[length] && line[length] == name[length])
			length++;
		if (!name[length])
			return line + length;
	}
	return NULL;
}

static const char *parse_number(const char *text, unsigned int *number)
{
	*number = 0;
	for (; *text >= '0' && *text <= '9'; text++)
		*number = *number * 10 + (unsigned int)(*text - '0');
	return text;
}

static unsigned int number_of(const char *line, const char *name, unsigned int otherwise)
{
	const char *text = find_word(line, name);

	if (text)
		parse_number(text, &otherwise);
	return otherwise;
}

static void print_leaf(unsigned int leaf, unsigned int subleaf)
{
	unsigned int a, b, c, d;

	__cpuid_count(leaf, subleaf, a, b, c, d);

	print("   ");
	print_hex(leaf, 8);
	print(" ");
	print_hex(subleaf, 2);
	print(": eax=");
	print_hex(a, 8);
	print(" ebx=");
	print_hex(b, 8);
	print(" ecx=");
	print_hex(c, 8);
	print(" edx=");
	print_hex(d, 8);
	print("\n");
}

static void print_leaves(const char *reasons)
{
	unsigned int reason;

	print_leaf(0x4fffffff, 0);
	print_leaf(0x4ffffffe, 0);
	for (const char *text = reasons; *text >= '0' && *text <= '9'; text += *text == ',') {
		text = parse_number(text, &reason);
		print_leaf(0x4ffffffd, reason);
		print_leaf(0x4ffffffc, reason);
	}
}

static void do_work(void)
{
	unsigned int a, b, c, d;

	for (unsigned int i = 0; i < work_count; i++) {
		__cpuid_count(WORK_LEAF, WORK_SUBLEAF, a, b, c, d);
		out_byte(WORK_PORT, (uint8_t)(a + b + c + d));
	}
}

static void send_ipi(unsigned int apic_id, uint32_t command)
{
	write_apic(APIC_ICR_HIGH, apic_id << 24);
	write_apic(APIC_ICR_LOW, command);
}

static void start_vcpu(unsigned int id)
{
	while (!vcpus[id].has_started) {
		send_ipi(id, ICR_INIT);
		send_ipi(id, ICR_STARTUP | GUEST_TRAMPOLINE >> 12);
		for (int round = 0; round < STARTUP_ROUNDS && !vcpus[id].has_started; round++)
			relax();
	}
	vcpus[id].may_go = true;
}

static void start_others(unsigned int count)
{
	uint8_t *page = (uint8_t *)GUEST_TRAMPOLINE;

	for (size_t i = 0; i < (size_t)(trampoline_end - trampoline); i++)
		page[i] = trampoline[i];
	write_apic(APIC_SPURIOUS, APIC_ENABLED);

	for (unsigned int id = 1; id < count; id++)
		start_vcpu(id);
}

static _Noreturn void stay_halted(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static _Noreturn void reset_machine(void)
{
	const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_table = {0, 0};

	asm volatile("lidt %0; ud2" : : "m"(no_table));
	stay_halted();
}

static void run_first(const char *command_line)
{
	unsigned int count = number_of(command_line, "cpus=", 1);
	const char *reasons = find_word(command_line, "reasons=");

	work_count = number_of(command_line, "count=", work_count);
	is_endless = find_word(command_line, "forever") != NULL;
	if (count > GUEST_VCPUS)
		count = GUEST_VCPUS;

	print("guest: up\n");
	do_work();
	/* Now, because no other vCPU runs: its exits would count while these are read. */
	if (reasons)
		print_leaves(reasons);

	start_others(count);
	print("guest: all vCPUs run\n");
	while (is_endless)
		do_work();

	for (unsigned int id = 1; id < count; id++)
		while (!vcpus[id].is_done)
			relax();
	print("guest: done\n");
	reset_machine();
}

static void run_other(unsigned int id)
{
	vcpus[id].has_started = true;
	while (!vcpus[id].may_go)
		relax();

	do
		do_work();
	while (is_endless);
	vcpus[id].is_done = true;
}

/* Called by qemu_guest_start.S. */
_Noreturn void guest_main(unsigned int id, const struct hvm_start_info *start);

_Noreturn void guest_main(unsigned int id, const struct hvm_start_info *start)
{
	if (!id)
		run_first((const char *)start->command_line);
	else if (id < GUEST_VCPUS)
		run_other(id);
	stay_halted();
}
