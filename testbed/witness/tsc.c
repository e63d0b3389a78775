// SPDX-License-Identifier: GPL-2.0-only
/* tsc.c - prints the TSC in cycles, so that a test can find its own time in the witness's file */
#include <stdio.h>
#include <x86intrin.h>

int main(void)
{
	printf("%llu\n", __rdtsc());
	return 0;
}
