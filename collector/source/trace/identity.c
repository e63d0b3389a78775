// SPDX-License-Identifier: GPL-2.0-only
/* identity.c - distinguishes vCPUs by what can't be at the same time */
#include "collector/source/trace/identity.h"

#include <errno.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "collector/source/trace/vcpus.h"

/* Threads with one vCPU id of one process: that many VMs without process ids, each with a vCPU 0.
 */
#define MOST_THREADS 65536U

/* A thread that ran a vCPU. @vcpu_id: the one that it ran last; @tgid: its process; 0: unknown */
struct thread {
	uint32_t tid;
	uint32_t vcpu_id;
	uint32_t tgid;
};

/* An event of a thread. @order: its number, 0: there is none */
struct step {
	enum kvm_event_kind kind;
	uint32_t cpu;
	uint64_t ts;
	uint64_t order;
};

/*
 * A thread of a lane; members stand in the order of their first events.
 * @first, @last: its events
 * @older: number + 1 of the member whose last event is the next older one; 0: none; @newer alike
 * @conflicts: bit i: it conflicts with member i, for the members before it whose events are not all
 *	before its first one; NULL: none of them
 */
struct member {
	uint32_t tid;
	uint32_t slot;
	uint32_t older;
	uint32_t newer;
	struct step first;
	struct step last;
	unsigned char *conflicts;
};

/* Where the member of a thread is. */
struct place {
	uint32_t tid;
	uint32_t member;
};

/*
 * @newest: number + 1 of the member whose event was the last one
 * @places: of struct place, by tid
 * @taken: for lowest_slot(), a byte for each member
 */
struct lane {
	struct identity_vcpu vcpu; /* first: the key */
	struct member *members;
	uint32_t newest;
	void *places;
	unsigned char *taken;
	uint32_t last; /* that was looked up last */
	bool is_stale; /* the slots are those before a conflict was found */
	bool is_split; /* all members conflict */
	struct lost_windows_cpus cpus;
};

struct identity {
	void *threads; /* of struct thread, by tid */
	void *lanes;   /* of struct lane, by tgid and vcpu_id */
	void *numbers; /* of struct thread, by tgid: how many threads were numbered */
	const struct lost_windows *lost;
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

static int by_place(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return (left->tid > right->tid) - (left->tid < right->tid);
}

static struct member *find_member(struct lane *lane, uint32_t tid)
{
	const struct place key = {.tid = tid};
	struct place **found;

	/* Most events are of the thread of the one before. */
	if (lane->last < lane->vcpu.threads && lane->members[lane->last].tid == tid)
		return &lane->members[lane->last];
	found = tfind(&key, &lane->places, by_place);
	if (!found)
		return NULL;
	lane->last = (*found)->member;
	return &lane->members[lane->last];
}

/* A thread of the lane, made if need be. -ENOMEM, -E2BIG. */
static int get_member(struct lane *lane, uint32_t tid, struct member **found)
{
	uint32_t count = lane->vcpu.threads;
	const struct place place = {tid, count};
	struct member *more;
	unsigned char *taken;

	*found = find_member(lane, tid);
	if (*found)
		return 0;
	if (count == MOST_THREADS)
		return -E2BIG;

	more = array_reserve(lane->members, count, 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	lane->members = more;
	taken = array_reserve(lane->taken, count, 1, sizeof(*taken));
	if (!taken)
		return -ENOMEM;
	lane->taken = taken;
	if (!get(&lane->places, &place, sizeof(place), by_place))
		return -ENOMEM;

	more[count] = (struct member){.tid = tid};
	*found = &more[count];
	lane->last = count;
	lane->vcpu.threads++;
	lane->is_stale = true;
	return 0;
}

/* Whether @next can't be of the vCPU whose last event, on another thread, was @last. */
static bool excludes(const struct step *last, const struct step *next,
		     const struct lost_windows *lost)
{
	if (next->kind == KVM_EVENT_ENTRY && last->kind == KVM_EVENT_EXIT)
		return false; /* it may have moved */
	return !lost_windows_hit(lost, last->cpu, last->ts, next->ts) &&
	       !lost_windows_hit(lost, next->cpu, last->ts, next->ts);
}

static bool has_bit(const struct member *member, uint32_t i)
{
	return member->conflicts && member->conflicts[i / 8] & 1 << i % 8;
}

/* Two members of which @i is the later one. All events of one may be before those of the other. */
static bool are_in_conflict(const struct lane *lane, uint32_t i, uint32_t j,
			    const struct lost_windows *lost)
{
	const struct member *later = &lane->members[i], *earlier = &lane->members[j];

	if (lane->is_split)
		return true;
	if (earlier->last.order < later->first.order)
		return excludes(&earlier->last, &later->first, lost);
	return has_bit(later, j);
}

static int set_conflict(struct lane *lane, uint32_t one, uint32_t other)
{
	uint32_t i = one > other ? one : other, j = one > other ? other : one;
	struct member *later = &lane->members[i];

	if (!later->conflicts)
		later->conflicts = calloc(i / 8 + 1, 1);
	if (!later->conflicts)
		return -ENOMEM;
	later->conflicts[j / 8] |= (unsigned char)(1 << j % 8);
	lane->is_stale = true;
	return 0;
}

/* The lowest slot in which no thread before number @i conflicts with it. */
static uint32_t lowest_slot(const struct lane *lane, uint32_t i, const struct lost_windows *lost)
{
	uint32_t slot = 0;

	memset(lane->taken, 0, lane->vcpu.threads);
	for (uint32_t j = 0; j < i; j++) {
		if (are_in_conflict(lane, i, j, lost))
			lane->taken[lane->members[j].slot] = 1;
	}
	while (lane->taken[slot])
		slot++;
	return slot;
}

static void update_slots(struct lane *lane, const struct lost_windows *lost)
{
	if (!lane->is_stale)
		return;
	lane->is_stale = false;
	lane->vcpu.slots = 1;
	/* With more the recording is refused: members stand in the order in which they are seen. */
	for (uint32_t i = 0; i < lane->vcpu.threads && lane->vcpu.slots <= VCPUS_MOST; i++) {
		lane->members[i].slot = lowest_slot(lane, i, lost);
		if (lane->members[i].slot >= lane->vcpu.slots)
			lane->vcpu.slots = lane->members[i].slot + 1;
	}
}

/*
 * Compare with each other thread whose last event is younger than this one's last. Those that began
 * since then were not compared with that one yet.
 */
static int find_conflicts(struct lane *lane, const struct member *self, const struct step *next,
			  const struct lost_windows *lost)
{
	uint32_t at = (uint32_t)(self - lane->members);
	int rc = 0;

	for (uint32_t n = lane->newest; n && n - 1 != at && !rc; n = lane->members[n - 1].older) {
		const struct member *other = &lane->members[n - 1];
		bool is_new = other->first.order > self->last.order;

		if (has_bit(at > n - 1 ? self : other, at > n - 1 ? n - 1 : at))
			continue;
		if (excludes(&other->last, next, lost) ||
		    (is_new && excludes(&self->last, &other->first, lost)))
			rc = set_conflict(lane, at, n - 1);
	}
	return rc;
}

/* Its event is the last one of the lane. */
static void make_newest(struct lane *lane, struct member *self)
{
	uint32_t at = (uint32_t)(self - lane->members) + 1;

	if (lane->newest == at)
		return;
	if (self->newer)
		lane->members[self->newer - 1].older = self->older;
	if (self->older)
		lane->members[self->older - 1].newer = self->newer;
	self->newer = 0;
	self->older = lane->newest;
	if (lane->newest)
		lane->members[lane->newest - 1].newer = at;
	lane->newest = at;
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
	const struct step step = {event->kind, event->cpu, event->ts, ++id->order};
	struct member *member;
	struct lane *lane;
	int rc;

	id->lost = lost;
	if (event->vcpu_id == KVM_EVENT_NO_VCPU)
		return 0;
	if (learn_thread(id, event))
		return -ENOMEM;
	lane = get(&id->lanes, &key, sizeof(key), by_vcpu);
	rc = lane ? get_member(lane, event->tid, &member) : -ENOMEM;
	if (rc)
		return rc;

	lost_windows_cpus_add(&lane->cpus, event->cpu);
	if (!member->first.order)
		member->first = step;
	else
		rc = find_conflicts(lane, member, &step, lost);
	member->last = step;
	make_newest(lane, member);
	return rc;
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
	update_slots(*found, id->lost);
	member = find_member(*found, event->tid);
	return member ? member->slot : 0;
}

static void split_lane(const void *node, VISIT visit, void *user)
{
	struct lane *lane = *(struct lane *const *)node;

	(void)user;
	if ((visit != postorder && visit != leaf) || lane->vcpu.tgid)
		return;
	lane->is_split = lane->is_stale = true;
}

void identity_split_unknown(struct identity *id)
{
	twalk_r(id->lanes, split_lane, NULL);
}

struct walk {
	const struct lost_windows *lost;
	void (*visit)(const struct identity_vcpu *vcpu, void *user);
	void *user;
};

static void walk_lane(const void *node, VISIT visit, void *user)
{
	struct lane *lane = *(struct lane *const *)node;
	const struct walk *walk = user;

	if (visit != postorder && visit != leaf)
		return;
	update_slots(lane, walk->lost);
	walk->visit(&lane->vcpu, walk->user);
}

void identity_walk(const struct identity *id,
		   void (*visit)(const struct identity_vcpu *vcpu, void *user), void *user)
{
	struct walk walk = {id->lost, visit, user};

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
	free(lane->taken);
	tdestroy(lane->places, free);
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
