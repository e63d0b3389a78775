/* SPDX-License-Identifier: GPL-2.0-only */
/* measure_clock.h - measures the line of clock.h: the TSC over CLOCK_MONOTONIC */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_BPF_MEASURE_CLOCK_H
#define EXITSCOPE_COLLECTOR_SOURCE_BPF_MEASURE_CLOCK_H

#include <stdint.h>

#include "collector/source/bpf/kernel/clock.h"

/* CLOCK_MONOTONIC and the TSC of this moment, where a line may begin; its mult is 0. */
struct bpf_clock_line measure_moment(void);

/* The line through @first and this moment, going on from this moment: programs use it now. */
void measure_clock(const struct bpf_clock_line *first, struct bpf_clock *clock);

/* The TSC's frequency from @first on; waits until that is long enough to be measured. */
uint32_t measure_khz(const struct bpf_clock_line *first);

#endif
