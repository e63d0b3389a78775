// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory of the rings' records: charged to whoever asked for it, bounded over all rings,
 * given back after a grace period of RCU.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "exit_ring_dev.h"

static unsigned int ring_memory_mib;
module_param(ring_memory_mib, uint, 0644);
MODULE_PARM_DESC(ring_memory_mib, "most memory for the records of all rings, in MiB; 0: an eighth of the host's memory");

/* Bytes of all buffers. */
static atomic64_t exit_ring_memory;

static atomic64_t exit_ring_last_buf_id;

static u64 exit_ring_memory_max(void)
{
	unsigned int mib = READ_ONCE(ring_memory_mib);

	return mib ? (u64)mib << 20 : (u64)totalram_pages() << PAGE_SHIFT >> 3;
}

static void exit_ring_free_records(struct exit_ring_buf *buf)
{
	vfree(buf->records);
	atomic64_sub(buf->bytes, &exit_ring_memory);
	kfree(buf);
}

/* Fails rather than have anybody killed, in the payer's cgroup or elsewhere. */
static struct exit_ring_buf *exit_ring_alloc_buf(u32 count)
{
	const gfp_t gfp = EXIT_RING_GFP_MAPPED | __GFP_ZERO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN;
	struct exit_ring_buf *buf = kmalloc(sizeof(*buf), gfp);

	if (!buf)
		return NULL;
	buf->count = count;
	buf->bytes = exit_ring_buf_bytes(count);
	if (atomic64_add_return(buf->bytes, &exit_ring_memory) <= exit_ring_memory_max())
		buf->records = __vmalloc(buf->bytes, gfp);
	if (!buf->records) {
		exit_ring_free_records(buf);
		return NULL;
	}
	buf->id = atomic64_add_return(EXIT_RING_STATUSES, &exit_ring_last_buf_id);
	return buf;
}

struct exit_ring_buf *exit_ring_new_buf(struct mem_cgroup *payer, u32 count)
{
	struct mem_cgroup *before;
	struct exit_ring_buf *buf;

	exit_ring_assert_unlocked();
	if (!payer)
		return exit_ring_alloc_buf(count);
	before = exit_ring_set_memcg(payer);
	buf = exit_ring_alloc_buf(count);
	exit_ring_set_memcg(before);
	return buf;
}

void exit_ring_discard_buf(struct exit_ring_buf *buf)
{
	exit_ring_assert_unlocked();
	if (buf)
		exit_ring_free_records(buf);
}

static void exit_ring_free_buf_rcu(struct rcu_head *rcu)
{
	exit_ring_free_records(container_of(rcu, struct exit_ring_buf, rcu));
}

void exit_ring_free_buf(struct exit_ring_buf *buf)
{
	call_rcu(&buf->rcu, exit_ring_free_buf_rcu);
}

void exit_ring_query_memory(struct kvm_exit_ring_query *query)
{
	query->memory_bytes = atomic64_read(&exit_ring_memory);
	query->memory_max_bytes = exit_ring_memory_max();
}
