/* SPDX-License-Identifier: GPL-2.0-only */
/* reason_name.h - exit reasons by the names that tools print */
#ifndef EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_REASON_NAME_H
#define EXITSCOPE_COLLECTOR_SOURCE_TRACE_TEXT_REASON_NAME_H

#include <stdbool.h>
#include <stdint.h>

/*
 * reason_from_name - find an exit reason
 * @name: as the kernel prints it ("EPT_VIOLATION" on VMX, "npf" on SVM), as trace-cmd
 *	report does ("EXIT_NPF" on SVM), or a number
 * @isa: set to KVM_EXIT_ISA_*, unless it is a number
 *
 * Return false for a name that is not known.
 */
bool reason_from_name(const char *name, uint32_t *reason, uint32_t *isa);

#endif
