/* SPDX-License-Identifier: GPL-2.0-only */
/* check.h - ends a test at the first claim that is not true, and says which */
#ifndef KVM_TEST_COMMON_CHECK_H
#define KVM_TEST_COMMON_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(c)                                                                                   \
	do {                                                                                       \
		if (!(c)) {                                                                        \
			fprintf(stderr, "%s:%d: not true: %s\n", __FILE__, __LINE__, #c);          \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

#endif
