// SPDX-License-Identifier: GPL-2.0-only
/* in_qemu.c - what the libraries inside QEMU share: its exported functions and variables */
#include "testbed/emulator/in_qemu.h"

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

bool in_qemu(void)
{
	return dlsym(RTLD_DEFAULT, "qemu_get_cpu");
}

void *qemu_symbol(const char *library, const char *name)
{
	void *found = dlsym(RTLD_DEFAULT, name);

	if (!found) {
		fprintf(stderr, "%s: %s: this QEMU has no such symbol (QEMU 7.2 has)\n", library,
			name);
		_exit(1);
	}
	return found;
}

void *qemu_symbol_renamed(const char *library, const char *name, const char *newer_name)
{
	void *found = dlsym(RTLD_DEFAULT, newer_name);

	return found ? found : qemu_symbol(library, name);
}
