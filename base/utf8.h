/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * utf8.h - how long a UTF-8 character is
 */
#ifndef EXITSCOPE_BASE_UTF8_H
#define EXITSCOPE_BASE_UTF8_H

/* Bytes of the character at @s, which ends with NUL; 0: what stands there is none. */
static inline int utf8_length(const unsigned char *s)
{
	int length = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	for (int i = 1; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	/* Overlong forms, surrogates and what is above U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] >= 0xa0) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] >= 0x90))
		return 0;
	return length;
}

#endif
