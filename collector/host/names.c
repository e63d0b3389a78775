// SPDX-License-Identifier: GPL-2.0-only
/*
 * names.c - names of VMs from /proc; see names.h
 *
 * A command line belongs to its process: it may be of any length, hold any bytes, and claim
 * anything. It is cut at COMMAND_BYTES, never executed, and shown only after names_clean().
 */
#include "collector/host/names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/host/names_text.h"
#include "collector/host/proc_file.h"

#define PATH_BYTES    512
#define COMMAND_BYTES (1 << 20) /* of a command line */
#define CGROUP_BYTES  8192
#define MOST_WORDS    4096
#define HEX_ID	      64 /* digits of a container's id */

/* The words of a command line. */
struct words {
	char *text;
	const char **word;
	int count;
};

static int read_words(const char *root, uint32_t tgid, struct words *words)
{
	char path[PATH_BYTES];
	ssize_t bytes;

	words->count = 0;
	words->word = malloc(MOST_WORDS * sizeof(*words->word) + COMMAND_BYTES);
	if (!words->word)
		return -ENOMEM;
	words->text = (char *)(words->word + MOST_WORDS);

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/cmdline", root, tgid);
	bytes = proc_file_read(path, words->text, COMMAND_BYTES);
	for (ssize_t at = 0; at < bytes && words->count < MOST_WORDS;) {
		words->word[words->count++] = words->text + at;
		at += (ssize_t)strlen(words->text + at) + 1;
	}
	return bytes < 0 ? (int)bytes : 0;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The value of option @name: "NAME VALUE" or "NAME=VALUE", the last one; NULL: not given. */
static const char *option_value(const struct words *words, const char *name)
{
	size_t length = strlen(name);
	const char *value = NULL;

	for (int i = 1; i < words->count; i++) {
		if (strncmp(words->word[i], name, length))
			continue;
		if (words->word[i][length] == '=')
			value = words->word[i] + length + 1;
		else if (!words->word[i][length] && i + 1 < words->count)
			value = words->word[++i];
	}
	return value;
}

/*
 * One field of a list "key=value,key=value", in which ",," is a comma. A first field without
 * key is @implied's. Returns whether it is there.
 */
static bool list_field(const char *list, const char *key, const char *implied, char *value,
		       size_t bytes)
{
	size_t key_length = strlen(key);
	bool is_found = false, is_first = true;

	while (*list) {
		const char *end = list;
		const char *text = NULL;
		size_t used = 0;

		while (*end && (*end != ',' || end[1] == ','))
			end += *end == ',' ? 2 : 1;

		if (!strncmp(list, key, key_length) && list[key_length] == '=')
			text = list + key_length + 1;
		else if (is_first && implied && !strcmp(implied, key) &&
			 !memchr(list, '=', (size_t)(end - list)))
			text = list;

		for (; text && text < end && used + 1 < bytes; text++) {
			value[used++] = *text;
			text += *text == ',';
		}
		if (text) {
			value[used] = '\0';
			is_found = true;
		}
		is_first = false;
		list = *end ? end + 1 : end;
	}
	return is_found;
}

#define UUID_BYTES 37 /* with the 0 at its end */

static bool is_uuid(const char *text)
{
	static const char form[UUID_BYTES] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

	for (size_t i = 0; i < sizeof(form); i++)
		if (form[i] == 'x' ? !isxdigit((unsigned char)text[i]) : text[i] != form[i])
			return false;
	return true;
}

static void set_uuid(struct store_identity *identity, const char *text)
{
	if (text && is_uuid(text))
		memcpy(identity->uuid, text, UUID_BYTES);
}

static void set_name(struct store_identity *identity, const char *source, const char *name)
{
	if (*identity->name || !name || !*name)
		return;
	names_clean(identity->name, sizeof(identity->name), name);
	snprintf(identity->name_source, sizeof(identity->name_source), "%s", source);
}

/* QEMU: -name [guest=]NAME,...; both -name and --name; so -uuid. */
static void read_qemu(const struct words *words, struct store_identity *identity)
{
	const char *name = option_value(words, "-name");
	const char *uuid = option_value(words, "-uuid");
	char value[1024];

	if (!name)
		name = option_value(words, "--name");
	if (!uuid)
		uuid = option_value(words, "--uuid");

	if (name && list_field(name, "guest", "guest", value, sizeof(value)))
		set_name(identity, "qemu", value);
	set_uuid(identity, uuid);
}

static void read_firecracker(const struct words *words, struct store_identity *identity)
{
	set_name(identity, "firecracker", option_value(words, "--id"));
}

/*
 * cloud-hypervisor has no names, but one API socket for each VM: its file's name, or
 * for Kata (.../vc/vm/ID/clh-api.sock) its folder's.
 */
static void read_cloud_hypervisor(const struct words *words, struct store_identity *identity)
{
	const char *socket = option_value(words, "--api-socket");
	const char *platform = option_value(words, "--platform");
	char path[1024], value[1024];
	char *end;

	if (platform && list_field(platform, "uuid", NULL, value, sizeof(value)))
		set_uuid(identity, value);
	if (!socket || !list_field(socket, "path", "path", path, sizeof(path)))
		return;

	if (!strcmp(base_name(path), "clh-api.sock") && strrchr(path, '/') != path)
		*strrchr(path, '/') = '\0';
	end = strrchr(path, '.');
	if (end && end > base_name(path) && !strcmp(end, ".sock"))
		*end = '\0';
	set_name(identity, "cloud-hypervisor", base_name(path));
}

static void read_crosvm(const struct words *words, struct store_identity *identity)
{
	set_name(identity, "crosvm", option_value(words, "--name"));
}

static void read_kvmtool(const struct words *words, struct store_identity *identity)
{
	set_name(identity, "kvmtool", option_value(words, "--name"));
}

/* By the name of the program's file. */
static const struct vmm {
	const char *program; /* fnmatch(3) */
	const char *name;
	void (*read)(const struct words *words, struct store_identity *identity);
	const char *thread; /* printf() of a vCPU's thread name; NULL: not by KVM's id */
} vmms[] = {
	{"qemu-system-*", "qemu", read_qemu, NULL},
	{"qemu-kvm", "qemu", read_qemu, NULL},
	{"kvm", "qemu", read_qemu, NULL},
	{"firecracker*", "firecracker", read_firecracker, "fc_vcpu %" PRIu32},
	{"cloud-hypervisor*", "cloud-hypervisor", read_cloud_hypervisor, NULL},
	{"crosvm", "crosvm", read_crosvm, "crosvm_vcpu%" PRIu32},
	{"lkvm*", "kvmtool", read_kvmtool, "kvm-vcpu-%" PRIu32},
	{"vm", "kvmtool", read_kvmtool, "kvm-vcpu-%" PRIu32},
};

static const struct vmm *find_vmm(const char *root, uint32_t tgid, const struct words *words)
{
	char path[PATH_BYTES], program[1024];
	ssize_t length;

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/exe", root, tgid);
	length = readlink(path, program, sizeof(program) - 1);
	if (length < 0 && !words->count)
		return NULL;
	if (length < 0)
		snprintf(program, sizeof(program), "%s", words->word[0]);
	else
		program[length] = '\0';

	/* A program that was updated while it runs: "/usr/bin/qemu-system-x86_64 (deleted)". */
	if (strstr(program, " (deleted)"))
		*strstr(program, " (deleted)") = '\0';

	for (size_t i = 0; i < sizeof(vmms) / sizeof(*vmms); i++)
		if (!fnmatch(vmms[i].program, base_name(program), 0))
			return &vmms[i];
	return NULL;
}

/* Whether libvirt runs this QEMU: /run/libvirt/qemu/NAME.pid holds its process id. */
static bool is_libvirt_domain(const char *root, uint32_t tgid, const char *name)
{
	char path[PATH_BYTES], text[32];

	if (!*name || strchr(name, '/'))
		return false;
	snprintf(path, sizeof(path), "%s/run/libvirt/qemu/%s.pid", root, name);
	return proc_file_read(path, text, sizeof(text)) > 0 && strtoul(text, NULL, 10) == tgid;
}

/* The last run of HEX_ID hex digits in @part: how container runtimes write an id. */
static const char *find_id(const char *part)
{
	size_t digits = 0;

	for (const char *p = part;; p++) {
		if (isxdigit((unsigned char)*p) && !isupper((unsigned char)*p)) {
			digits++;
			continue;
		}
		if (digits == HEX_ID)
			return p - HEX_ID;
		if (!*p)
			return NULL;
		digits = 0;
	}
}

/* systemd writes bytes of a name as \xNN (systemd.unit(5)). */
static void unescape(char *text)
{
	char *to = text;

	while (*text) {
		unsigned int byte;

		if (text[0] == '\\' && text[1] == 'x' && isxdigit((unsigned char)text[2]) &&
		    isxdigit((unsigned char)text[3]) && sscanf(text + 2, "%2x", &byte) == 1 &&
		    byte) {
			*to++ = (char)byte;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = '\0';
}

static bool has_suffix(const char *text, const char *suffix)
{
	size_t length = strlen(text), end = strlen(suffix);

	return length > end && !strcmp(text + length - end, suffix);
}

/* A unit that holds one thing; a login or a user's manager holds many. */
static bool names_one_thing(const char *unit)
{
	static const char *const many[] = {"session-*.scope", "user@*.service", "init.scope",
					   "run-*.scope",     "app-*.scope",	"vte-*.scope"};

	for (size_t i = 0; i < sizeof(many) / sizeof(*many); i++)
		if (!fnmatch(many[i], unit, 0))
			return false;
	return true;
}

/* One folder of a cgroup's path. */
static void read_cgroup_part(char *part, const char *parent, struct store_identity *identity)
{
	const char *id = find_id(part);

	if (id) {
		snprintf(identity->container, sizeof(identity->container), "%.*s", HEX_ID, id);
		return;
	}
	if (!strncmp(part, "lxc.payload.", 12))
		names_clean(identity->container, sizeof(identity->container), part + 12);
	else if (parent && (!strcmp(parent, "lxc") || !strcmp(parent, "lxd")))
		names_clean(identity->container, sizeof(identity->container), part);

	if (has_suffix(part, ".service") || has_suffix(part, ".scope")) {
		unescape(part);
		names_clean(identity->unit, sizeof(identity->unit), part);
	}
}

/* The unit and container of the cgroup: of version 2 ("0::PATH"), or systemd's of version 1. */
static void read_cgroup(const char *root, uint32_t tgid, struct store_identity *identity)
{
	char path[PATH_BYTES], text[CGROUP_BYTES];
	char *rest = NULL;

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/cgroup", root, tgid);
	if (proc_file_read(path, text, sizeof(text)) <= 0)
		return;

	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		char *folders = strchr(line, '/'), *next = NULL;
		const char *parent = NULL;

		if (!folders || (strncmp(line, "0::", 3) && !strstr(line, ":name=systemd:")))
			continue;
		for (char *part = strtok_r(folders, "/", &next); part;
		     part = strtok_r(NULL, "/", &next)) {
			read_cgroup_part(part, parent, identity);
			parent = part;
		}
	}
}

/* When the process began: field 22 of /proc/PID/stat, in clock ticks since the boot. */
static int64_t read_start(const char *root, uint32_t tgid)
{
	char path[PATH_BYTES], text[CGROUP_BYTES];
	unsigned long long ticks = 0, boot = 0;
	long hz = sysconf(_SC_CLK_TCK);
	const char *at;
	FILE *file;

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/stat", root, tgid);
	proc_file_read(path, text, sizeof(text));
	/* The process's name, in parentheses, may have blanks and parentheses of its own. */
	at = strrchr(text, ')');
	if (!at || sscanf(at + 1,
			  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d"
			  " %*d %*d %llu",
			  &ticks) != 1)
		return 0;

	snprintf(path, sizeof(path), "%s/proc/stat", root);
	file = fopen(path, "re");
	while (file && fgets(text, sizeof(text), file))
		if (sscanf(text, "btime %llu", &boot) == 1)
			break;
	if (file)
		fclose(file);

	if (!boot || boot > INT32_MAX * 4ULL || hz <= 0 || ticks / (unsigned long)hz > boot)
		return 0;
	return (int64_t)(boot * 1000000000 + ticks * (1000000000 / (unsigned long)hz));
}

/* A process that ends has given up its memory, and with it its program and command line. */
static bool has_program(const char *root, uint32_t tgid)
{
	char path[PATH_BYTES], program[1];

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/exe", root, tgid);
	return readlink(path, program, sizeof(program)) >= 0 || errno != ENOENT;
}

int names_read(const char *root, uint32_t tgid, struct store_identity *identity)
{
	char path[PATH_BYTES], comm[64];
	const struct vmm *vmm = NULL;
	struct words words;
	bool is_ending;
	int rc;

	memset(identity, 0, sizeof(*identity));
	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/comm", root, tgid);
	if (proc_file_read(path, comm, sizeof(comm)) < 0)
		return -ESRCH;
	comm[strcspn(comm, "\n")] = '\0';

	rc = read_words(root, tgid, &words);
	if (!rc)
		vmm = find_vmm(root, tgid, &words);
	if (vmm) {
		snprintf(identity->vmm, sizeof(identity->vmm), "%s", vmm->name);
		vmm->read(&words, identity);
	}
	is_ending = !words.count && !has_program(root, tgid);
	free(words.word);
	if (rc == -ENOMEM)
		return rc;

	read_cgroup(root, tgid, identity);
	identity->started_ns = read_start(root, tgid);
	if (*identity->name && is_libvirt_domain(root, tgid, identity->name))
		snprintf(identity->name_source, sizeof(identity->name_source), "libvirt");

	set_name(identity, "container", identity->container);
	if (names_one_thing(identity->unit))
		set_name(identity, "unit", identity->unit);
	set_name(identity, "comm", comm);
	return is_ending;
}

/* The tid that KVM's debugfs has for a vCPU: kvm/PID-FD/vcpuN/pid; 0: not known for certain. */
static uint32_t debugfs_tid(const char *root, uint32_t tgid, uint32_t vcpu_id)
{
	char path[PATH_BYTES + 300], prefix[32], text[32];
	uint32_t tid = 0;
	int vms = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/kernel/debug/kvm", root);
	snprintf(prefix, sizeof(prefix), "%" PRIu32 "-", tgid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)))
			continue;
		vms++;
		snprintf(path, sizeof(path), "%s/sys/kernel/debug/kvm/%s/vcpu%" PRIu32 "/pid", root,
			 entry->d_name, vcpu_id);
		if (proc_file_read(path, text, sizeof(text)) > 0)
			tid = (uint32_t)strtoul(text, NULL, 10);
	}
	if (dir)
		closedir(dir);
	return vms == 1 ? tid : 0;
}

static void read_thread_name(const char *root, uint32_t tgid, uint32_t tid, char *name,
			     size_t bytes)
{
	char path[PATH_BYTES], text[64];

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/task/%" PRIu32 "/comm", root, tgid, tid);
	proc_file_read(path, text, sizeof(text));
	text[strcspn(text, "\n")] = '\0';
	names_clean(name, bytes, text);
}

/* The only thread that is called @wanted; 0: none or several are. */
static uint32_t find_thread(const char *root, uint32_t tgid, const char *wanted)
{
	char path[PATH_BYTES], name[32];
	uint32_t found = 0;
	int count = 0;
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/proc/%" PRIu32 "/task", root, tgid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		uint32_t tid = (uint32_t)strtoul(entry->d_name, NULL, 10);

		if (!tid)
			continue;
		read_thread_name(root, tgid, tid, name, sizeof(name));
		if (!strcmp(name, wanted)) {
			found = tid;
			count++;
		}
	}
	if (dir)
		closedir(dir);
	return count == 1 ? found : 0;
}

void names_read_thread(const char *root, uint32_t tgid, uint32_t vcpu_id,
		       struct store_identity *identity)
{
	if (!identity->tid)
		identity->tid = debugfs_tid(root, tgid, vcpu_id);

	for (size_t i = 0; !identity->tid && i < sizeof(vmms) / sizeof(*vmms); i++) {
		char wanted[32];

		if (!vmms[i].thread || strcmp(vmms[i].name, identity->vmm))
			continue;
		snprintf(wanted, sizeof(wanted), vmms[i].thread, vcpu_id);
		identity->tid = find_thread(root, tgid, wanted);
		break;
	}
	if (identity->tid)
		read_thread_name(root, tgid, identity->tid, identity->thread,
				 sizeof(identity->thread));
}

bool names_match(const char *list, const char *name)
{
	char pattern[256];

	while (*list) {
		size_t length = strcspn(list, ",");

		snprintf(pattern, sizeof(pattern), "%.*s", (int)length, list);
		if (length < sizeof(pattern) && !fnmatch(pattern, name, 0))
			return true;
		list += length + (list[length] == ',');
	}
	return false;
}

bool names_match_process(const char *root, uint32_t tgid, const char *list)
{
	struct store_identity identity;
	char number[16];

	snprintf(number, sizeof(number), "%" PRIu32, tgid);
	if (names_match(list, number))
		return true;
	return names_read(root, tgid, &identity) >= 0 &&
	       (names_match(list, identity.name) ||
		(*identity.uuid && names_match(list, identity.uuid)));
}
