// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring_file.c - lays out a ring as /dev/kvm_exit_ring maps it, in a file, by the kernel's own code
 *
 *	ring_file FILE RECORD_BYTES
 * Prints what a reader has to find there. Run again on the same file it appends.
 */
#include "kvm/ring/exit_ring_core.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE	       4096U
#define RECORDS	       32U
#define PUSHED	       20U /* the second time they wrap */
#define TOTALS_BYTES   (KVM_EXIT_TOTAL_SLOTS * sizeof(struct kvm_exit_total))
#define RECORDS_OFFSET (2 * PAGE + TOTALS_BYTES)

/* Where the next record goes. A later kernel's records are longer than those that we know. */
static struct kvm_exit_record *next_slot(const struct exit_ring_producer *p,
					 unsigned int record_bytes)
{
	if (record_bytes == sizeof(struct kvm_exit_record))
		return exit_ring_slot(p);
	return (void *)((char *)p->records + (p->head & p->mask) * record_bytes);
}

static void push(struct exit_ring_producer *p, unsigned int record_bytes)
{
	struct kvm_exit_record *record = next_slot(p, record_bytes);

	memset(record, 0xff, record_bytes);
	record->tsc = 1000 + p->head;
	record->cycles = 7 * p->head;
	record->reason = 10 + (unsigned int)p->head % 3;
	printf("1 %llu %llu %llu %u\n", p->seq, record->tsc, record->cycles, record->reason);
	exit_ring_publish(p, record);
}

int main(int argc, char **argv)
{
	unsigned int record_bytes = argc == 3 ? (unsigned int)atoi(argv[2]) : 0;
	size_t bytes = RECORDS_OFFSET + (size_t)RECORDS * record_bytes;
	struct exit_ring_producer p;
	struct kvm_exit_ring_meta *meta;
	char *area;
	int fd;

	if (record_bytes < sizeof(struct kvm_exit_record))
		return 2;
	fd = open(argv[1], O_RDWR | O_CREAT, 0600);
	if (fd < 0 || ftruncate(fd, (off_t)bytes))
		return 1;
	area = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (area == MAP_FAILED)
		return 1;

	meta = (void *)area;
	meta->magic = KVM_EXIT_RING_MAGIC;
	meta->abi = KVM_EXIT_RING_ABI;
	meta->record_bytes = record_bytes;
	meta->record_count = RECORDS;
	meta->totals_offset = 2 * PAGE;
	meta->records_offset = RECORDS_OFFSET;
	p = (struct exit_ring_producer){
		.meta = meta,
		.tail = (void *)(area + PAGE),
		.records = (void *)(area + RECORDS_OFFSET),
		.head = meta->head,
		.seq = meta->seq,
		.mask = RECORDS - 1,
	};
	for (unsigned int i = 0; i < PUSHED; i++)
		push(&p, record_bytes);
	return 0;
}
