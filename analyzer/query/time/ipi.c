// SPDX-License-Identifier: GPL-2.0-only
/*
 * ipi.c - matches IPIs with their arrival; see ipi.h
 */
#include "analyzer/query/time/ipi.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/query/db.h"
#include "analyzer/query/guest/hypercalls.h"
#include "analyzer/query/reason.h"
#include "analyzer/query/where.h"
#include "base/array.h"
#include "base/wrap.h"
#include "kvm/uapi/kvm_exit_ring.h"
#include "sql/hist.h"

/* Senders' exits (Intel SDM, appendix C; AMD APM 2, appendix C). */
#define VMX_VMCALL	18
#define VMX_MSR_WRITE	32
#define VMX_APIC_ACCESS 44
#define VMX_APIC_WRITE	56
#define SVM_MSR		0x7c
#define SVM_VMMCALL	0x81
#define SVM_AVIC_IPI	0x401

#define MSR_X2APIC_ICR 0x830
#define APIC_ICR       0x300 /* offset of its low half */
#define APIC_OFFSET    0xfff
#define HC_SEND_IPI    10
#define SVM_AUX_WRITE  1

/* The ICR. */
#define ICR_VECTOR(value)    ((int)((value)&0xff))
#define ICR_MODE(value)	     ((value) >> 8 & 7)
#define ICR_LOGICAL(value)   ((value) >> 11 & 1)
#define ICR_SHORTHAND(value) ((value) >> 18 & 3)
#define ICR_DEST(value)	     ((uint32_t)((value) >> 32))

enum { MODE_FIXED = 0, MODE_LOWEST = 1, MODE_NMI = 4 };
enum { TO_DEST, TO_SELF, TO_ALL, TO_OTHERS };

/* entry_event, as VMCS 0x4016. */
#define EVENT_VECTOR(event) ((int)((event)&0xff))
#define EVENT_TYPE(event)   ((event) >> 8 & 7)
enum { EVENT_INTERRUPT = 0, EVENT_NMI = 2 };

#define VECTORS (IPI_NMI + 1)

#define IPI_SQL                                                                                    \
	"SELECT e.vcpu, e.tsc, e.cycles, e.reason, e.flags, e.key, e.key_aux, e.qualification, e.value, e.entry_event, e.halted_cycles, e.preempted_cycles FROM exit e WHERE %s AND (e.halted_cycles > 0 OR e.entry_event IS NOT NULL OR e.reason & 65535 IN (18, 32, 44, 56, 0x7c, 0x81, 0x401)) ORDER BY e.tsc, e.rowid"

enum {
	I_VCPU,
	I_TSC,
	I_CYCLES,
	I_REASON,
	I_FLAGS,
	I_KEY,
	I_AUX,
	I_QUALIFICATION,
	I_VALUE,
	I_EVENT,
	I_HALTED,
	I_PREEMPTED
};

/* @event: vector that was injected at its end, IPI_NMI, IPI_UNKNOWN: none */
struct exit {
	int64_t tsc;
	int64_t end;
	int event;
	bool is_halt;
	bool is_taken; /* its entry has brought an IPI already */
};

/* An IPI that has not arrived; @group: number + 1; 0: none. */
struct waiting {
	int64_t tsc;
	size_t group;
};

/* @waits: how many of @waiting are set */
struct receiver {
	struct exit last;
	unsigned int waits;
	struct waiting waiting[VECTORS];
};

struct matcher {
	struct app *app;
	const struct run *run;
	struct ipi *ipi;
	struct receiver *receiver; /* by the index of run->vcpus */
};

const char *ipi_kind_name(enum ipi_kind kind)
{
	static const char *const names[] = {"x2APIC ICR", "xAPIC ICR", "KVM_HC_SEND_IPI",
					    "AVIC incomplete"};

	return names[kind];
}

static int add_time(struct ipi_times *times, int64_t cycles)
{
	uint64_t value = cycles > 0 ? (uint64_t)cycles : 0;

	times->n++;
	times->cycles += value;
	times->max = value > times->max ? value : times->max;
	return dist_add(&times->dist, hist_bucket(value), 1);
}

/* The group, made if there is none; -1: no memory. */
static int find_group(struct ipi *ipi, enum ipi_kind kind, int vector, size_t *index)
{
	struct ipi_group *more;

	for (*index = 0; *index < ipi->groups; ++*index)
		if (ipi->group[*index].kind == kind && ipi->group[*index].vector == vector)
			return 0;

	more = array_reserve(ipi->group, ipi->groups, 1, sizeof(*more));
	if (!more)
		return -1;
	ipi->group = more;
	more[ipi->groups++] = (struct ipi_group){.kind = kind, .vector = vector};
	return 0;
}

/* Whether an exit sends an IPI, and how. */
static bool find_kind(const struct run *run, sqlite3_stmt *stmt, enum ipi_kind *kind)
{
	int64_t reason =
		reason_basic(run->isa, reason_key(run->isa, sqlite3_column_int64(stmt, I_REASON)));
	int64_t key = sqlite3_column_int64(stmt, I_KEY);
	bool is_vmx = run->isa == KVM_EXIT_ISA_VMX;
	bool is_icr = (sqlite3_column_int64(stmt, I_QUALIFICATION) & APIC_OFFSET) == APIC_ICR;

	if (is_vmx ? reason == VMX_MSR_WRITE
		   : reason == SVM_MSR && sqlite3_column_int64(stmt, I_AUX) == SVM_AUX_WRITE) {
		*kind = IPI_X2APIC;
		return key == MSR_X2APIC_ICR;
	}
	if (reason == (is_vmx ? VMX_VMCALL : SVM_VMMCALL)) {
		*kind = IPI_HYPERCALL;
		return key == HC_SEND_IPI;
	}
	if (is_vmx && (reason == VMX_APIC_ACCESS || reason == VMX_APIC_WRITE)) {
		*kind = IPI_XAPIC;
		return is_icr;
	}
	*kind = IPI_AVIC;
	return !is_vmx && reason == SVM_AVIC_IPI;
}

/* Whether the ICR's value names a vCPU. */
static bool is_receiver(uint64_t value, int64_t apic_id, bool is_sender)
{
	uint32_t dest = ICR_DEST(value);

	switch (ICR_SHORTHAND(value)) {
	case TO_SELF:
		return is_sender;
	case TO_ALL:
		return true;
	case TO_OTHERS:
		return !is_sender;
	}
	if (dest == UINT32_MAX)
		return true;
	if (!ICR_LOGICAL(value))
		return apic_id == dest;
	/* A cluster of 16, and a bit for each in it. */
	return apic_id >> 4 == dest >> 16 && dest >> (apic_id & 15) & 1;
}

/* The delay of an IPI that was sent at @tsc and arrived with the entry at @end. */
static int arrive(struct matcher *m, size_t group, bool was_halted, int64_t tsc, int64_t end)
{
	struct ipi_group *g = &m->ipi->group[group];

	/* That of forged exits wraps around. */
	return add_time(was_halted ? &g->halted : &g->running, wrap_subtract(end, tsc));
}

static int send_to(struct matcher *m, struct receiver *to, size_t group, int vector, int64_t tsc)
{
	struct exit *last = &to->last;
	bool is_out = last->tsc <= tsc && tsc < last->end;
	struct waiting *waiting = &to->waiting[vector];

	/* It is in an exit whose end is known: the entry brings this vector, or a posted one. */
	if (is_out && !last->is_taken &&
	    (last->event == vector || (last->is_halt && last->event == IPI_UNKNOWN))) {
		last->is_taken = true;
		return arrive(m, group, last->is_halt, tsc, last->end);
	}

	if (waiting->group) {
		m->ipi->group[group].joined++;
		return 0;
	}
	*waiting = (struct waiting){tsc, group + 1};
	to->waits++;
	return 0;
}

static int send(struct matcher *m, unsigned int sender, enum ipi_kind kind, sqlite3_stmt *stmt)
{
	bool has_value =
		kind == IPI_X2APIC && sqlite3_column_int64(stmt, I_FLAGS) & KVM_EXIT_REC_VALUE;
	uint64_t value = (uint64_t)sqlite3_column_int64(stmt, I_VALUE);
	int vector = IPI_UNKNOWN;
	size_t group;

	if (has_value && ICR_MODE(value) == MODE_NMI)
		vector = IPI_NMI;
	else if (has_value && (ICR_MODE(value) == MODE_FIXED || ICR_MODE(value) == MODE_LOWEST))
		vector = ICR_VECTOR(value);
	else if (has_value)
		return 0; /* INIT and start-up bring a vCPU up */

	if (find_group(m->ipi, kind, vector, &group) ||
	    add_time(&m->ipi->group[group].cost, sqlite3_column_int64(stmt, I_CYCLES)))
		return -1;

	for (unsigned int i = 0; has_value && i < m->run->n_vcpus; i++) {
		const struct vcpu_ref *vcpu = &m->run->vcpus[i];

		if (vcpu->vm != m->run->vcpus[sender].vm ||
		    !is_receiver(value, vcpu->vcpu_id, i == sender))
			continue;
		if (i == sender) {
			m->ipi->group[group].self++;
			continue;
		}
		m->ipi->group[group].receivers++;
		if (send_to(m, &m->receiver[i], group, vector, sqlite3_column_int64(stmt, I_TSC)))
			return -1;
	}
	return 0;
}

static int event_of(sqlite3_stmt *stmt)
{
	int64_t event = sqlite3_column_int64(stmt, I_EVENT);

	if (!(sqlite3_column_int64(stmt, I_FLAGS) & KVM_EXIT_REC_EVENT))
		return IPI_UNKNOWN;
	if (EVENT_TYPE(event) == EVENT_NMI)
		return IPI_NMI;
	return EVENT_TYPE(event) == EVENT_INTERRUPT ? EVENT_VECTOR(event) : IPI_UNKNOWN;
}

/* What an exit says of a vCPU as a receiver. */
static int receive(struct matcher *m, struct receiver *r, sqlite3_stmt *stmt)
{
	int64_t tsc = sqlite3_column_int64(stmt, I_TSC);
	int64_t cycles = sqlite3_column_int64(stmt, I_CYCLES);
	struct waiting *waiting;

	r->last = (struct exit){
		.tsc = tsc,
		.event = event_of(stmt),
		.is_halt = sqlite3_column_int64(stmt, I_HALTED) > 0,
	};
	if (__builtin_add_overflow(tsc, cycles, &r->last.end))
		r->last.end = INT64_MAX;

	if (r->last.event == IPI_UNKNOWN) {
		/* Who halts has taken what was sent before: posted, without an exit. */
		if (r->last.is_halt && r->waits) {
			memset(r->waiting, 0, sizeof(r->waiting));
			r->waits = 0;
		}
		return 0;
	}

	waiting = &r->waiting[r->last.event];
	if (!waiting->group)
		return 0;
	r->last.is_taken = true;
	if (arrive(m, waiting->group - 1, false, waiting->tsc, r->last.end))
		return -1;
	waiting->group = 0;
	r->waits--;
	return 0;
}

static int add_halt(struct ipi_wakes *wakes, sqlite3_stmt *stmt)
{
	int64_t wait = sqlite3_column_int64(stmt, I_PREEMPTED);

	if (sqlite3_column_int64(stmt, I_HALTED) <= 0)
		return 0;
	if (add_time(&wakes->halted, sqlite3_column_int64(stmt, I_HALTED)))
		return -1;
	return wait > 0 ? add_time(&wakes->wait, wait) : 0;
}

static int take_exit(struct matcher *m, sqlite3_stmt *stmt)
{
	const struct vcpu_ref *vcpu = run_find_vcpu(m->run, sqlite3_column_int64(stmt, I_VCPU));
	enum ipi_kind kind;
	unsigned int i;

	if (!vcpu)
		return 0;

	i = (unsigned int)(vcpu - m->run->vcpus);
	if (receive(m, &m->receiver[i], stmt) || add_halt(&m->ipi->wakes[i], stmt))
		return -1;
	if (!find_kind(m->run, stmt, &kind))
		return 0;
	/* RAX of a guest of Hyper-V is no number of KVM's. */
	if (kind == IPI_HYPERCALL && hypercalls_may_be_hyperv(m->app, vcpu->vm))
		return 0;
	return send(m, i, kind, stmt);
}

static int read_exits(struct app *app, struct matcher *m)
{
	sqlite3_stmt *stmt;
	int rc;

	if (where_prepare(app, m->run, IPI_SQL, &stmt))
		return -1;
	while ((rc = db_step(app, stmt)) > 0)
		if (take_exit(m, stmt)) {
			rc = app_fail(app, "out of memory");
			break;
		}
	sqlite3_finalize(stmt);
	return rc;
}

int ipi_read(struct app *app, const struct run *run, struct ipi *ipi)
{
	struct matcher m = {.app = app, .run = run, .ipi = ipi};
	int rc = 0;

	*ipi = (struct ipi){.n_wakes = run->n_vcpus};
	m.receiver = calloc(run->n_vcpus + 1, sizeof(*m.receiver));
	ipi->wakes = calloc(run->n_vcpus + 1, sizeof(*ipi->wakes));
	if (!m.receiver || !ipi->wakes)
		rc = app_fail(app, "out of memory");
	for (unsigned int i = 0; !rc && i < run->n_vcpus; i++) {
		ipi->wakes[i].vcpu = i;
		m.receiver[i].last.event = IPI_UNKNOWN;
	}

	if (!rc)
		rc = read_exits(app, &m);
	for (size_t i = 0; i < ipi->groups; i++) {
		struct ipi_group *g = &ipi->group[i];

		g->unseen = g->receivers - g->halted.n - g->running.n - g->joined;
	}
	free(m.receiver);
	return rc;
}

static void free_times(struct ipi_times *times)
{
	dist_free(&times->dist);
}

void ipi_free(struct ipi *ipi)
{
	for (size_t i = 0; i < ipi->groups; i++) {
		free_times(&ipi->group[i].cost);
		free_times(&ipi->group[i].halted);
		free_times(&ipi->group[i].running);
	}
	for (unsigned int i = 0; ipi->wakes && i < ipi->n_wakes; i++) {
		free_times(&ipi->wakes[i].halted);
		free_times(&ipi->wakes[i].wait);
	}
	free(ipi->group);
	free(ipi->wakes);
	*ipi = (struct ipi){.groups = 0};
}
