/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * curl.h - libcurl, loaded when it is needed
 *
 * Linked in the usual way it would cost every command of the analyzer five times the CPU time of
 * its start, as it brings 30 libraries with it. Any of its flavours will do; GnuTLS is first, whose
 * licence is one with ours.
 */
#ifndef EXITSCOPE_ANALYZER_PUSH_CURL_H
#define EXITSCOPE_ANALYZER_PUSH_CURL_H

#include <curl/curl.h>

/* The functions that are used, by their names without "curl_". */
struct curl_library {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_init)(void);
	CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
	CURLcode (*easy_perform)(CURL *curl);
	CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
	void (*easy_cleanup)(CURL *curl);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};

/* Loads it, once. NULL: it is not installed, or too old. */
const struct curl_library *curl_load(void);

#endif
