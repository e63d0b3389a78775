/* SPDX-License-Identifier: GPL-2.0-only */
/* version.h - the version that the collector prints and stores */
#ifndef EXITSCOPE_COLLECTOR_VERSION_H
#define EXITSCOPE_COLLECTOR_VERSION_H

#define COLLECTOR_VERSION "0.1"

#endif
