// SPDX-License-Identifier: GPL-2.0-only
/* identity.c - distinguishes vCPUs by what can't be at the same time */
#include "collector/source/trace/identity.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "collector/source/trace/lane.h"

/* A thread that ran a vCPU. @vcpu_id: the one that it ran last; @tgid: its process; 0: unknown */
struct thread {
	uint32_t tid;
	uint32_t vcpu_id;
	uint32_t tgid;
};

/* @split: vCPU ids of it that are several vCPUs */
struct process {
	uint32_t tgid;
	uint32_t split;
};

/* @stale: the next one of the list of struct identity; @is_listed: it is in that list */
struct node {
	struct lane lane; /* first: its key is that of the tree */
	struct process *process;
	struct node *stale;
	bool is_listed;
	bool is_counted; /* in process->split */
};

/*
 * @threads: of struct thread, by tid
 * @ids: of struct node, by tgid and vcpu_id; @count: how many
 * @processes: of struct process, by tgid
 * @stale: those whose slots may be out of date
 * @numbers: of struct thread, by tgid: how many threads were numbered
 */
struct identity {
	void *threads;
	void *ids;
	void *processes;
	struct node *stale;
	void *numbers;
	const struct lost_windows *lost;
	uint32_t count;
	bool learned_late;
};

static int by_tid(const void *a, const void *b)
{
	const struct thread *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static int by_vcpu(const void *a, const void *b)
{
	const struct identity_vcpu *left = a, *right = b;

	if (left->tgid != right->tgid)
		return left->tgid > right->tgid ? 1 : -1;
	return (left->vcpu_id > right->vcpu_id) - (left->vcpu_id < right->vcpu_id);
}

/* The node equal to @key, made with @bytes bytes like @key if need be; NULL: no memory. */
static void *get(void **tree, const void *key, size_t bytes,
		 int (*compare)(const void *, const void *))
{
	void **found = tfind(key, tree, compare);
	void *node;

	if (found)
		return *found;
	node = malloc(bytes);
	if (!node)
		return NULL;
	memcpy(node, key, bytes);
	if (!tsearch(node, tree, compare)) {
		free(node);
		return NULL;
	}
	return node;
}

static int by_process(const void *a, const void *b)
{
	const struct process *left = a, *right = b;

	return (left->tgid > right->tgid) - (left->tgid < right->tgid);
}

struct identity *identity_new(void)
{
	return calloc(1, sizeof(struct identity));
}

static int learn_thread(struct identity *id, const struct kvm_event *event)
{
	const struct thread key = {
		.tid = event->tid, .vcpu_id = event->vcpu_id, .tgid = event->tgid};
	struct thread *thread = get(&id->threads, &key, sizeof(key), by_tid);

	if (!thread)
		return -ENOMEM;
	thread->vcpu_id = event->vcpu_id;
	id->learned_late |= event->tgid && !thread->tgid;
	if (event->tgid)
		thread->tgid = event->tgid;
	return 0;
}

uint32_t identity_process(const struct identity *id, uint32_t tid)
{
	const struct thread key = {.tid = tid};
	struct thread **found = tfind(&key, &id->threads, by_tid);

	return found ? (*found)->tgid : 0;
}

/* Its slots may be out of date. */
static void list_stale(struct identity *id, struct node *stale)
{
	if (stale->is_listed)
		return;
	stale->is_listed = true;
	stale->stale = id->stale;
	id->stale = stale;
}

bool identity_learned_late(const struct identity *id)
{
	return id->learned_late;
}

/* The vCPU id of the event's process, made if need be; NULL: no memory. */
static struct node *get_node(struct identity *id, const struct kvm_event *event)
{
	const struct node key = {
		.lane.vcpu = {.tgid = event->tgid, .vcpu_id = event->vcpu_id, .slots = 1}};
	const struct process process = {.tgid = event->tgid};
	struct node *found = get(&id->ids, &key, sizeof(key), by_vcpu);

	if (!found || found->process)
		return found;
	found->process = get(&id->processes, &process, sizeof(process), by_process);
	if (!found->process)
		return NULL;
	id->count++;
	return found;
}

int identity_see(struct identity *id, const struct kvm_event *event,
		 const struct lost_windows *lost)
{
	struct node *found;
	int rc;

	id->lost = lost;
	if (event->vcpu_id == KVM_EVENT_NO_VCPU)
		return 0;
	if (learn_thread(id, event))
		return -ENOMEM;
	found = get_node(id, event);
	if (!found)
		return -ENOMEM;

	rc = lane_see(&found->lane, event, lost);
	if (found->lane.is_stale)
		list_stale(id, found);
	return rc;
}

void identity_cpus(const struct identity *id, const struct kvm_event *event,
		   struct lost_windows_cpus *cpus)
{
	const struct identity_vcpu key = {.tgid = event->tgid, .vcpu_id = event->vcpu_id};
	struct node **found = tfind(&key, &id->ids, by_vcpu);

	if (found)
		*cpus = (*found)->lane.cpus;
}

uint32_t identity_name_vcpu(const struct identity *id, const struct kvm_event *event)
{
	const struct thread key = {.tid = event->tid};
	struct thread **found;

	if (event->vcpu_id != KVM_EVENT_NO_VCPU)
		return event->vcpu_id;
	found = tfind(&key, &id->threads, by_tid);
	return found ? (*found)->vcpu_id : KVM_EVENT_NO_VCPU;
}

int identity_number_threads(struct identity *id, const struct kvm_event *event)
{
	const struct thread process = {.tid = event->tgid};
	struct thread key = {.tid = event->tid};
	struct thread *count;

	if (tfind(&key, &id->threads, by_tid))
		return 0;
	count = get(&id->numbers, &process, sizeof(process), by_tid);
	if (!count)
		return -ENOMEM;
	key.vcpu_id = count->vcpu_id++;
	return get(&id->threads, &key, sizeof(key), by_tid) ? 0 : -ENOMEM;
}

/* Bring slots up to date, and what processes know of them. */
static void update(struct identity *id)
{
	for (struct node *next = id->stale; next; next = next->stale) {
		bool is_split;

		lane_update_slots(&next->lane, id->lost);
		is_split = next->lane.vcpu.slots > 1;
		next->process->split += (uint32_t)is_split - (uint32_t)next->is_counted;
		next->is_counted = is_split;
		next->is_listed = false;
	}
	id->stale = NULL;
}

uint32_t identity_slot(struct identity *id, const struct kvm_event *event)
{
	const struct identity_vcpu key = {.tgid = event->tgid, .vcpu_id = event->vcpu_id};
	struct node **found = tfind(&key, &id->ids, by_vcpu);

	update(id);
	return found ? lane_slot_of(&(*found)->lane, event->tid) : 0;
}

/* Those of unknown processes. */
static void split_node(const void *node, VISIT visit, void *user)
{
	struct node *split = *(struct node *const *)node;

	if ((visit != postorder && visit != leaf) || split->lane.vcpu.tgid)
		return;
	split->lane.is_split = split->lane.is_stale = true;
	list_stale(user, split);
}

void identity_split_unknown(struct identity *id)
{
	twalk_r(id->ids, split_node, id);
}

struct walk {
	void (*visit)(const struct identity_vcpu *vcpu, void *user);
	void *user;
};

static void walk_node(const void *node, VISIT visit, void *user)
{
	const struct node *each = *(struct node *const *)node;
	const struct walk *walk = user;

	if (visit == postorder || visit == leaf)
		walk->visit(&each->lane.vcpu, walk->user);
}

void identity_walk(struct identity *id, void (*visit)(const struct identity_vcpu *vcpu, void *user),
		   void *user)
{
	struct walk walk = {visit, user};

	update(id);
	twalk_r(id->ids, walk_node, &walk);
}

uint64_t identity_vm(struct identity *id, uint32_t tgid, uint32_t tid)
{
	const struct process key = {.tgid = tgid};
	struct process **found = tfind(&key, &id->processes, by_process);

	update(id);
	if (found && (*found)->split)
		return 1ULL << 32 | tid;
	return tgid ? tgid : 1ULL << 33;
}

uint32_t identity_count(const struct identity *id)
{
	return id->count;
}

static void search_split(const struct identity_vcpu *vcpu, void *user)
{
	*(bool *)user |= vcpu->slots > 1;
}

bool identity_has_split(struct identity *id)
{
	bool is_split = false;

	identity_walk(id, search_split, &is_split);
	return is_split;
}

static void free_node(void *freed)
{
	struct node *node = freed;

	lane_free(&node->lane);
	free(node);
}

void identity_restart(struct identity *id)
{
	tdestroy(id->ids, free_node);
	tdestroy(id->processes, free);
	id->ids = id->processes = NULL;
	id->stale = NULL;
	id->count = 0;
	id->learned_late = false;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	identity_restart(id);
	tdestroy(id->threads, free);
	tdestroy(id->numbers, free);
	free(id);
}
