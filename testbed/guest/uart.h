/* SPDX-License-Identifier: GPL-2.0-only */
/* uart.h - a 16550A serial port that only sends, at the PC's COM1 (ports 0x3f8 to 0x3ff, IRQ 4) */
#ifndef TESTBED_GUEST_UART_H
#define TESTBED_GUEST_UART_H

#include <stdbool.h>
#include <stdint.h>

#define UART_PORT 0x3f8
#define UART_IRQ  4

/*
 * struct uart - zero-initialized except for the two callbacks
 * @put:	gets each character that the guest sends
 * @set_irq:	sets the interrupt line
 */
struct uart {
	void (*put)(char c, void *context);
	void (*set_irq)(bool level, void *context);
	void *context;
	uint8_t registers[8];
	uint8_t divisor[2];
	bool empty_pending; /* "transmitter holding register empty" not yet reported */
	bool irq;
};

static inline bool uart_owns(uint16_t port)
{
	return port >= UART_PORT && port < UART_PORT + 8;
}

void uart_write(struct uart *uart, uint16_t port, uint8_t value);
uint8_t uart_read(struct uart *uart, uint16_t port);

#endif
