// SPDX-License-Identifier: GPL-2.0-only
/* many_vcpus.c - one VM or thousands, of up to as many vCPUs as KVM allows, each of which exits */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <x86intrin.h>

#include "testbed/guest/exit_loop.h"
#include "testbed/guest/options.h"

#define MAX_VCPUS 1024U /* KVM_MAX_VCPUS of most kernels, KVM_CAP_MAX_VCPUS says it */
#define MAX_VMS	  1000000U
#define MAX_COUNT 1000000U

static const char *const usage =
	"usage: many_vcpus [OPTIONS]\n"
	"Makes a VM with all its vCPUs, runs one vCPU after the other, each until it has executed\n"
	"CPUID some times, and destroys the VM. Prints one line: KVM's own statistic of VM exits of\n"
	"all vCPUs together, and the TSC cycles per CPUID of the fastest vCPU, of the median one and\n"
	"of the slowest, with what KVM_RUN costs in it.\n"
	"  --vcpus N   1 to 1024 vCPUs in each VM, but no more than KVM allows; default 1\n"
	"  --vms N     1 to 1000000 VMs, one after the other, default 1\n"
	"  --count N   1 to 1000000 times per vCPU, default 100\n"
	"  --hold      before it destroys a VM, waits until standard input has a line or ends:\n"
	"              until a reader has come to all vCPUs, for example\n"
	"  -h, --help  this text\n"
	"exit status: 0, or 1 on an error\n"
	"example: many_vcpus --vcpus 1024 --count 100\n";

struct options {
	uint32_t vcpus;
	uint32_t vms;
	uint32_t count;
	bool hold;
};

/* What all VMs have done; cycles[] is of the last one, by vCPU. */
struct sums {
	uint64_t exits;
	uint64_t cycles[MAX_VCPUS];
};

enum { OPT_VCPUS = 1, OPT_VMS, OPT_COUNT, OPT_HOLD };

static const struct option long_options[] = {{"vcpus", required_argument, NULL, OPT_VCPUS},
					     {"vms", required_argument, NULL, OPT_VMS},
					     {"count", required_argument, NULL, OPT_COUNT},
					     {"hold", no_argument, NULL, OPT_HOLD},
					     {"help", no_argument, NULL, 'h'},
					     {0}};

/* 0 and *value, or -1 after a message. */
static int number(const char *option, const char *text, uint32_t most, uint32_t *value)
{
	return options_number("many_vcpus", option, text, 1, most, value);
}

/* 0 to go on, 1 after --help, -1 after a message. */
static int parse_option(int option, struct options *options)
{
	switch (option) {
	case OPT_VCPUS:
		return number("vcpus", optarg, MAX_VCPUS, &options->vcpus);
	case OPT_VMS:
		return number("vms", optarg, MAX_VMS, &options->vms);
	case OPT_COUNT:
		return number("count", optarg, MAX_COUNT, &options->count);
	case OPT_HOLD:
		options->hold = true;
		return 0;
	default:
		fputs(usage, stdout);
		return 1;
	}
}

/* KVM's own limit, or less if fewer were asked for. */
static uint32_t allowed_vcpus(const struct loop *loop, uint32_t asked)
{
	int most = ioctl(loop->vm.kvm, KVM_CHECK_EXTENSION, KVM_CAP_MAX_VCPUS);

	return most > 0 && (uint32_t)most < asked ? (uint32_t)most : asked;
}

/* Runs one vCPU up to the end of its loop; they go one by one, so they share a stack. */
static int run_vcpu(struct loop_vcpu *vcpu, uint32_t count, uint64_t *cycles)
{
	uint64_t start;
	int err = loop_load(vcpu, vcpu->loop->options->op, count, 0);

	if (err)
		return err;

	start = __rdtsc();
	err = loop_run(vcpu);
	*cycles = (__rdtsc() - start) / count;
	return err;
}

/* Until somebody writes a line to standard input, or closes it. */
static void wait_for_line(void)
{
	for (int byte = getchar(); byte != EOF && byte != '\n'; byte = getchar())
		;
}

/*
 * One VM, from its creation to its end; options->vcpus becomes what KVM allows. 0, or -errno with
 * loop->vm.step.
 */
static int run_vm(struct loop *loop, struct loop_vcpu *vcpus, struct options *options,
		  struct sums *sums)
{
	struct loop_options loop_options = {.long_mode = true, /* and no vCPUs yet */
					    .op = guest_op_find("cpuid")};
	uint32_t made = 0;
	int err;

	err = loop_open(loop, &loop_options);
	if (err)
		return err;

	options->vcpus = allowed_vcpus(loop, options->vcpus);
	while (!err && made < options->vcpus) {
		vcpus[made] = (struct loop_vcpu){.loop = loop};
		err = guest_vm_add_vcpu(&loop->vm, made, &vcpus[made].guest);
		made += !err;
	}

	for (uint32_t i = 0; !err && i < made; i++) {
		err = run_vcpu(&vcpus[i], options->count, &sums->cycles[i]);
		if (err)
			loop->vm.step = vcpus[i].step;
		sums->exits += guest_stat(&vcpus[i].guest, "exits");
	}

	if (!err && options->hold)
		wait_for_line();

	for (uint32_t i = 0; i < made; i++)
		guest_vcpu_close(&loop->vm, &vcpus[i].guest);
	loop_close(loop);
	return err;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void print_sums(const struct options *options, struct sums *sums)
{
	qsort(sums->cycles, options->vcpus, sizeof(sums->cycles[0]), by_value);
	printf("many_vcpus vms=%" PRIu32 " vcpus=%" PRIu32 " count=%" PRIu32 " all_exits=%" PRIu64
	       " least_cycles=%" PRIu64 " median_cycles=%" PRIu64 " most_cycles=%" PRIu64 "\n",
	       options->vms, options->vcpus, options->count, sums->exits, sums->cycles[0],
	       sums->cycles[options->vcpus / 2], sums->cycles[options->vcpus - 1]);
}

/* A vCPU has two files. */
static void allow_files(void)
{
	struct rlimit limit;

	if (!getrlimit(RLIMIT_NOFILE, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	static struct options options = {.vcpus = 1, .vms = 1, .count = 100};
	static struct loop_vcpu vcpus[MAX_VCPUS];
	static struct loop loop;
	static struct sums sums;
	int option, err = 0;

	opterr = 0;
	while ((option = getopt_long(argc, argv, OPTIONS_SHORT, long_options, NULL)) != -1) {
		if (option == '?' || option == ':')
			return options_refuse("many_vcpus", option, argv);
		err = parse_option(option, &options);
		if (err)
			return err < 0;
	}
	if (optind < argc) {
		fprintf(stderr, "many_vcpus: %s: unexpected word (many_vcpus --help)\n",
			argv[optind]);
		return 1;
	}

	allow_files();
	for (uint32_t vm = 0; !err && vm < options.vms; vm++)
		err = run_vm(&loop, vcpus, &options, &sums);
	if (err) {
		fprintf(stderr, "many_vcpus: %s: %s\n", loop.vm.step, strerror(-err));
		return 1;
	}
	print_sums(&options, &sums);
	return 0;
}
