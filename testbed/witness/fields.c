// SPDX-License-Identifier: GPL-2.0-only
/*
 * fields.c - what a record says of its exit, field by field
 *
 * The keys are worked out again here, from the CPU's qualification, exit information and
 * registers, by the tables of the SDM and the APM and not by KVM's code.
 */
#include "kvm/uapi/kvm_exit_ring.h"
#include "testbed/witness/judge.h"

#define EVENT_VALID	 (1U << 31) /* of interruption information and of EXITINTINFO */
#define EVENT_HAS_ERROR	 (1U << 11)
#define EVENT_VECTOR(e)	 ((e)&0xffU)
#define REFUSED_ENTRY	 (1U << 31) /* of the exit reason, VMX */
#define REGISTER_32(key) ((key)&0xffffffffU)

/* Basic exit reasons, SDM vol. 3, appendix C */
enum {
	VMX_EXCEPTION = 0,
	VMX_EXTERNAL_INTERRUPT = 1,
	VMX_CPUID = 10,
	VMX_VMCALL = 18,
	VMX_CR_ACCESS = 28,
	VMX_DR_ACCESS = 29,
	VMX_IO = 30,
	VMX_RDMSR = 31,
	VMX_WRMSR = 32,
	VMX_EPT_VIOLATION = 48,
	VMX_EPT_MISCONFIGURATION = 49,
};

/* Exit codes, APM vol. 2, appendix C */
enum {
	SVM_READ_CR = 0x00,
	SVM_WRITE_CR = 0x10,
	SVM_READ_DR = 0x20,
	SVM_WRITE_DR = 0x30,
	SVM_EXCEPTION = 0x40,
	SVM_EXCEPTION_LAST = 0x5f,
	SVM_CPUID = 0x72,
	SVM_IO = 0x7b,
	SVM_MSR = 0x7c,
	SVM_VMMCALL = 0x81,
	SVM_NPF = 0x400,
};

/* The key that an exit has by the CPU's own account. */
struct key {
	bool is_valid;
	bool is_register; /* only bits 31:0 are known */
	uint64_t key;
	uint64_t aux;
};

static struct key make_key(uint64_t key, uint64_t aux)
{
	return (struct key){.is_valid = true, .key = key, .aux = aux};
}

static struct key register_key(uint64_t key)
{
	return (struct key){.is_valid = true, .is_register = true, .key = key};
}

static uint64_t bits(uint64_t value, unsigned int low, unsigned int count)
{
	return value >> low & ((1ULL << count) - 1);
}

/* Qualification of an I/O instruction: size - 1 in 2:0, IN 3, string 4, REP 5, port 31:16 */
static struct key vmx_io_key(uint64_t info)
{
	uint64_t aux = bits(info, 0, 3) + 1;

	if (bits(info, 3, 1))
		aux |= KVM_EXIT_KEY_IO_IN;
	if (bits(info, 4, 1))
		aux |= KVM_EXIT_KEY_IO_STRING;
	if (bits(info, 5, 1))
		aux |= KVM_EXIT_KEY_IO_REP;
	return make_key(bits(info, 16, 16), aux);
}

static struct key vmx_key(const struct witness_exit *exit)
{
	if (exit->reason & REFUSED_ENTRY)
		return (struct key){0};

	switch (exit->reason & 0xffff) {
	case VMX_EXCEPTION:
	case VMX_EXTERNAL_INTERRUPT:
		if (!(exit->intr_info & EVENT_VALID))
			return (struct key){0};
		return make_key(EVENT_VECTOR(exit->intr_info), 0);

	/* instructions: what they are about is in registers or in the qualification */
	case VMX_CPUID:
		return make_key(exit->eax, exit->ecx);
	case VMX_VMCALL:
		return register_key(exit->eax);
	case VMX_CR_ACCESS:
		return make_key(bits(exit->info1, 0, 4), bits(exit->info1, 4, 2));
	case VMX_DR_ACCESS:
		return make_key(bits(exit->info1, 0, 3), bits(exit->info1, 4, 1));
	case VMX_IO:
		return vmx_io_key(exit->info1);
	case VMX_RDMSR:
		return make_key(exit->ecx, 0);
	case VMX_WRMSR:
		return make_key(exit->ecx, 1);

	/* memory: the qualification has the kind of access in bits 2:0 */
	case VMX_EPT_VIOLATION:
		return make_key(exit->gpa, bits(exit->info1, 0, 3));
	case VMX_EPT_MISCONFIGURATION:
		return make_key(exit->gpa, 0);

	default:
		return (struct key){0};
	}
}

/* EXITINFO1 of IOIO: IN 0, string 2, REP 3, size 6:4, port 31:16 */
static struct key svm_io_key(uint64_t info)
{
	uint64_t aux = bits(info, 4, 3);

	if (bits(info, 0, 1))
		aux |= KVM_EXIT_KEY_IO_IN;
	if (bits(info, 2, 1))
		aux |= KVM_EXIT_KEY_IO_STRING;
	if (bits(info, 3, 1))
		aux |= KVM_EXIT_KEY_IO_REP;
	return make_key(bits(info, 16, 16), aux);
}

/* EXITINFO1 of a nested page fault is a page fault's error code: write 1, fetch 4 */
static struct key svm_npf_key(const struct witness_exit *exit)
{
	uint64_t access = KVM_EXIT_ACCESS_READ;

	if (bits(exit->info1, 4, 1))
		access = KVM_EXIT_ACCESS_EXEC;
	else if (bits(exit->info1, 1, 1))
		access = KVM_EXIT_ACCESS_WRITE;
	return make_key(exit->info2, access);
}

static struct key svm_key(const struct witness_exit *exit)
{
	uint32_t code = exit->reason;

	if (code < SVM_EXCEPTION) /* CRs and DRs: 16 numbers to read, 16 to write */
		return make_key(code & 0xf, !(code & SVM_WRITE_CR));
	if (code <= SVM_EXCEPTION_LAST)
		return make_key(code - SVM_EXCEPTION, 0);

	switch (code) {
	case SVM_CPUID:
		return make_key(exit->eax, exit->ecx);
	case SVM_IO:
		return svm_io_key(exit->info1);
	case SVM_MSR:
		return make_key(exit->ecx, exit->info1);
	case SVM_VMMCALL:
		return register_key(exit->eax);
	case SVM_NPF:
		return svm_npf_key(exit);
	default:
		return (struct key){0};
	}
}

static void compare(struct judgement *judgement, const struct record *record, enum fault fault,
		    uint64_t recorded, uint64_t cpu)
{
	judgement->verdict.fields++;
	if (recorded == cpu)
		return;

	verdict_add(&judgement->verdict, fault,
		    RECORD_FORMAT " reason %#x: record %#llx, CPU %#llx",
		    RECORD_VALUES(judgement, record), record->reason, (unsigned long long)recorded,
		    (unsigned long long)cpu);
}

static void compare_event(struct judgement *judgement, const struct record *record,
			  const struct witness_exit *exit)
{
	bool is_valid = exit->intr_info & EVENT_VALID;
	bool has_error = is_valid && exit->intr_info & EVENT_HAS_ERROR;

	compare(judgement, record, FAULT_INTR_INFO,
		record->flags & KVM_EXIT_REC_INTR ? record->intr_info : 0,
		is_valid ? exit->intr_info : 0);
	compare(judgement, record, FAULT_ERROR_CODE,
		record->flags & KVM_EXIT_REC_ERROR_CODE ? record->error_code : UINT64_MAX,
		has_error ? exit->error_code : UINT64_MAX);
}

static void compare_key(struct judgement *judgement, const struct record *record,
			const struct witness_exit *exit)
{
	bool has_key = record->flags & KVM_EXIT_REC_KEY;
	struct key key;

	if (judgement->recording->isa == WITNESS_VMX)
		key = vmx_key(exit);
	else
		key = svm_key(exit);

	if (has_key != key.is_valid) {
		compare(judgement, record, FAULT_KEY, has_key ? record->key : UINT64_MAX,
			key.is_valid ? key.key : UINT64_MAX);
		return;
	}
	if (!has_key)
		return;

	compare(judgement, record, FAULT_KEY,
		key.is_register ? REGISTER_32(record->key) : record->key, key.key);
	compare(judgement, record, FAULT_KEY_AUX, record->key_aux, key.aux);
}

void judge_fields(struct judgement *judgement, const struct record *record)
{
	const struct witness_exit *exit = &judgement->events->exits[record->position];

	compare(judgement, record, FAULT_REASON, record->reason, exit->reason);
	compare(judgement, record, FAULT_RIP, record->rip, exit->rip);
	if (record->flags & KVM_EXIT_REC_QUAL) {
		compare(judgement, record, FAULT_INFO1, record->info1, exit->info1);
		compare(judgement, record, FAULT_INFO2, record->info2, exit->info2);
	}
	compare_event(judgement, record, exit);
	compare_key(judgement, record, exit);

	/* Without nested paging the CPU's CR3 is that of KVM's shadow tables. */
	if (record->flags & KVM_EXIT_REC_CR3 && judgement->recording->has_ept)
		compare(judgement, record, FAULT_CR3, record->cr3, exit->cr3);
}
