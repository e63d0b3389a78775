/* SPDX-License-Identifier: GPL-2.0-only */
/* version.h - the version that the collector prints and stores */
#ifndef EXITSCOPE_COLLECTOR_HOST_VERSION_H
#define EXITSCOPE_COLLECTOR_HOST_VERSION_H

#include "exitscope_version.h"

#define COLLECTOR_VERSION EXITSCOPE_VERSION

#endif
