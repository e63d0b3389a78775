// SPDX-License-Identifier: GPL-2.0-only
/* exit_loop_main.c - guests that do one thing N times, so that the number of VM exits is known */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "testbed/guest/exit_loop.h"
#include "testbed/guest/options.h"

static const char *const usage_head =
	"usage: exit_loop --op NAME --count N [OPTIONS]\n"
	"Runs a guest that does one operation N times, then writes to I/O port 0xfe. Prints\n"
	"one line per vCPU: returns to user space (of them io, mmio, hlt), KVM's own\n"
	"statistic of VM exits and the seconds taken.\n"
	"  --op NAME         see below\n"
	"  --count N         times per vCPU, 1 to 4294967295\n"
	"  --vcpus V         1 to 16 vCPUs that do the same at once, default 1\n"
	"  --mode MODE       real or long mode of the guest, default long; unreal: real mode\n"
	"                    with 4 GiB of DS, which KVM emulates with ept=0\n"
	"  --irqchip         interrupt controllers in the kernel\n"
	"  --timer-us T      a timer interrupt each T us, 20 to 50000 (real mode, one vCPU)\n"
	"  --sleep-us T      the VMM sleeps T us at each return to user space\n"
	"  --pin CPU         all vCPUs on this CPU\n"
	"  --after-tick      begins just after a tick of the host's timer: none comes in a loop\n"
	"                    that takes less time than from one to the next\n"
	"  --stop            stops itself (SIGSTOP) once its vCPUs exist, before they run\n"
	"  --read-leaves R,R...  afterwards the guest reads CPUID leaves 0x4fffffff and\n"
	"                    0x4ffffffe, and 0x4ffffffd and 0x4ffffffc of each exit reason R\n"
	"exit status: 0, or 1 on an error\n"
	"example: exit_loop --op cpuid --count 1000000 --read-leaves 10,30\n"
	"operations, with the basic exit reason that they bring about:\n";

static void print_help(void)
{
	fputs(usage_head, stdout);
	for (const struct guest_op *op = guest_ops; op->name; op++)
		printf("  %-13s %s\n", op->name, op->what);
}

static int usage_error(const char *what)
{
	fprintf(stderr, "exit_loop: %s (exit_loop --help)\n", what);
	return -1;
}

/* 0 and *value, or -1 after a message. */
static int number(const char *option, const char *text, uint32_t least, uint32_t most,
		  uint32_t *value)
{
	return options_number("exit_loop", option, text, least, most, value);
}

static void add_leaf(struct loop_options *options, uint32_t leaf, uint32_t subleaf)
{
	options->leaves[options->leaf_count++] =
		(struct guest_leaf){.leaf = leaf, .subleaf = subleaf};
}

/* An exit reason, as collector --reason takes it: AMD's manual writes them in hexadecimal. */
static int parse_reason(const char *text, uint32_t *reason)
{
	char *end;
	unsigned long parsed = strtoul(text, &end, 0);

	if (!isdigit((unsigned char)*text) || *end || parsed > UINT32_MAX) {
		fprintf(stderr,
			"exit_loop: --read-leaves %s: not an exit reason from 0 to %" PRIu32
			" (exit_loop --help)\n",
			text, UINT32_MAX);
		return -1;
	}

	*reason = (uint32_t)parsed;
	return 0;
}

static int parse_leaves(struct loop_options *options, char *list)
{
	uint32_t reason;

	add_leaf(options, 0x4fffffff, 0);
	add_leaf(options, 0x4ffffffe, 0);
	for (char *item = strtok(list, ","); item; item = strtok(NULL, ",")) {
		if (options->leaf_count + 2 > EXIT_LOOP_MAX_LEAVES)
			return usage_error("--read-leaves: too many exit reasons");
		if (parse_reason(item, &reason))
			return -1;
		add_leaf(options, 0x4ffffffd, reason);
		add_leaf(options, 0x4ffffffc, reason);
	}
	return 0;
}

enum {
	OPT_OP = 1,
	OPT_COUNT,
	OPT_VCPUS,
	OPT_MODE,
	OPT_IRQCHIP,
	OPT_TIMER,
	OPT_SLEEP,
	OPT_PIN,
	OPT_AFTER_TICK,
	OPT_STOP,
	OPT_LEAVES,
	OPT_HELP = 'h'
};

static const struct option long_options[] = {{"op", required_argument, NULL, OPT_OP},
					     {"count", required_argument, NULL, OPT_COUNT},
					     {"vcpus", required_argument, NULL, OPT_VCPUS},
					     {"mode", required_argument, NULL, OPT_MODE},
					     {"irqchip", no_argument, NULL, OPT_IRQCHIP},
					     {"timer-us", required_argument, NULL, OPT_TIMER},
					     {"sleep-us", required_argument, NULL, OPT_SLEEP},
					     {"pin", required_argument, NULL, OPT_PIN},
					     {"after-tick", no_argument, NULL, OPT_AFTER_TICK},
					     {"stop", no_argument, NULL, OPT_STOP},
					     {"read-leaves", required_argument, NULL, OPT_LEAVES},
					     {"help", no_argument, NULL, OPT_HELP},
					     {0}};

static int set_mode(struct loop_options *options, const char *mode)
{
	options->long_mode = !strcmp(mode, "long");
	options->unreal = !strcmp(mode, "unreal");
	if (!options->long_mode && !options->unreal && strcmp(mode, "real"))
		return usage_error("--mode: neither real, unreal nor long");
	return 0;
}

static int set_pin(struct loop_options *options, const char *text)
{
	uint32_t cpu;

	if (number("pin", text, 0, CPU_SETSIZE - 1, &cpu))
		return -1;
	options->pin = (int)cpu;
	return 0;
}

static int parse_option(int option, struct loop_options *options)
{
	switch (option) {
	/* what the guest does */
	case OPT_OP:
		options->op = guest_op_find(optarg);
		return options->op ? 0 : usage_error("--op: no such operation");
	case OPT_COUNT:
		return number("count", optarg, 1, UINT32_MAX, &options->count);
	case OPT_VCPUS:
		return number("vcpus", optarg, 1, EXIT_LOOP_MAX_VCPUS, &options->vcpus);
	case OPT_MODE:
		return set_mode(options, optarg);

	/* the VM and its threads */
	case OPT_IRQCHIP:
		options->irqchip = true;
		return 0;
	case OPT_TIMER:
		return number("timer-us", optarg, 20, 50000, &options->timer_us);
	case OPT_SLEEP:
		return number("sleep-us", optarg, 1, 10000000, &options->sleep_us);
	case OPT_PIN:
		return set_pin(options, optarg);
	case OPT_AFTER_TICK:
		options->after_tick = true;
		return 0;
	case OPT_STOP:
		options->stop = true;
		return 0;

	/* what it prints */
	case OPT_LEAVES:
		return parse_leaves(options, optarg);
	case OPT_HELP:
		print_help();
		exit(EXIT_SUCCESS);
	}
	return -1;
}

static int check_options(const struct loop_options *options)
{
	if (!options->op || !options->count)
		return usage_error("--op and --count are needed");

	if (!options->long_mode && !strcmp(options->op->name, "touch"))
		return usage_error("--op touch: needs --mode long");
	if (!strcmp(options->op->name, "touch") && (options->count > 0x20000 || options->vcpus > 1))
		return usage_error("--op touch: one vCPU and at most 131072 pages");

	if (options->timer_us && (options->long_mode || options->vcpus > 1))
		return usage_error("--timer-us: needs --mode real and one vCPU");
	if (options->irqchip && !options->timer_us && !strcmp(options->op->name, "hlt"))
		return usage_error("--op hlt --irqchip: would wait for ever (add --timer-us)");
	return 0;
}

static int pin_thread(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

/* Spins until the kernel's coarse clock goes on, which each tick does. */
static void wait_for_tick(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &start);
	do {
		clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	} while (now.tv_nsec == start.tv_nsec);
}

static void *vcpu_thread(void *argument)
{
	struct loop_vcpu *vcpu = argument;

	vcpu->step = "--pin";
	vcpu->err = pin_thread(vcpu->loop->options->pin);
	if (!vcpu->err && vcpu->loop->options->after_tick)
		wait_for_tick();
	if (!vcpu->err)
		vcpu->err = loop_run(vcpu);
	return NULL;
}

/* Where op finds what it works on; real mode reaches it through ES. */
static uint32_t op_address(const struct loop_options *options)
{
	if (!strcmp(options->op->name, "touch"))
		return LOOP_TOUCH_ADDRESS;
	return options->long_mode ? LOOP_MMIO_ADDRESS : 0;
}

static int run_vcpus(struct loop *loop)
{
	const struct loop_options *options = loop->options;
	unsigned int started = 0;
	int err = 0;

	for (unsigned int i = 0; !err && i < options->vcpus; i++) {
		struct loop_vcpu *vcpu = &loop->vcpus[i];

		err = loop_load(vcpu, options->op, options->count, op_address(options));
		loop->vm.step = vcpu->step;
	}

	if (err)
		return err;

	for (; started < options->vcpus; started++) {
		struct loop_vcpu *vcpu = &loop->vcpus[started];

		err = -pthread_create(&vcpu->thread, NULL, vcpu_thread, vcpu);
		loop->vm.step = "pthread_create";
		if (err)
			break;
	}

	for (unsigned int i = 0; i < started; i++) {
		pthread_join(loop->vcpus[i].thread, NULL);
		if (!err && loop->vcpus[i].err) {
			err = loop->vcpus[i].err;
			loop->vm.step = loop->vcpus[i].step;
		}
	}
	return err;
}

/* vCPU 0 reads the leaves, in the same VM. */
static int read_leaves(struct loop *loop)
{
	const struct loop_options *options = loop->options;
	struct guest_leaf *leaves = (void *)(loop->vm.memory + LOOP_LEAVES_ADDRESS);
	struct loop_vcpu vcpu = loop->vcpus[0];
	int err;

	memcpy(leaves, options->leaves, options->leaf_count * sizeof(*leaves));
	err = loop_load(&vcpu, guest_op_find("leaves"), options->leaf_count, LOOP_LEAVES_ADDRESS);

	if (!err)
		err = loop_run(&vcpu);
	loop->vm.step = vcpu.step;

	for (unsigned int i = 0; !err && i < options->leaf_count; i++)
		printf("leaf 0x%08x 0x%02x: eax=0x%08x ebx=0x%08x ecx=0x%08x edx=0x%08x\n",
		       leaves[i].leaf, leaves[i].subleaf, leaves[i].eax, leaves[i].ebx,
		       leaves[i].ecx, leaves[i].edx);
	return err;
}

static void print_vcpu(const struct loop_vcpu *vcpu)
{
	const struct loop_options *options = vcpu->loop->options;
	const char *mode = "real";

	if (options->long_mode)
		mode = "long";
	else if (options->unreal)
		mode = "unreal";

	printf("exit_loop vcpu=%u op=%s mode=%s count=%" PRIu32 " user_exits=%" PRIu64
	       " io=%" PRIu64 " mmio=%" PRIu64 " hlt=%" PRIu64 " %s=%" PRIu64 " seconds=%.6f\n",
	       vcpu->id, options->op->name, mode, options->count, vcpu->user_exits, vcpu->io,
	       vcpu->mmio, vcpu->hlt, vcpu->guest.stats_of_vm ? "vm_exits" : "exits",
	       guest_stat(&vcpu->guest, "exits"), vcpu->seconds);
}

static int run(struct loop *loop, const struct loop_options *options)
{
	int err = loop_open(loop, options);

	if (!err && options->stop)
		raise(SIGSTOP);
	if (!err)
		err = run_vcpus(loop);
	if (!err && options->leaf_count)
		err = read_leaves(loop);
	if (err)
		return err;

	for (unsigned int i = 0; i < options->vcpus; i++)
		print_vcpu(&loop->vcpus[i]);
	loop_close(loop);
	return 0;
}

int main(int argc, char **argv)
{
	static struct loop_options options = {.vcpus = 1, .long_mode = true, .pin = -1};
	static struct loop loop;
	int option, err;

	opterr = 0;
	while ((option = getopt_long(argc, argv, OPTIONS_SHORT, long_options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return options_refuse("exit_loop", option, argv);
		if (parse_option(option, &options))
			return 1;
	}

	if (optind < argc) {
		usage_error("takes no words, only options");
		return 1;
	}
	if (check_options(&options))
		return 1;

	err = run(&loop, &options);
	if (!err)
		return 0;
	fprintf(stderr, "exit_loop: %s: %s\n", loop.vm.step, strerror(-err));
	return 1;
}
