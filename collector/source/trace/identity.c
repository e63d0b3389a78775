// SPDX-License-Identifier: GPL-2.0-only
/* identity.c - distinguishes vCPUs by what can't be at the same time */
#include "collector/source/trace/identity.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

/* Threads with one vCPU id of one process: that many VMs without process ids, each with a vCPU 0.
 */
#define MOST_THREADS 4096U

/* A thread that ran a vCPU. @vcpu_id: the one that it ran last; @tgid: its process; 0: unknown */
struct thread {
	uint32_t tid;
	uint32_t vcpu_id;
	uint32_t tgid;
};

/*
 * A thread of a lane.
 * @kind, @ts, @cpu: its last event; @order: number of that event, 0: none
 * @conflicts: whether it conflicts with member i, for the members before it
 */
struct member {
	uint32_t tid;
	uint32_t slot;
	enum kvm_event_kind kind;
	uint32_t cpu;
	uint64_t ts;
	uint64_t order;
	bool *conflicts;
};

struct lane {
	struct identity_vcpu vcpu; /* first: the key */
	struct member *members;
	size_t last;   /* that was looked up last */
	bool is_stale; /* the slots are those before a conflict was found */
	struct lost_windows_cpus cpus;
};

struct identity {
	void *threads; /* of struct thread, by tid */
	void *lanes;   /* of struct lane, by tgid and vcpu_id */
	void *numbers; /* of struct thread, by tgid: how many threads were numbered */
	uint64_t order;
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

static struct member *find_member(struct lane *lane, uint32_t tid)
{
	for (size_t n = 0; n < lane->vcpu.threads; n++) {
		size_t i = (lane->last + n) % lane->vcpu.threads;

		if (lane->members[i].tid == tid) {
			lane->last = i;
			return &lane->members[i];
		}
	}
	return NULL;
}

/* A thread of the lane, made if need be. -ENOMEM, -E2BIG. */
static int get_member(struct lane *lane, uint32_t tid, struct member **found)
{
	struct member *member = find_member(lane, tid);
	size_t count = lane->vcpu.threads;
	struct member *more;

	*found = member;
	if (member)
		return 0;
	if (count == MOST_THREADS)
		return -E2BIG;

	more = array_reserve(lane->members, count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	lane->members = more;
	member = &more[count];
	*member = (struct member){.tid = tid, .conflicts = calloc(count + 1, sizeof(bool))};
	if (!member->conflicts)
		return -ENOMEM;
	lane->vcpu.threads++;
	*found = member;
	return 0;
}

static bool *conflict_of(struct lane *lane, size_t i, size_t j)
{
	return i > j ? &lane->members[i].conflicts[j] : &lane->members[j].conflicts[i];
}

/* The lowest slot in which no thread before number @i conflicts with it. */
static uint32_t lowest_slot(const struct lane *lane, uint32_t i)
{
	bool taken[MOST_THREADS] = {false};
	uint32_t slot = 0;

	for (uint32_t j = 0; j < i; j++) {
		if (lane->members[i].conflicts[j])
			taken[lane->members[j].slot] = true;
	}
	while (taken[slot])
		slot++;
	return slot;
}

static void choose_slots(struct lane *lane)
{
	lane->vcpu.slots = 1;
	for (uint32_t i = 0; i < lane->vcpu.threads; i++) {
		lane->members[i].slot = lowest_slot(lane, i);
		if (lane->members[i].slot >= lane->vcpu.slots)
			lane->vcpu.slots = lane->members[i].slot + 1;
	}
}

static void update_slots(struct lane *lane)
{
	if (lane->is_stale)
		choose_slots(lane);
	lane->is_stale = false;
}

/* Whether @event can't be of the vCPU whose last event, on another thread, was @last. */
static bool excludes(const struct member *last, const struct kvm_event *event,
		     const struct lost_windows *lost)
{
	if (event->kind == KVM_EVENT_ENTRY && last->kind == KVM_EVENT_EXIT)
		return false; /* it may have moved */
	return !lost_windows_hit(lost, last->cpu, last->ts, event->ts) &&
	       !lost_windows_hit(lost, event->cpu, last->ts, event->ts);
}

/* Compare with each other thread whose last event is younger than this one's last. */
static void find_conflicts(struct lane *lane, const struct member *self,
			   const struct kvm_event *event, const struct lost_windows *lost)
{
	size_t at = (size_t)(self - lane->members);
	bool changed = false;

	for (size_t i = 0; i < lane->vcpu.threads; i++) {
		const struct member *other = &lane->members[i];

		if (i == at || other->order <= self->order || *conflict_of(lane, at, i))
			continue;
		if (excludes(other, event, lost))
			changed = *conflict_of(lane, at, i) = true;
	}
	if (changed)
		lane->is_stale = true;
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

bool identity_learned_late(const struct identity *id)
{
	return id->learned_late;
}

int identity_see(struct identity *id, const struct kvm_event *event,
		 const struct lost_windows *lost)
{
	const struct lane key = {
		.vcpu = {.tgid = event->tgid, .vcpu_id = event->vcpu_id, .slots = 1}};
	struct member *member;
	struct lane *lane;
	int rc;

	if (event->vcpu_id == KVM_EVENT_NO_VCPU)
		return 0;
	if (learn_thread(id, event))
		return -ENOMEM;
	lane = get(&id->lanes, &key, sizeof(key), by_vcpu);
	rc = lane ? get_member(lane, event->tid, &member) : -ENOMEM;
	if (rc)
		return rc;

	lost_windows_cpus_add(&lane->cpus, event->cpu);
	find_conflicts(lane, member, event, lost);
	member->kind = event->kind;
	member->cpu = event->cpu;
	member->ts = event->ts;
	member->order = ++id->order;
	return 0;
}

void identity_cpus(const struct identity *id, const struct kvm_event *event,
		   struct lost_windows_cpus *cpus)
{
	const struct lane key = {.vcpu = {.tgid = event->tgid, .vcpu_id = event->vcpu_id}};
	struct lane **found = tfind(&key, &id->lanes, by_vcpu);

	if (found)
		*cpus = (*found)->cpus;
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

uint32_t identity_slot(const struct identity *id, const struct kvm_event *event)
{
	const struct identity_vcpu key = {.tgid = event->tgid, .vcpu_id = event->vcpu_id};
	struct lane **found = tfind(&key, &id->lanes, by_vcpu);
	struct member *member;

	if (!found)
		return 0;
	update_slots(*found);
	member = find_member(*found, event->tid);
	return member ? member->slot : 0;
}

static void split_lane(const void *node, VISIT visit, void *user)
{
	struct lane *lane = *(struct lane *const *)node;

	(void)user;
	if ((visit != postorder && visit != leaf) || lane->vcpu.tgid)
		return;
	for (uint32_t i = 0; i < lane->vcpu.threads; i++) {
		for (uint32_t j = 0; j < i; j++)
			lane->members[i].conflicts[j] = true;
	}
	choose_slots(lane);
}

void identity_split_unknown(struct identity *id)
{
	twalk_r(id->lanes, split_lane, NULL);
}

struct walk {
	void (*visit)(const struct identity_vcpu *vcpu, void *user);
	void *user;
};

static void walk_lane(const void *node, VISIT visit, void *user)
{
	struct lane *lane = *(struct lane *const *)node;
	const struct walk *walk = user;

	if (visit != postorder && visit != leaf)
		return;
	update_slots(lane);
	walk->visit(&lane->vcpu, walk->user);
}

void identity_walk(const struct identity *id,
		   void (*visit)(const struct identity_vcpu *vcpu, void *user), void *user)
{
	struct walk walk = {visit, user};

	twalk_r(id->lanes, walk_lane, &walk);
}

/* What identity_vm() and identity_count() search. */
struct search {
	uint32_t tgid;
	uint32_t count;
	bool is_split;
};

static void search_vcpu(const struct identity_vcpu *vcpu, void *user)
{
	struct search *search = user;

	search->count++;
	if (vcpu->tgid == search->tgid && vcpu->slots > 1)
		search->is_split = true;
}

uint64_t identity_vm(const struct identity *id, uint32_t tgid, uint32_t tid)
{
	struct search search = {.tgid = tgid};

	identity_walk(id, search_vcpu, &search);
	if (search.is_split)
		return 1ULL << 32 | tid;
	return tgid ? tgid : 1ULL << 33;
}

uint32_t identity_count(const struct identity *id)
{
	struct search search = {0};

	identity_walk(id, search_vcpu, &search);
	return search.count;
}

static void search_split(const struct identity_vcpu *vcpu, void *user)
{
	*(bool *)user |= vcpu->slots > 1;
}

bool identity_has_split(const struct identity *id)
{
	bool is_split = false;

	identity_walk(id, search_split, &is_split);
	return is_split;
}

static void free_lane(void *node)
{
	struct lane *lane = node;

	for (uint32_t i = 0; i < lane->vcpu.threads; i++)
		free(lane->members[i].conflicts);
	free(lane->members);
	free(lane);
}

void identity_restart(struct identity *id)
{
	tdestroy(id->lanes, free_lane);
	id->lanes = NULL;
	id->order = 0;
	id->learned_late = false;
}

void identity_free(struct identity *id)
{
	if (!id)
		return;
	tdestroy(id->threads, free);
	tdestroy(id->lanes, free_lane);
	tdestroy(id->numbers, free);
	free(id);
}
