// SPDX-License-Identifier: GPL-2.0-only
/* guest_exit.c - inside the L2 guest: ends the machine with the given status */
#include <stdio.h>
#include <stdlib.h>
#include <sys/io.h>
#include <termios.h>
#include <unistd.h>

#include "testbed/guest/vmm_port.h"

int main(int argc, char **argv)
{
	if (iopl(3)) {
		perror("guest_exit: iopl");
		return 1;
	}

	tcdrain(STDOUT_FILENO); /* the console's last characters */
	outb(argc > 1 ? (unsigned char)atoi(argv[1]) : 0, VMM_EXIT_PORT);

	for (;;)
		pause();
}
