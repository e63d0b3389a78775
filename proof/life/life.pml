/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * life.pml - the life of a ring, for Spin: create, arm, attach, detach, kill, destroy, wake-up
 *
 * HOW IT WORKS
 *	Four processes: the vCPU thread, which makes EXITS exits and is destroyed; a reader that
 *	attaches, reads, waits in poll() and may be killed at any moment, ROUNDS times; the program
 *	that arms and ends; RCU, which frees. Spin goes through all of their interleavings. A step is
 *	one access of shared memory, or what the lock or an IRQ-off section on one CPU makes one.
 *
 *	Names are those of kvm/ring/exit_ring.c, exit_ring_set.c and exit_ring_dev.c. The order of
 *	accesses on real CPUs is not this model's subject: it is that of proof/litmus/.
 *	There is one ring, in the set or not, so the order of ids is not in it: smp_test tests it.
 *
 * WHAT IS CLAIMED, by assert() and by Spin's own search for invalid end states
 *	- no buffer, ring or file is used after it was freed
 *	- no reader sleeps while a watermark of records waits unread and the vCPU has gone through
 *	  an exit since: no wake-up is lost
 *	- every exit is recorded, dropped or unread
 *	- every process ends: no wait is for ever
 *	- at the end all is freed, except an orphaned ring while recording is armed
 *	- a ring whose records were refused can be found until its totals were read, while recording
 *	  is armed
 *
 * BOUNDS: EXITS exits, a ring of COUNT records, watermark WAKE, ROUNDS readers one after the
 * other. With NEVER_ARMED nothing arms, which leaves room for one more exit. With REFUSED there may
 * be no memory for the records of an armed vCPU, and a fifth process reads totals.
 *
 * Faults that Spin must find, each with its define: FREE_AT_ONCE frees a buffer without a grace
 * period; ATTACH_AT_ONCE gives a ring its next buffer without one; REMOVE_LIVE takes a refused
 * ring out of the set although its vCPU lives; OLD_WAKE gives the wake-up as it was before it ran
 * with IRQs off: it could be preempted between its two reads of tail_seen, and a detach and attach
 * in between lost a wake-up.
 */
#ifndef EXITS
#define EXITS 4
#endif
#ifndef ROUNDS
#define ROUNDS 2
#endif
#define COUNT 2
#define WAKE 1
#define NEVER 255	/* U32_MAX as wake_at, U64_MAX as woken_tail */
#define BUFS 6		/* numbers of buffers, from 1; 0 is NULL */

/* struct exit_ring */
byte buf, wake_at = NEVER, woken_tail = NEVER;
byte head, tail, tail_seen;
byte open_buf;		/* whose slot the open exit holds; 0: UNREAD */
bool open_dropped;
byte refs = 1;
bool attached, orphaned, refused, dead, in_set, ring_freed;
bool irq_work;
byte reader;		/* the file of er->reader, from 1 */

/* the set */
bool lock, armed;
byte last_buf;
bool freed[BUFS], must_free[BUFS];

/* RCU: a section is anything with IRQs off, here on the vCPU's CPU */
bool in_section;
bool buf_used[BUFS];	/* drop_buf() met a section, which is not over yet */
bool file_used[ROUNDS + 1];	/* detach(), likewise */
bool grace;		/* of the last buffer that was taken away, likewise */
bool file_must_free[ROUNDS + 1], file_freed[ROUNDS + 1];

/* the reader's file */
bool queued, woken, asleep;

/* what happened to exits */
byte exits, closed;

#define LOCK		atomic { !lock -> lock = true }
#define UNLOCK		lock = false
#define UNREAD		(head - tail)
#define SECTION		in_section = true
#define END_SECTION \
	d_step { \
		in_section = false; grace = false; file_used[1] = false; file_used[2] = false; \
		buf_used[1] = false; buf_used[2] = false; buf_used[3] = false; \
		buf_used[4] = false; buf_used[5] = false \
	}
#define USE_RING	assert(!ring_freed)

inline get() { USE_RING; refs++ }

inline put() {
	assert(refs > 0);
	refs--;
	if
	:: refs == 0 -> ring_freed = true
	:: else
	fi
}

inline new_buf(b) {
	last_buf++;
	assert(last_buf < BUFS);
	b = last_buf
}

/* exit_ring_attach_buf(): field by field, as the vCPU thread may see it */
inline attach_buf(b) {
	USE_RING;
	tail_seen = head;
	tail = head;
	woken_tail = NEVER;
	wake_at = WAKE;
	buf = b
}

inline drop_buf() {
	USE_RING;
	if
	:: buf == 0
	:: else ->
		wake_at = NEVER;
		d_step {
			buf_used[buf] = in_section;
			grace = in_section;
#ifdef FREE_AT_ONCE
			freed[buf] = true;
#endif
			must_free[buf] = true;
			buf = 0
		}
	fi
}

/* exit_ring_remove() */
inline remove() {
	orphaned = false;
	in_set = false;
	drop_buf();
	put()
}

inline orphan_or_remove() {
	if
	:: armed && (refused || (buf != 0 && UNREAD != 0)) -> orphaned = true
	:: else -> remove()
	fi
}

/* wake_up_interruptible_poll() */
inline wake_up() {
	if
	:: queued -> woken = true
	:: else
	fi
}

/* exit_ring_refresh(), a valid tail */
#define REFRESH		tail_seen = tail

inline at_watermark() {
	if
	:: tail == woken_tail
	:: else ->
		REFRESH;
		if
		:: head - tail_seen < wake_at
		:: else ->
#ifdef OLD_WAKE
			/* wakes at once; here the thread could be preempted */
			if
			:: queued -> woken = true
			:: else
			fi;
			woken_tail = tail_seen
#else
			woken_tail = tail_seen;
			if
			:: reader != 0 && queued -> irq_work = true
			:: else
			fi
#endif
		fi
	fi
}

/* exit_ring_close() and exit_ring_finish_record() */
inline close_exit() {
	b = buf;
	if
	:: exits == 0
	:: exits > 0 && (b == 0 || open_buf != b) -> closed++
	:: exits > 0 && b != 0 && open_buf == b && open_dropped -> closed++
	:: exits > 0 && b != 0 && open_buf == b && !open_dropped ->
		/* writes into the slot, then publishes it */
		assert(!freed[b]);
		assert(head - tail_seen < COUNT);
		head++;
		closed++
	fi;
	open_buf = 0
}

/* exit_ring_open_slow() */
inline open_exit() {
	b = buf;
	exits++;
	open_dropped = false;
	if
	:: b == 0
	:: else ->
#ifndef OLD_WAKE
		if
		:: head - tail_seen >= wake_at -> at_watermark()
		:: else
		fi;
#endif
		if
		:: head - tail_seen == COUNT -> REFRESH
		:: else
		fi;
		open_dropped = (head - tail_seen == COUNT);
		open_buf = b
	fi
}

/* exit_ring_wake_reader(), as soon as IRQs are on */
inline run_irq_work() {
	if
	:: irq_work ->
		SECTION;
		irq_work = false;
		f = reader;
		if
		:: f != 0 ->
			assert(!file_freed[f]);
			wake_up()
		:: else
		fi;
		END_SECTION
	:: else
	fi
}

inline destroy() {
	/* irq_work_sync() is done: run_irq_work() came first */
	LOCK;
	USE_RING;
	close_exit();
	dead = true;
	wake_up();
	if
	:: attached -> put()
	:: else -> orphan_or_remove()
	fi;
	UNLOCK
}

bool created, vcpu_ended, reader_ended, arming_ended;

#ifdef REFUSED
bool totals_ended, totals_read;
#else
#define totals_ended	true
#endif

active proctype Vcpu() {
	byte b;		/* READ_ONCE(er->buf) */
	byte f;		/* READ_ONCE(er->reader) */

	/* exit_ring_publish_ring() */
	LOCK;
	if
	:: armed -> new_buf(b); attach_buf(b)
#ifdef REFUSED
	:: armed -> refused = true
#endif
	:: else
	fi;
	in_set = true;
	UNLOCK;
	created = true;

	do
	:: exits < EXITS ->
		USE_RING;
		SECTION;
		close_exit();
		open_exit();
		END_SECTION
		run_irq_work();
#ifdef OLD_WAKE
		if
		:: head - tail_seen >= wake_at -> at_watermark()
		:: else
		fi;
#endif
		d_step {
			assert(!(asleep && !woken && head - tail >= wake_at));
		}
	:: exits == EXITS -> break
	od;
	destroy();
	d_step {
		assert(exits == closed);
		vcpu_ended = true
	}
}

#ifdef ATTACH_AT_ONCE
#define GRACE_IS_OVER	true
#else
#define GRACE_IS_OVER	(!grace)
#endif

/* exit_ring_attach_file() of a reader's file; *ok: it is attached */
inline attach_file(file, ok) {
	mine = 0;
	ok = false;
	do
	:: true ->
		LOCK;
		if
		:: !in_set -> UNLOCK; break
		:: in_set && (buf != 0 || (mine != 0 && GRACE_IS_OVER)) ->
			USE_RING;
			if
			:: buf == 0 -> attach_buf(mine); refused = false; mine = 0
			:: else
			fi;
			if
			:: orphaned -> orphaned = false
			:: else -> get()
			fi;
			attached = true;
			reader = file;
			ok = true;
			UNLOCK;
			break
		:: else ->
			get();
			UNLOCK;
			if
			:: mine == 0 -> LOCK; new_buf(mine); UNLOCK
			:: else
			fi;
			/* cond_synchronize_rcu() */
			GRACE_IS_OVER;
			LOCK;
			put();
			UNLOCK
		fi
	od;
	if
	:: mine != 0 -> freed[mine] = true
	:: else
	fi
}

inline detach() {
	LOCK;
	USE_RING;
	attached = false;
	reader = 0;
	queued = false;
	if
	:: dead -> orphan_or_remove()
	:: else -> drop_buf(); put()
	fi;
	d_step {
		file_used[round] = in_section;
		file_must_free[round] = true
	}
	UNLOCK
}

active proctype Reader() {
	byte round = 1;
	byte read_to;
	byte mine;
	bool ok;

	created;
	do
	:: round > ROUNDS -> break
	:: round <= ROUNDS ->
		attach_file(round, ok);
		if
		:: !ok -> break
		:: else
		fi;
		woken = false;
		do
		:: /* reads what is there, and gives it back */
			assert(buf != 0 && !freed[buf]);
			USE_RING;
			read_to = head;
			if
			:: read_to - tail == 2 -> read_to--	/* or only a part */
			:: true
			fi;
			assert(read_to - tail <= COUNT);
			tail = read_to
		:: /* poll() */
			queued = true;
			if
			:: dead || UNREAD >= wake_at -> queued = false
			:: else ->
				asleep = true;
				if
				:: woken
				:: break	/* killed */
				fi;
				d_step { asleep = false; woken = false; queued = false }
			fi;
			if
			:: dead && UNREAD == 0 -> break	/* POLLHUP */
			:: else
			fi
		:: break	/* killed, or detaches */
		od;
		asleep = false;
		detach();
		round++
	od;
	reader_ended = true
}

/* The program that arms, and ends: exit_ring_arm(), exit_ring_disarm() */
active proctype Arming() {
	if
#ifndef NEVER_ARMED
	:: true ->
		LOCK;
		armed = true;
		UNLOCK;
		if
		:: true ->
			LOCK;
			armed = false;
			refused = false;
			if
			:: in_set && !attached && orphaned -> remove()
			:: in_set && !attached && !orphaned -> drop_buf()
			:: else
			fi;
			UNLOCK
		:: true		/* goes on */
		fi
#endif
	:: true
	fi;
	arming_ended = true
}

#ifdef REFUSED
/* A file that is attached for totals alone. */
active proctype Totals() {
	created;
	LOCK;
	if
	:: !in_set -> UNLOCK
	:: in_set ->
		get();
		UNLOCK;
		USE_RING;
		/* exit_ring_detach_totals() */
		LOCK;
		USE_RING;
		totals_read = dead;
		if
#ifdef REMOVE_LIVE
		:: refused -> remove()
#else
		:: orphaned && refused -> remove()
#endif
		:: else
		fi;
		put();
		UNLOCK
	fi;
	totals_ended = true
}
#endif

/* call_rcu(), kfree_rcu(): some time after the grace period */
#define FREE_BUF(b) \
	d_step { must_free[b] && !buf_used[b] -> must_free[b] = false; freed[b] = true }
#define FREE_FILE(f) \
	d_step { file_must_free[f] && !file_used[f] -> \
		 file_must_free[f] = false; file_freed[f] = true }

active proctype Rcu() {
end:	do
	:: FREE_BUF(1)
	:: FREE_BUF(2)
	:: FREE_BUF(3)
	:: FREE_BUF(4)
	:: FREE_BUF(5)
	:: FREE_FILE(1)
	:: FREE_FILE(2)
	od
}

#define GIVEN_BACK(b)	(b > last_buf || freed[b] || must_free[b] || (b == buf && orphaned))

active proctype End() {
	vcpu_ended && reader_ended && arming_ended && totals_ended;
	d_step {
#ifdef REFUSED
		assert(!refused || !armed || in_set || totals_read);
#endif
		assert(ring_freed || (in_set && dead && orphaned && armed && refs == 1));
		assert(!ring_freed || (!in_set && buf == 0));
		assert(GIVEN_BACK(1) && GIVEN_BACK(2) && GIVEN_BACK(3) && GIVEN_BACK(4) &&
		       GIVEN_BACK(5));
	}
}
