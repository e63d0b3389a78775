// SPDX-License-Identifier: GPL-2.0-only
/* notes.c - the words of the notes */
#include "collector/source/trace/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "collector/source/trace/trace.h"

__attribute__((format(printf, 2, 3))) static void add(char **notes, const char *format, ...)
{
	char *line, *more;
	va_list args;
	int rc;

	va_start(args, format);
	rc = vasprintf(&line, format, args);
	va_end(args);
	if (rc < 0)
		return;

	rc = asprintf(&more, "%s%s\n", *notes ? *notes : "", line);
	free(line);
	if (rc < 0)
		return;
	free(*notes);
	*notes = more;
}

struct count {
	char **notes;
	uint32_t split; /* vCPUs whose id another one of the process has too */
};

/* A vCPU id that several threads of unknown processes ran. */
static void describe_vcpu(const struct identity_vcpu *vcpu, void *user)
{
	struct count *count = user;

	if (vcpu->slots > 1)
		count->split += vcpu->slots;
	else if (vcpu->threads > 1 && !vcpu->tgid)
		add(count->notes,
		    "vCPU %u ran on %u threads: they are taken as one vCPU that moved, as no two of them were in the guest at once (perf record also writes which process a thread is of)",
		    vcpu->vcpu_id, vcpu->threads);
}

static void describe_vms(char **notes, struct identity *identity, bool no_entries)
{
	struct count count = {.notes = notes};

	identity_walk(identity, describe_vcpu, &count);
	if (count.split && no_entries)
		add(notes,
		    "%u threads have a vCPU id that another one has too: without kvm_entry it is not known whether they are vCPUs of several VMs or one vCPU that moved; each is shown as a VM of its own",
		    count.split);
	else if (count.split)
		add(notes,
		    "%u vCPUs have an id that another vCPU has too: they are of several VMs, which can't be distinguished; each vCPU is shown as a VM of its own",
		    count.split);
}

void notes_begin(char **notes, const struct notes_begin *known)
{
	const struct trace_feed *feed = known->feed;

	if (feed->no_time)
		add(notes, "no durations: %s (%s)", feed->no_time, feed->no_time_way);
	if (known->no_entries)
		add(notes, "no durations: the recording has kvm_exit and no kvm_entry (%s)",
		    feed->no_entry_way);

	if (feed->sampled)
		add(notes,
		    "no durations, and a record stands for several exits: this is a sampled recording (perf record -c 1, or perf kvm stat record, writes each exit)");
	if (feed->next_at)
		add(notes,
		    "another recording follows at byte %llu and was not read (import each file by itself: cat does not join recordings)",
		    (unsigned long long)feed->next_at);

	if (feed->hides_period)
		add(notes,
		    "how many exits are between the samples is not known: they are not counted (perf record --period)");
	if (feed->overwrites)
		add(notes,
		    "each CPU's buffer kept its newest events (perf record --overwrite): how many were before them is not known");

	if (known->exits_of_thread_0)
		add(notes,
		    "no durations: %llu kvm_exit are of thread 0, as perf ran in a container with process ids of its own: vCPUs of several VMs can't be distinguished (import the perf.data itself, which has the threads)",
		    (unsigned long long)known->exits_of_thread_0);
	if (known->one_cpu_of)
		add(notes,
		    "all events are of CPU %u, and the host has %u: if this is a part of the recording (trace-cmd -M or report --cpu, per_cpu/cpu%u/trace), a vCPU that went to another CPU and came back seems to be in one long exit (import all CPUs)",
		    known->one_cpu, known->one_cpu_of, known->one_cpu);
	if (known->ids_are_of_threads)
		add(notes,
		    "no event names its vCPU: the vCPUs are numbered in the order in which their threads appear (record kvm_entry too)");

	if (feed->coarse && known->timed)
		add(notes, "%s", feed->coarse);
	for (char *const *line = feed->notes; line && *line; line++)
		add(notes, "%s", *line);

	describe_vms(notes, known->identity, known->no_entries);
}

void notes_end(char **notes, const struct notes_end *known)
{
	if (known->sampled_out)
		add(notes, "~%llu exits between the samples count as dropped",
		    (unsigned long long)known->sampled_out);

	if (known->missing && !known->lost)
		add(notes,
		    "%llu times a kvm_entry follows another one: at least that many exits are missing, though no event is called lost (a filter, or VM entries that failed%s)",
		    (unsigned long long)known->missing, known->quiet_loss ? known->quiet_loss : "");
	if (known->reentered)
		add(notes,
		    "%llu kvm_exit are followed by another one, with no kvm_entry in between and no event called lost there (VM entries that are not traced: fastpath of older kernels, or a filter): the recording has these exits, but not how long they took; they count as dropped",
		    (unsigned long long)known->reentered);

	if (known->unread)
		add(notes,
		    "%llu line%s of kvm_exit or kvm_entry could not be read (damaged, or in a form that is not known): what they say is missing",
		    (unsigned long long)known->unread, known->unread == 1 ? "" : "s");
	if (known->exits_without_vcpu)
		add(notes,
		    "%llu kvm_exit were left out: their threads never showed which vCPU they run",
		    (unsigned long long)known->exits_without_vcpu);

	if (known->no_keys)
		add(notes,
		    "no MSR numbers, CPUID leaves and addresses: their events could not be recorded (a smaller --trace-buffer takes less memory)");
	if (known->lost_keys)
		add(notes,
		    "%llu events with an MSR number, CPUID leaf or address were lost: as many exits have none (--trace-buffer KIB)",
		    (unsigned long long)known->lost_keys);
}

void notes_missed_vcpus(char **notes, const struct notes_missed_vcpus *known)
{
	if (known->exits)
		add(notes, "all %llu kvm_exit were lost: nothing is known of them",
		    (unsigned long long)known->exits);
	else if (known->lost)
		add(notes,
		    "no kvm_exit was read, and %llu events were lost: whether a VM ran is not known",
		    (unsigned long long)known->lost);
	else if (known->more)
		add(notes,
		    "no kvm_exit was read, and events were lost: whether a VM ran is not known");
	else
		add(notes, "no kvm_exit was read: no VM ran, or it was not recorded (%s)",
		    known->feed->no_entry_way);
}
