// SPDX-License-Identifier: GPL-2.0-only
/*
 * no_host_time.c - LD_PRELOAD for Bochs 2.7: nothing in the machine depends on the host's time
 *
 * Bochs takes RDRAND and RDSEED from rand(), and seeds it with time() when it makes a CPU: Linux
 * shuffles its free lists by them. And the period of one of its timers follows gettimeofday(), also
 * where nothing needs that timer (sync=none, realtime=0): an interrupt of L1 then came one
 * instruction sooner or later.
 */
#include <stdlib.h>
#include <sys/time.h>

/* Instead of the C library's: any seed is as if it were 1. */
void srand(unsigned int seed)
{
	(void)seed;
	srandom(1); /* rand() in glibc is random() */
}

/* Instead of the C library's: the host's clock stands still. */
int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
	(void)zone;
	*time = (struct timeval){0};
	return 0;
}
