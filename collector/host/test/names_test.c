// SPDX-License-Identifier: GPL-2.0-only
/* names_test.c - names of VMs from made-up /proc folders, also of processes that mean harm */
#include "collector/host/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collector/host/test/made_root.h"
#include "kvm/test/common/check.h"

#define PID 4711

static struct store_identity found;

/* A process: its program, and its command line with '|' between the words. */
static void make_process(const char *program, const char *command)
{
	char full[8192], *words = strdup(command);
	size_t bytes = strlen(command) + 1;

	put("/proc/4711/comm", "a comm\n");
	put("/proc/4711/cgroup", "0::/user.slice/user-0.slice/session-3.scope\n");
	put("/proc/stat", "cpu 1 2 3\nbtime 1700000000\n");
	put("/proc/4711/stat",
	    "4711 (a) b (c) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 12345 1 1\n");
	for (char *bar = words; (bar = strchr(bar, '|')); bar++)
		*bar = '\0';
	put_bytes("/proc/4711/cmdline", words, bytes);
	free(words);

	snprintf(full, sizeof(full), "%s/proc/4711/exe", root);
	unlink(full);
	CHECK(!symlink(program, full));
}

/* What is left of a process that ends. */
static void remove_program(void)
{
	char full[8192];

	snprintf(full, sizeof(full), "%s/proc/4711/exe", root);
	CHECK(!unlink(full));
}

static void expect_name(const char *name, const char *source)
{
	CHECK(!names_read(root, PID, &found));
	if (!strcmp(found.name, name) && !strcmp(found.name_source, source))
		return;
	fprintf(stderr, "'%s' by %s; not '%s' by %s\n", found.name, found.name_source, name,
		source);
	exit(1);
}

static void test_qemu(void)
{
	make_process(
		"/usr/bin/qemu-system-x86_64 (deleted)",
		"qemu|-name|guest=web-1,debug-threads=on|-m|4096|-uuid|c7a5fdbd-edaf-9455-926a-d65c16db1809");
	expect_name("web-1", "qemu");
	CHECK(!strcmp(found.vmm, "qemu"));
	CHECK(!strcmp(found.uuid, "c7a5fdbd-edaf-9455-926a-d65c16db1809"));
	CHECK(found.started_ns == 1700000123450000000);

	make_process("/usr/bin/qemu-system-x86_64", "qemu|--name|debug-threads=on,guest=a,,b");
	expect_name("a,b", "qemu");
	CHECK(!*found.uuid);
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|plain|-uuid|not-a-uuid");
	expect_name("plain", "qemu");
	CHECK(!*found.uuid);
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|debug-threads=on");
	expect_name("a comm", "comm");
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-m|1|-name");
	expect_name("a comm", "comm");
}

static void test_libvirt(void)
{
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|guest=db,debug-threads=on");
	put("/run/libvirt/qemu/db.pid", "4712\n");
	expect_name("db", "qemu");
	put("/run/libvirt/qemu/db.pid", "4711\n");
	put("/proc/4711/cgroup", "0::/machine.slice/machine-qemu\\x2d1\\x2ddb.scope/libvirt\n");
	expect_name("db", "libvirt");
	CHECK(!strcmp(found.unit, "machine-qemu-1-db.scope"));
}

static void test_others(void)
{
	make_process("/usr/bin/firecracker-v1.7.0", "firecracker|--api-sock|/x|--id|fc-9");
	expect_name("fc-9", "firecracker");
	make_process("/usr/bin/firecracker", "firecracker|--id=fc-10");
	expect_name("fc-10", "firecracker");
	make_process(
		"/usr/bin/cloud-hypervisor",
		"ch|--platform|serial_number=1,uuid=c7a5fdbd-edaf-9455-926a-d65c16db1809|--api-socket|path=/run/ch/web.sock");
	expect_name("web", "cloud-hypervisor");
	CHECK(*found.uuid);
	make_process("/usr/bin/cloud-hypervisor", "ch|--api-socket|/run/vc/vm/abc/clh-api.sock");
	expect_name("abc", "cloud-hypervisor");
	make_process("/usr/bin/crosvm", "crosvm|run|--name|arc");
	expect_name("arc", "crosvm");
	make_process("/usr/bin/lkvm-static", "lkvm|run|--name|t1");
	expect_name("t1", "kvmtool");

	/* Not a VMM: what looks like an option says nothing. */
	make_process("/usr/bin/exit_loop", "exit_loop|-name|guest=x|--id|y");
	expect_name("a comm", "comm");
	CHECK(!*found.vmm);
}

static void test_cgroup(void)
{
	make_process("/usr/bin/myvmm", "myvmm");
	put("/proc/4711/cgroup", "0::/system.slice/web.service\n");
	expect_name("web.service", "unit");
	put("/proc/4711/cgroup",
	    "12:cpu:/else.service\n1:name=systemd:/kubepods.slice/cri-containerd-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.scope\n");
	expect_name("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		    "container");
	put("/proc/4711/cgroup", "0::/lxc.payload.box/init.scope\n");
	expect_name("box", "container");
	put("/proc/4711/cgroup", "0::/user.slice/user-1000.slice/user@1000.service\n");
	expect_name("a comm", "comm");
}

/* What a process may do to its own command line. */
static void test_hostile(void)
{
	size_t length = 3 << 20;
	char *huge = malloc(length);

	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|guest=\033]0;x\a\x9b\xc2\x9b\n");
	expect_name("?]0;x????", "qemu");
	/* U+202E right-to-left override, U+200B zero width space, half a character. */
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|a\xe2\x80\xae"
						    "b\xe2\x80\x8b\xe6\x97\xa5\xe6");
	expect_name("a?b?\xe6\x97\xa5?", "qemu");

	/* A name that does not fit ends before a character, not within one. */
	CHECK(huge);
	memset(huge, 'a', 126);
	memcpy(huge + 126, "\xe6\x97\xa5", 4);
	make_process("/usr/bin/qemu-system-x86_64", "qemu");
	put_bytes("/proc/4711/cmdline", "qemu\0-name\0", 11);
	{
		char line[256];
		int n = snprintf(line, sizeof(line), "qemu%c-name%c%s", 0, 0, huge);

		put_bytes("/proc/4711/cmdline", line, (size_t)n + 1);
	}
	CHECK(!names_read(root, PID, &found));
	CHECK(strlen(found.name) == 126);

	/* A command line without end, words without number, nothing at all. */
	memset(huge, 'x', length);
	put_bytes("/proc/4711/cmdline", huge, length);
	expect_name("a comm", "comm");
	memset(huge, 0, length);
	put_bytes("/proc/4711/cmdline", huge, length);
	expect_name("a comm", "comm");
	put("/proc/4711/cmdline", "");
	expect_name("a comm", "comm");
	remove_program();
	CHECK(names_read(root, PID, &found) == 1 && !strcmp(found.name, "a comm"));
	make_process("/usr/bin/qemu-system-x86_64", "qemu");
	put("/proc/4711/stat", "4711 (x) S 1");
	CHECK(!names_read(root, PID, &found) && !found.started_ns);
	free(huge);

	CHECK(names_read(root, 4712, &found) == -ESRCH);
}

static void test_threads(void)
{
	make_process("/usr/bin/firecracker", "firecracker|--id|fc");
	put("/proc/4711/task/4720/comm", "fc_vcpu 0\n");
	put("/proc/4711/task/4721/comm", "fc_vcpu 1\n");
	put("/proc/4711/task/4722/comm", "fc_vcpu 10\n");
	CHECK(!names_read(root, PID, &found));
	names_read_thread(root, PID, 1, &found);
	CHECK(found.tid == 4721 && !strcmp(found.thread, "fc_vcpu 1"));

	/* Two of that name: none of them. */
	put("/proc/4711/task/4723/comm", "fc_vcpu 1\n");
	CHECK(!names_read(root, PID, &found));
	names_read_thread(root, PID, 1, &found);
	CHECK(!found.tid);

	/* QEMU's numbers are not KVM's ids; KVM's debugfs has those. */
	make_process("/usr/bin/qemu-system-x86_64", "qemu|-name|web");
	put("/proc/4711/task/4724/comm", "CPU 4/KVM\n");
	CHECK(!names_read(root, PID, &found));
	names_read_thread(root, PID, 4, &found);
	CHECK(!found.tid);
	put("/sys/kernel/debug/kvm/4711-12/vcpu8/pid", "4724\n");
	names_read_thread(root, PID, 8, &found);
	CHECK(found.tid == 4724 && !strcmp(found.thread, "CPU 4/KVM"));

	/* A process with two VMs has two vCPUs of that id. */
	put("/sys/kernel/debug/kvm/4711-13/vcpu8/pid", "4725\n");
	CHECK(!names_read(root, PID, &found));
	names_read_thread(root, PID, 8, &found);
	CHECK(!found.tid);
}

static void test_match(void)
{
	CHECK(names_match("web-*", "web-1") && !names_match("web-*", "db"));
	CHECK(names_match("db,web-?", "web-1") && !names_match("", "web-1"));
	make_process("/usr/bin/qemu-system-x86_64",
		     "qemu|-name|web-1|-uuid|c7a5fdbd-edaf-9455-926a-d65c16db1809");
	CHECK(names_match_process(root, PID, "web-1"));
	CHECK(names_match_process(root, PID, "4711"));
	CHECK(names_match_process(root, PID, "c7a5fdbd-*"));
	CHECK(!names_match_process(root, PID, "web"));
}

static void link_namespace(const char *process, const char *target)
{
	char path[8192];

	snprintf(path, sizeof(path), "%s/proc/%s/ns/pid", root, process);
	unlink(path);
	if (target)
		CHECK(!symlink(target, path));
}

/* Process 1 says whose numbers they are; another user may not ask it, but may ask itself. */
static void test_namespace(void)
{
	static const char initial[] = "pid:[4026531836]", other[] = "pid:[4026532175]";

	CHECK(names_have_host_ids(root));
	put("/proc/1/ns/x", "");
	put("/proc/self/ns/x", "");
	CHECK(names_have_host_ids(root));

	link_namespace("self", other);
	CHECK(!names_have_host_ids(root));
	link_namespace("1", initial);
	CHECK(names_have_host_ids(root));
	link_namespace("1", other);
	CHECK(!names_have_host_ids(root));
	link_namespace("self", initial);
	CHECK(!names_have_host_ids(root));
	link_namespace("1", NULL);
	CHECK(names_have_host_ids(root));
}

int main(void)
{
	make_root();

	test_qemu();
	test_libvirt();
	test_others();
	test_cgroup();
	test_hostile();
	test_threads();
	test_match();
	test_namespace();
	puts("ok");
	return 0;
}
