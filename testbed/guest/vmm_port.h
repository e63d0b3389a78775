/* SPDX-License-Identifier: GPL-2.0-only */
/* vmm_port.h - what vmm and programs inside its guest agree on */
#ifndef TESTBED_GUEST_VMM_PORT_H
#define TESTBED_GUEST_VMM_PORT_H

#define VMM_EXIT_PORT 0xf4 /* OUT of a byte ends the machine; the byte is vmm's exit status */

#endif
