/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Both ends of one ring of exit records: all index arithmetic and all memory
 * ordering of kvm/uapi/kvm_exit_ring.h. The same text is compiled into kvm.ko
 * (producer), the collector (consumer) and the tests (both).
 *
 * ONE PRODUCER, ONE CONSUMER
 *
 *	producer				consumer
 *	(a) h - load-acquire(tail) <= mask ?	(c) h = load-acquire(head)
 *	    write record[h & mask]		    read record[t & mask] ...
 *	(b) store-release(head, h + 1)		(d) store-release(tail, t + n)
 *
 *	(b) pairs with (c): whoever sees the new head sees the whole record.
 *	(d) pairs with (a): whoever sees the new tail may overwrite what was read.
 *
 * head and tail run freely over all 64 bits and are compared by their unsigned
 * difference. Either side writes its own index from a private copy. Of shared memory the
 * kernel reads the tail alone, which user space may forge: it decides whether the ring is full,
 * whether a reader is woken, and whether a ring that has ended still has unread records.
 */
#ifndef _KVM_EXIT_RING_CORE_H
#define _KVM_EXIT_RING_CORE_H

#include "uapi/kvm_exit_ring.h"

#ifdef __KERNEL__
#include <asm/barrier.h>
#include <linux/compiler.h>
/* checkpatch asks for a comment on each barrier: see the drawing above. */
#define exit_ring_load_acquire(p)	smp_load_acquire(p)
#define exit_ring_store_release(p, v)	smp_store_release(p, v)
#define exit_ring_store(p, v)		WRITE_ONCE(*(p), v)
#define exit_ring_unlikely(x)		unlikely(x)
#define EXIT_RING_INLINE		static __always_inline
#elif defined(__bpf__)
#include "collector/source/bpf/kernel/order.h"	/* LLVM has no such loads for BPF */
#else
#define exit_ring_load_acquire(p)	__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define exit_ring_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define exit_ring_store(p, v)		__atomic_store_n(p, v, __ATOMIC_RELAXED)
#define exit_ring_unlikely(x)		__builtin_expect(!!(x), 0)
#define EXIT_RING_INLINE		static inline __attribute__((always_inline))
#endif

/*
 * struct exit_ring_producer - the producer's private state
 * @meta, @tail, @records: the shared areas
 * @head, @seq, @dropped, @bad_tail: private copies of the fields of that name in @meta
 * @tail_seen: the last valid tail, at most @mask + 1 records before @head
 * @mask: records in the ring, a power of two, minus 1
 */
struct exit_ring_producer {
	struct kvm_exit_ring_meta *meta;
	const struct kvm_exit_ring_tail *tail;
	struct kvm_exit_record *records;
	__u64 head;
	__u64 seq;
	__u64 tail_seen;
	__u64 dropped;
	__u64 bad_tail;
	__u64 mask;
};

/* Reads the tail again. Returns whether there is room; counts an invalid tail. */
EXIT_RING_INLINE _Bool exit_ring_refresh(struct exit_ring_producer *p)
{
	__u64 tail = exit_ring_load_acquire(&p->tail->tail);	/* (a) */

	if (exit_ring_unlikely(p->head - tail > p->mask + 1)) {
		exit_ring_store(&p->meta->bad_tail, ++p->bad_tail);
		return 0;
	}
	p->tail_seen = tail;
	return p->head - tail <= p->mask;
}

/* Whether the ring was full when the tail was read last. */
EXIT_RING_INLINE _Bool exit_ring_seems_full(const struct exit_ring_producer *p)
{
	return p->head - p->tail_seen > p->mask;
}

/* The slot that the next record goes to, once it is known that the ring isn't full. */
EXIT_RING_INLINE struct kvm_exit_record *exit_ring_slot(const struct exit_ring_producer *p)
{
	return &p->records[p->head & p->mask];
}

/*
 * The slot that the next record goes to, or NULL if the ring is full. It stays
 * the producer's until exit_ring_publish(); asking again gives the same slot.
 */
EXIT_RING_INLINE struct kvm_exit_record *exit_ring_reserve(struct exit_ring_producer *p)
{
	if (exit_ring_unlikely(exit_ring_seems_full(p)) && !exit_ring_refresh(p))
		return 0;
	return exit_ring_slot(p);
}

/* Publishes the slot of exit_ring_reserve(), to which the caller wrote all but seq. */
EXIT_RING_INLINE void exit_ring_publish(struct exit_ring_producer *p,
					struct kvm_exit_record *slot)
{
	struct kvm_exit_ring_meta *meta = p->meta;
	__u64 seq = p->seq, head = p->head + 1;

	slot->seq = seq++;
	p->seq = seq;
	p->head = head;
	exit_ring_store(&meta->seq, seq);
	exit_ring_store_release(&meta->head, head);	/* (b) */
}

/* Counts a record that found no slot: its seq is used up. */
EXIT_RING_INLINE void exit_ring_drop(struct exit_ring_producer *p)
{
	exit_ring_store(&p->meta->dropped, ++p->dropped);
	exit_ring_store(&p->meta->seq, ++p->seq);
}

/*
 * struct exit_ring_reader - the consumer's private state
 * @meta, @tail, @records: the shared areas as mapped
 * @next: index of the next record to read
 * @count: records in the ring
 * @record_bytes: from one record to the next, at least sizeof(struct kvm_exit_record)
 */
struct exit_ring_reader {
	const struct kvm_exit_ring_meta *meta;
	struct kvm_exit_ring_tail *tail;
	const struct kvm_exit_record *records;
	__u64 next;
	__u32 count;
	__u32 record_bytes;
};

/* Begins at the present tail: a reader that attached finds what was kept for it. */
EXIT_RING_INLINE void exit_ring_reader_init(struct exit_ring_reader *r,
					    const struct kvm_exit_ring_meta *meta,
					    struct kvm_exit_ring_tail *tail,
					    const struct kvm_exit_record *records)
{
	r->meta = meta;
	r->tail = tail;
	r->records = records;
	r->next = exit_ring_load_acquire(&tail->tail);
	r->count = meta->record_count;
	r->record_bytes = meta->record_bytes;
}

/* The @n-th record after @first, which may be longer than this code knows. */
EXIT_RING_INLINE const struct kvm_exit_record *
exit_ring_record_at(const struct exit_ring_reader *r, const struct kvm_exit_record *first, __u32 n)
{
	return (const void *)((const char *)first + (__u64)n * r->record_bytes);
}

/*
 * Points *first at the oldest unread record. Returns how many lie there one after the other
 * (see exit_ring_record_at()), 0 if there is none; those that continue at the ring's beginning
 * come with the call after exit_ring_advance().
 */
EXIT_RING_INLINE __u32 exit_ring_peek(const struct exit_ring_reader *r,
				      const struct kvm_exit_record **first)
{
	__u64 unread = exit_ring_load_acquire(&r->meta->head) - r->next;	/* (c) */
	__u32 at = (__u32)r->next & (r->count - 1);

	*first = exit_ring_record_at(r, r->records, at);
	return unread < r->count - at ? (__u32)unread : r->count - at;
}

/* Gives n records back, at most what exit_ring_peek() returned; they may be overwritten. */
EXIT_RING_INLINE void exit_ring_advance(struct exit_ring_reader *r, __u32 n)
{
	r->next += n;
	exit_ring_store_release(&r->tail->tail, r->next);	/* (d) */
}

/* Whether the vCPU is gone and every record was read: nothing will come any more. */
EXIT_RING_INLINE _Bool exit_ring_finished(const struct exit_ring_reader *r)
{
	/* The state is stored after the last head: read it first. */
	if (exit_ring_load_acquire(&r->meta->state) != KVM_EXIT_RING_DEAD)
		return 0;
	return exit_ring_load_acquire(&r->meta->head) == r->next;
}

#endif
