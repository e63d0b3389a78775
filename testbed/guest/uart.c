// SPDX-License-Identifier: GPL-2.0-only
/* uart.c - the registers and the interrupt of the serial port */
#include "testbed/guest/uart.h"

#include <linux/serial_reg.h>

static void update_irq(struct uart *uart)
{
	bool level = (uart->registers[UART_IER] & UART_IER_THRI) && uart->empty_pending;

	if (level != uart->irq)
		uart->set_irq(level, uart->context);
	uart->irq = level;
}

void uart_write(struct uart *uart, uint16_t port, uint8_t value)
{
	unsigned int offset = port - UART_PORT;

	if (offset < 2 && (uart->registers[UART_LCR] & UART_LCR_DLAB)) {
		uart->divisor[offset] = value;
		return;
	}

	if (offset == UART_TX) {
		uart->put((char)value, uart->context);
		uart->empty_pending = false;
		update_irq(uart);
		uart->empty_pending = true; /* sent at once */
	} else if (offset == UART_IER) {
		uart->empty_pending |= (value & ~uart->registers[UART_IER] & UART_IER_THRI) != 0;
		uart->registers[UART_IER] = value & 0xf;
	} else if (offset != UART_LSR && offset != UART_MSR) {
		uart->registers[offset] = value;
	}

	update_irq(uart);
}

/* The interrupt's cause; reading it takes the cause away. */
static uint8_t read_iir(struct uart *uart)
{
	uint8_t fifo = uart->registers[UART_FCR] & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;
	uint8_t cause = uart->irq ? UART_IIR_THRI : UART_IIR_NO_INT;

	if (uart->irq) {
		uart->empty_pending = false;
		update_irq(uart);
	}
	return fifo | cause;
}

uint8_t uart_read(struct uart *uart, uint16_t port)
{
	unsigned int offset = port - UART_PORT;

	if (offset < 2 && (uart->registers[UART_LCR] & UART_LCR_DLAB))
		return uart->divisor[offset];

	switch (offset) {
	case UART_RX:
		return 0;
	case UART_IIR:
		return read_iir(uart);
	case UART_LSR:
		return UART_LSR_TEMT | UART_LSR_THRE;
	case UART_MSR:
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	}
	return uart->registers[offset];
}
