/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * hypercalls.h - whose hypercalls a recording has: KVM's and Xen's are known by RAX, Hyper-V's not
 */
#ifndef EXITSCOPE_ANALYZER_QUERY_GUEST_HYPERCALLS_H
#define EXITSCOPE_ANALYZER_QUERY_GUEST_HYPERCALLS_H

#include "analyzer/query/app.h"

#define HYPERCALLS_ANY_VM (-1)

/**
 * hypercalls_may_be_hyperv - whether a VM of app->run uses Hyper-V's interface
 * @vm: vm.id; HYPERCALLS_ANY_VM: any that passes --vm and --vcpu
 *
 * Such a guest has to write HV_X64_MSR_HYPERCALL before its first hypercall, and uses others of
 * Hyper-V's MSRs (TLFS, appendix F), whose exits are looked for in the whole run at the first call.
 * KVM then takes each hypercall for one of Hyper-V's (kvm_hv_hypercall_enabled()): its code is in
 * RCX, or of a 32-bit guest in EAX. Where the run began after the guest's start and no such
 * MSR exits any more, nothing shows it. Return: true, too, if the rows can't be read.
 */
bool hypercalls_may_be_hyperv(struct app *app, int64_t vm);

#endif
