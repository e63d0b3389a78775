/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * metrics.h - pieces of the text format of Prometheus 0.0.4
 *
 *	# HELP kvm_exits_total VM exits.
 *	# TYPE kvm_exits_total counter
 *	kvm_exits_total{vm="web-1",reason="HLT"} 12
 */
#ifndef EXITSCOPE_BASE_METRICS_H
#define EXITSCOPE_BASE_METRICS_H

#include <stdio.h>

/* What an answer over HTTP says that it is. */
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/*
 * Write the two lines above the samples of a family. @name: of its samples; of a histogram without
 * _bucket, _sum and _count. @type: counter, gauge or histogram. @help: one line without \.
 */
void metrics_put_family(FILE *file, const char *name, const char *type, const char *help);

/*
 * Write a label's value with its quotes: backslash, quote and line feed escaped; what is not UTF-8
 * becomes U+FFFD.
 */
void metrics_put_value(FILE *file, const char *text);

#endif
