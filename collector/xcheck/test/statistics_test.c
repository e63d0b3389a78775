// SPDX-License-Identifier: GPL-2.0-only
/*
 * statistics_test.c - which vCPUs the totals are of that KVM's statistics of a VM are compared with
 *
 * KVM's statistics are a mock: files in debugfs are to be had only where VMs run.
 */
#include <errno.h>
#include <stdlib.h>

#include "collector/source/source.h"
#include "collector/xcheck/internal.h"
#include "collector/xcheck/xcheck.h"
#include "kvm/test/common/check.h"

#define EXITS_EACH 100

struct kvmstat {
	int rings;
};

static struct source source;
static bool is_abandoned;

int kvmstat_check(void)
{
	return 0;
}

int kvmstat_open(struct kvmstat **stat, uint32_t tgid)
{
	(void)tgid;
	*stat = calloc(1, sizeof(**stat));
	return *stat ? 0 : -ENOMEM;
}

int kvmstat_add_ring(struct kvmstat *stat, uint64_t ring_id)
{
	(void)ring_id;
	stat->rings++;
	return 0;
}

bool kvmstat_is_of_another(const struct kvmstat *stat)
{
	(void)stat;
	return false;
}

bool kvmstat_abandoned(const struct kvmstat *stat)
{
	(void)stat;
	return is_abandoned;
}

int kvmstat_read(struct kvmstat *stat, struct kvmstat_result *result)
{
	result->low = result->high = (uint64_t)stat->rings * EXITS_EACH;
	result->bounded = true;
	return 0;
}

void kvmstat_close(struct kvmstat *stat)
{
	free(stat);
}

static void vcpu_appears(struct xcheck *xcheck, int vcpu)
{
	struct source_item item = {.kind = SOURCE_VCPU, .vcpu = vcpu};

	item.info.vm_id = 1;
	item.info.tgid = 1;
	item.info.vcpu_id = (uint32_t)vcpu;
	item.info.ring_id = (uint64_t)vcpu + 1;
	CHECK(!xcheck_item(xcheck, &source, &item));
}

static struct xcheck *vm_of_one_vcpu(void)
{
	struct xcheck *xcheck = calloc(1, sizeof(*xcheck));

	CHECK(xcheck);
	xcheck->has_kvmstat = true;
	is_abandoned = false;
	vcpu_appears(xcheck, 0);
	return xcheck;
}

/* All vCPUs are known when the VM's process ends. */
static void test_all_known(void)
{
	struct xcheck *xcheck = vm_of_one_vcpu();

	vcpu_appears(xcheck, 1);
	is_abandoned = true;
	CHECK(!xcheck_run(xcheck));
	CHECK(xcheck->vms[0].read && xcheck->vms[0].result.bounded);
	CHECK(xcheck->vms[0].result.low == 2 * EXITS_EACH);
	xcheck_close(xcheck);
}

/* A collector that stood still finds the second one only when the first one's VM has been read. */
static void test_found_after(void)
{
	struct xcheck *xcheck = vm_of_one_vcpu();

	is_abandoned = true;
	CHECK(!xcheck_run(xcheck));
	CHECK(xcheck->vms[0].read && xcheck->vms[0].result.bounded);
	vcpu_appears(xcheck, 1);
	CHECK(xcheck->vms[0].read && !xcheck->vms[0].result.bounded);
	xcheck_close(xcheck);
}

int main(void)
{
	test_all_known();
	test_found_after();
	return 0;
}
