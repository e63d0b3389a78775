/* SPDX-License-Identifier: GPL-2.0-only */
/* dat_header.h - all of a trace.dat file but its pages; for dat_file.c */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_HEADER_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_DAT_DAT_HEADER_H

#include "collector/source/trace/dat/dat_file.h"

/* Read the headers of a mapped file. -EBADMSG; -ENOTSUP: another version, big endian. */
int dat_header_read(struct dat_file *file);

#endif
