/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ipi.h - interprocessor interrupts: what sending costs, and how long they take to arrive
 *
 * HOW IT WORKS
 * A sender's exit is a write to the local APIC's ICR. Its value, where it was recorded, names
 * vector and receivers (Intel SDM 3, 11.6.1 and 11.12.9; KVM gives a vCPU its id as APIC id). The
 * receiver has it when it enters the guest with that vector injected:
 *
 *	sender		----[ICR write]-------------------------
 *	receiver	--[HLT ...............halted..waits..]--	to a halted vCPU
 *			      |<------- delay -------------->|
 *
 *	receiver	-----------[external interrupt]---------	to a running one
 *			      |<------- delay ------->|
 *
 * With posted interrupts (APICv, AVIC) KVM injects nothing: a halted receiver has it at the next
 * entry, a running one leaves no trace. A vector that is sent again before it arrived arrives once.
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_TIME_IPI_H
#define EXITSCOPE_ANALYZER_QUERY_TIME_IPI_H

#include "analyzer/query/app.h"
#include "analyzer/query/sums/dist.h"

/* How an IPI is sent: by which exit. IPI_XAPIC and those after it have no value: no receiver. */
enum ipi_kind { IPI_X2APIC, IPI_XAPIC, IPI_HYPERCALL, IPI_AVIC, IPI_KINDS };

#define IPI_NMI	    256 /* in the place of a vector */
#define IPI_UNKNOWN (-1)

/* Times in cycles. */
struct ipi_times {
	uint64_t n;
	uint64_t cycles;
	uint64_t max;
	struct dist dist;
};

/*
 * struct ipi_group - all IPIs of one kind and vector
 * @vector: or IPI_NMI, IPI_UNKNOWN
 * @receivers: other vCPUs that they were for; @self: sent to the sender itself
 * @cost: of the senders' exits
 * @halted, @running: delays, by what the receiver did when it was sent
 * @joined: were sent again before anything shows that they arrived
 * @unseen: receivers of which no arrival is known
 */
struct ipi_group {
	enum ipi_kind kind;
	int vector;
	uint64_t receivers;
	uint64_t self;
	struct ipi_times cost;
	struct ipi_times halted;
	struct ipi_times running;
	uint64_t joined;
	uint64_t unseen;
};

/*
 * struct ipi_wakes - halts of a vCPU
 * @vcpu: index in run->vcpus
 * @halted: how long it was halted
 * @wait: from the wake-up to its turn on a CPU, of those halts that were followed by a wait
 */
struct ipi_wakes {
	unsigned int vcpu;
	struct ipi_times halted;
	struct ipi_times wait;
};

struct ipi {
	struct ipi_group *group;
	size_t groups;
	struct ipi_wakes *wakes; /* one for each of run->vcpus */
	unsigned int n_wakes;
};

/* Read the run's rows, for ipi_free() in any case. Return: 0, or -1 with app->error. */
int ipi_read(struct app *app, const struct run *run, struct ipi *ipi);
void ipi_free(struct ipi *ipi);

/* "x2APIC ICR", ... */
const char *ipi_kind_name(enum ipi_kind kind);

#endif
