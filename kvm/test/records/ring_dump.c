// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_dump.c - runs a command and reads every record of the vCPUs that it creates: checks
 * what the ABI promises and prints what came, per reason. Small and without a
 * database, for tests of the device itself.
 */
#include "kvm/ring/exit_reason.h"
#include "kvm/test/common/ring_map.h"

#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define MAX_RINGS 64

/* What one ring gave so far. */
struct dump {
	struct ring_map map;
	uint64_t records, lost, next_seq, last_tsc;
	uint64_t by_slot[KVM_EXIT_TOTAL_SLOTS];
	uint64_t flags[32];
	struct kvm_exit_record last[KVM_EXIT_TOTAL_SLOTS];
};

static struct dump *dumps[MAX_RINGS];
static int dump_count;
static int failures;
static struct kvm_exit_ring_attach attach_how;
static int verbose, only_at_end;
static int only_others; /* recording is armed, but not for the command's VMs */

static void fail(const struct dump *d, const char *what)
{
	printf("ring_dump FAIL vcpu=%u seq=%" PRIu64 " %s\n", d->map.meta->vcpu_id, d->next_seq,
	       what);
	if (++failures > 20)
		exit(1);
}

static unsigned int slot_of(const struct kvm_exit_record *r)
{
	if (r->isa == KVM_EXIT_ISA_VMX)
		return kvm_exit_slot_vmx(r->reason & 0xffff);
	return kvm_exit_slot_svm(r->reason);
}

static void check_record(struct dump *d, const struct kvm_exit_record *r)
{
	if (r->seq < d->next_seq)
		fail(d, "seq goes back");
	if (r->handler_cycles + r->halted_cycles + r->userspace_cycles + r->preempted_cycles !=
	    r->cycles)
		fail(d, "the four parts are not the cycles");
	if (r->tsc < d->last_tsc && !(r->flags & KVM_EXIT_REC_TSC_BACK))
		fail(d, "tsc goes back");
	if (r->vcpu_id != d->map.meta->vcpu_id || r->isa != d->map.meta->isa)
		fail(d, "vcpu_id or isa");
	if (!(r->flags & KVM_EXIT_REC_HALTED) != !r->halted_cycles)
		fail(d, "HALTED without halted_cycles, or the reverse");
	if (!(r->flags & KVM_EXIT_REC_USER) && (r->userspace_cycles || r->user_reason))
		fail(d, "userspace_cycles without USER");
	if (!(r->flags & KVM_EXIT_REC_PREEMPTED) && r->preempted_cycles)
		fail(d, "preempted_cycles without PREEMPTED");
	if (!(r->flags & KVM_EXIT_REC_INTR) != !(r->intr_info & 0x80000000U))
		fail(d, "INTR and bit 31 of intr_info differ");
}

static void print_record(const struct kvm_exit_record *r)
{
	printf("record vcpu=%u seq=%llu tsc=%llu reason=0x%x flags=0x%x rip=0x%llx qual=0x%llx "
	       "info2=0x%llx key=0x%llx aux=0x%llx intr=0x%x err=0x%x cr3=0x%llx "
	       "cycles=%llu=%llu+%llu+%llu+%llu pcpu=%u user=%u\n",
	       r->vcpu_id, r->seq, r->tsc, r->reason, r->flags, r->guest_rip, r->qualification,
	       r->info2, r->key, r->key_aux, r->intr_info, r->error_code, r->guest_cr3, r->cycles,
	       r->handler_cycles, r->halted_cycles, r->userspace_cycles, r->preempted_cycles,
	       r->pcpu, r->user_reason);
}

static void take(struct dump *d, const struct kvm_exit_record *r)
{
	check_record(d, r);
	d->lost += r->seq - d->next_seq;
	d->next_seq = r->seq + 1;
	d->last_tsc = r->tsc;
	d->records++;
	d->by_slot[slot_of(r)]++;
	d->last[slot_of(r)] = *r;
	for (int i = 0; i < 32; i++)
		d->flags[i] += r->flags >> i & 1;
	if (verbose)
		print_record(r);
}

static void drain(struct dump *d)
{
	const struct kvm_exit_record *first;
	uint32_t n;

	while ((n = exit_ring_peek(&d->map.reader, &first))) {
		for (uint32_t i = 0; i < n; i++)
			take(d, &first[i]);
		exit_ring_advance(&d->map.reader, n);
	}
}

static void attach_new(int control, uint64_t *last_id)
{
	struct kvm_exit_ring_info info = {.ring_id = *last_id};

	while (!ioctl(control, KVM_EXIT_RING_NEXT, &info)) {
		struct dump *d = calloc(1, sizeof(*d));
		int r;

		*last_id = info.ring_id;
		attach_how.ring_id = info.ring_id;
		r = ring_map(&d->map, &attach_how);
		if (r || dump_count == MAX_RINGS) {
			printf("ring_dump FAIL attach of ring %llu: %s\n", info.ring_id,
			       strerror(-r));
			failures++;
			free(d);
			continue;
		}
		dumps[dump_count++] = d;
	}
}

static void check_totals(struct dump *d)
{
	const struct kvm_exit_ring_meta *meta = d->map.meta;
	uint64_t recorded = 0, dropped = 0;

	for (unsigned int s = 0; s < KVM_EXIT_TOTAL_SLOTS; s++) {
		const struct kvm_exit_total *t = &d->map.totals[s];

		if (!t->count && !t->synthesized)
			continue;
		printf("total vcpu=%u slot=%u count=%llu synthesized=%llu cycles=%llu halted=%llu "
		       "userspace=%llu preempted=%llu recorded=%llu dropped=%llu filtered=%llu "
		       "unread=%llu read=%" PRIu64 "\n",
		       meta->vcpu_id, s, t->count, t->synthesized, t->cycles, t->halted_cycles,
		       t->userspace_cycles, t->preempted_cycles, t->recorded, t->dropped,
		       t->filtered, t->unread, d->by_slot[s]);
		if (d->by_slot[s])
			print_record(&d->last[s]);
		recorded += t->recorded;
		dropped += t->dropped;
		if (t->recorded != d->by_slot[s])
			fail(d, "recorded is not what was read");
		if (meta->state == KVM_EXIT_RING_DEAD &&
		    t->count + t->synthesized != t->recorded + t->dropped + t->filtered + t->unread)
			fail(d, "the total does not add up");
	}
	d->lost += meta->seq - d->next_seq;
	if (d->lost != meta->dropped || dropped != meta->dropped)
		fail(d, "the gaps are not what was dropped");
	if (meta->head != recorded)
		fail(d, "head is not what was recorded");
}

static void print_ring(struct dump *d)
{
	const struct kvm_exit_ring_meta *meta = d->map.meta;

	check_totals(d);
	printf("ring id=%llu vm=%llu vcpu=%u isa=%u state=%u head=%llu seq=%llu read=%" PRIu64
	       " dropped=%llu wakeups=%llu bad_tail=%llu vmfail=%llu tsc_khz=%u features=0x%llx\n",
	       meta->ring_id, meta->vm_id, meta->vcpu_id, meta->isa, meta->state, meta->head,
	       meta->seq, d->records, meta->dropped, meta->wakeups, meta->bad_tail, meta->vmfail,
	       meta->tsc_khz, meta->features);
	printf("flags vcpu=%u fastpath=%" PRIu64 " nested=%" PRIu64 " user=%" PRIu64
	       " synth=%" PRIu64 " no_reentry=%" PRIu64 " tsc_back=%" PRIu64 " halted=%" PRIu64
	       " preempted=%" PRIu64 "\n",
	       meta->vcpu_id, d->flags[0], d->flags[1], d->flags[2], d->flags[3], d->flags[4],
	       d->flags[5], d->flags[6], d->flags[7]);
}

static pid_t start(char **argv)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	execvp(argv[0], argv);
	perror(argv[0]);
	_exit(127);
}

/* Reads until the command has ended and its rings are empty. Returns its status. */
static int read_until_end(int control, pid_t pid)
{
	uint64_t last_id = 0;
	int status, ended = 0;

	if (only_at_end)
		ended = waitpid(pid, &status, 0) == pid;
	do {
		struct pollfd fds[MAX_RINGS + 1] = {{.fd = control, .events = POLLIN}};

		for (int i = 0; i < dump_count; i++)
			fds[i + 1] = (struct pollfd){.fd = dumps[i]->map.fd, .events = POLLIN};
		if (!ended)
			poll(fds, 1 + dump_count, 20);
		ended = ended || waitpid(pid, &status, WNOHANG) == pid;
		attach_new(control, &last_id);
		for (int i = 0; i < dump_count; i++)
			drain(dumps[i]);
	} while (!ended);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

int main(int argc, char **argv)
{
	struct kvm_exit_ring_arm arm_how = {.size = sizeof(arm_how)};
	int control = open(KVM_EXIT_RING_DEVICE, O_RDWR | O_CLOEXEC);
	int opt, status;

	while ((opt = getopt(argc, argv, "+vceom:n:r:")) != -1) {
		if (opt == 'v')
			verbose = 1;
		else if (opt == 'e')
			only_at_end = 1;
		else if (opt == 'o')
			only_others = 1;
		else if (opt == 'c')
			attach_how.flags |= KVM_EXIT_ATTACH_CR3;
		else if (opt == 'm')
			attach_how.min_cycles = strtoull(optarg, NULL, 0);
		else if (opt == 'n')
			attach_how.one_in = atoi(optarg);
		else if (opt == 'r')
			attach_how.reason_mask[atoi(optarg) / 64] |= 1ULL << atoi(optarg) % 64;
		else
			return 2;
	}
	if (optind == argc) {
		fprintf(stderr,
			"usage: ring_dump [-v] [-c] [-e] [-o] [-m MIN_CYCLES] [-n ONE_IN] [-r REASON]... COMMAND...\n");
		return 2;
	}

	/* Process 1 is init, which has no VM. */
	arm_how.tgid = only_others ? 1 : 0;
	if (control < 0 || ioctl(control, KVM_EXIT_RING_ARM, &arm_how)) {
		perror("ring_dump: " KVM_EXIT_RING_DEVICE);
		return 1;
	}

	status = read_until_end(control, start(argv + optind));
	for (int i = 0; i < dump_count; i++)
		print_ring(dumps[i]);
	printf("ring_dump %s: %d rings, %d failures, command status %d\n",
	       failures || status ? "FAIL" : "ok", dump_count, failures, status);
	return failures || status;
}
