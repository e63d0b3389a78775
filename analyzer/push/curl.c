// SPDX-License-Identifier: GPL-2.0-only
/*
 * curl.c - libcurl, loaded when it is needed; see curl.h
 */
#include "analyzer/push/curl.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

static struct curl_library library;

/* Where the address of each function belongs. */
static const struct {
	const char *name;
	void *at;
} functions[] = {
	{"curl_global_init", &library.global_init},
	{"curl_easy_init", &library.easy_init},
	{"curl_easy_setopt", &library.easy_setopt},
	{"curl_easy_perform", &library.easy_perform},
	{"curl_easy_getinfo", &library.easy_getinfo},
	{"curl_easy_cleanup", &library.easy_cleanup},
	{"curl_slist_append", &library.slist_append},
	{"curl_slist_free_all", &library.slist_free_all},
};

static bool find_functions(void *handle)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		void *address = dlsym(handle, functions[i].name);

		if (!address)
			return false;
		*(void **)functions[i].at = address;
	}
	return true;
}

const struct curl_library *curl_load(void)
{
	static const char *const names[] = {"libcurl-gnutls.so.4", "libcurl.so.4",
					    "libcurl-nss.so.4"};
	static bool loaded;

	for (size_t i = 0; !loaded && i < sizeof(names) / sizeof(*names); i++) {
		void *handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

		loaded = handle && find_functions(handle) &&
			 !library.global_init(CURL_GLOBAL_DEFAULT);
	}
	return loaded ? &library : NULL;
}
