# SPDX-License-Identifier: GPL-2.0-only
"""SPECIFICATION.md's promises, broken one at a time: what is changed, which test must fail."""

import dataclasses
import re

from . import ROOT, BedError

# | number | promise | tests |
ROW = re.compile(r"^\| (\d+) \| (.*) \| (.*) \|$", re.MULTILINE)
FULL = "ring_records=1024 on_full=wait"


@dataclasses.dataclass
class Break:
    """promise: its number; what: the fault, in words; file, old, new: the change of the source, at
    the one place where old stands; test: one of the promise's, as SPECIFICATION.md names it.
    machine, params (of kvm.ko): of a test in L1.
    words, needs, says: of a test that is a program, its arguments, what Bazel builds for it, and a
    regular expression of what it says of the fault, as its status is 1 also when it can't begin."""

    promise: int
    what: str
    file: str
    old: str
    new: str
    test: str
    words: tuple = ()
    needs: tuple = ()
    says: str = ""
    machine: str = "tcg"
    params: str = "ring_records=4096"

    @property
    def is_in_l1(self):
        return self.test.startswith("kvm/test/") and ".c: " in self.test

    @property
    def is_of_bazel(self):
        return self.test.startswith("//")

    def program(self):
        """(program of L1, below kvm/test; its test's title)"""
        found = re.fullmatch(r"kvm/test/(\w+/\w+)\.c: (.*)", self.test)
        return found.groups()

    def changed(self, root=ROOT):
        """The text of the file with the fault. BedError if its place is not there, once."""
        text = (root / self.file).read_text()
        if text.count(self.old) != 1:
            raise BedError(f"promise {self.promise}: {text.count(self.old)} places in {self.file} "
                           "to be changed, not one (testbed/bed/promises.py)")
        return text.replace(self.old, self.new)


def of_specification():
    """{number: the cell with the names of its tests}"""
    return {int(number): tests
            for number, _, tests in ROW.findall((ROOT / "SPECIFICATION.md").read_text())}


BREAKS = [
    Break(1, "an exit that is recorded is not counted", "kvm/ring/exit_ring_fast.h",
          "\texit_ring_add(counter, 1);\n\tif (unlikely(!exit_ring_open(er)))",
          "\tif (unlikely(!exit_ring_open(er)))",
          "kvm/test/records/record_test.c: totals"),
    Break(2, "the RIP of a record is that of the next instruction", "kvm/ring/exit_ring_svm.c",
          "record->guest_rip = vmcb->save.rip;", "record->guest_rip = control->next_rip;",
          "kvm/test/mutation_test", ("tcg", "--only", "^$"),  # the modules with no mutation
          says=r"FAILED: no mutation: .*; CPU: .*\brip\b"),
    Break(3, "the cycles of the totals lack those in user space", "kvm/ring/exit_ring_fast.h",
          "\texit_ring_add(&total->cycles, cycles);\n"
          "\texit_ring_add(&total->userspace_cycles, user);",
          "\texit_ring_add(&total->cycles, cycles - user);\n"
          "\texit_ring_add(&total->userspace_cycles, user);",
          "kvm/test/records/record_test.c: totals"),
    Break(4, "a time that goes backwards is added to the sums", "kvm/ring/exit_ring.c",
          "\t\ter->flags |= KVM_EXIT_REC_TSC_BACK;\n\t\treturn 0;\n",
          "\t\ter->flags |= KVM_EXIT_REC_TSC_BACK;\n",
          "kvm/test/records/record_test.c: TSC backwards", machine="bochs"),
    Break(5, "time in user space counts as the handler's", "analyzer/query/sums/group.h",
          "group->cycles - group->halted - group->userspace - group->preempted",
          "group->cycles - group->halted - group->preempted",
          "//analyzer/test/figures:recompute_test"),
    Break(6, "a window takes in whole chunks", "analyzer/query/sums/agg_chunks.c",
          "\treturn first_tsc < s->question->from_tsc || last_tsc > s->question->last_tsc;",
          "\t(void)s, (void)first_tsc, (void)last_tsc;\n\treturn false;",
          "//analyzer/test/files:chunks_test"),
    Break(7, "a dropped record uses up no number", "kvm/ring/exit_ring_core.h",
          "\texit_ring_store(&p->meta->seq, ++p->seq);", "",
          "//kvm/test/unit:exit_ring_core_test"),
    Break(8, "a reader that sleeps is not woken", "kvm/ring/exit_ring.c",
          "\t\tirq_work_queue(&er->wake_work);\n", "",
          "kvm/test/device/poll_test.c: poll wakes at the watermark"),
    Break(9, "head is published by a plain store", "proof/litmus/publish.litmus",
          "smp_store_release(head, 1)", "WRITE_ONCE(*head, 1)", "proof/prove orderings",
          ("orderings",), says="FAILED"),
    Break(10, "a vCPU does not wait for room", "kvm/ring/exit_ring.c",
          "\twait = READ_ONCE(er->buf) && !exit_ring_has_room(er);", "\twait = false;",
          "kvm/test/device/host_test.c: a full ring obeys signals", params=FULL),
    Break(11, "a flush leaves out the counts of the vCPUs", "sql/store/transaction.c",
          "\t\tif (!v->dirty)\n", "\t\tif (v->dirty)\n", "//collector:faults_test"),
    Break(12, "a run that failed is not taken out again", "sql/store/transaction.c",
          "\t\tstore->failed_run = store->run;\n", "\t\tstore->failed_run = 0;\n",
          "//collector:full_disk_test"),
    Break(13, "anybody may open the device", "kvm/ring/exit_ring_dev.c",
          "\tif (!perfmon_capable())\n", "\tif (false)\n",
          "kvm/test/device/device_test.c: needs a capability"),
    Break(14, "a mapping for reading can be made writable", "kvm/ring/exit_ring_dev.c",
          "VM_MAYEXEC | (tail ? 0 : VM_MAYWRITE)", "VM_MAYEXEC",
          "kvm/test/device/device_test.c: mappings"),
    Break(15, "a forged tail is believed", "kvm/ring/exit_ring_core.h",
          "\tif (exit_ring_unlikely(p->head - tail > p->mask + 1)) {", "\tif (0) {",
          "kvm/test/device/device_test.c: forged tail"),
    Break(16, "a ring that is gone is not called dead", "kvm/ring/exit_ring_set.c",
          "\tsmp_store_release(&er->shared->meta.state, KVM_EXIT_RING_DEAD);\n", "",
          "kvm/test/device/device_test.c: a vCPU dies under its readers"),
    Break(17, "the newest record is not published", "kvm/ring/exit_ring_core.h",
          "\texit_ring_store_release(&meta->head, head);\t/* (b) */",
          "\texit_ring_store_release(&meta->head, head - 1);\t/* (b) */",
          "//kvm/test/unit:ring_reader_test"),
    # Instructions, which Bochs counts: on tcg the time of an exit hides them.
    Break(18, "a leaf searches all slots each time", "kvm/ring/cpuid_leaves.c",
          "\tif (likely(exits == before &&",
          "\tif (false && (exits == before &&",
          "kvm/test/device/hooks_test.c: a leaf of many vCPUs", machine="bochs"),
    Break(19, "ring_memory_mib is not obeyed", "kvm/ring/exit_ring_buf.c",
          "\tif (atomic64_add_return(buf->bytes, &exit_ring_memory) <= exit_ring_memory_max())",
          "\tif (atomic64_add_return(buf->bytes, &exit_ring_memory))",
          "kvm/test/device/host_test.c: memory is bounded"),
    Break(20, "the records of an armed reader are charged to the VMM",
          "kvm/ring/exit_ring_set.c",
          "buf = exit_ring_new_buf(payer, count);", "buf = exit_ring_new_buf(NULL, count);",
          "kvm/test/device/host_test.c: the reader pays", machine="bochs"),
    Break(21, "rings that wait for a reader have no bound", "kvm/ring/exit_ring_set.c",
          "\tif (exit_ring_orphans == EXIT_RING_ORPHANS_MAX)\n", "\tif (false)\n",
          "kvm/test/device/memory_test.c: orphaned rings are bounded"),
    Break(22, "a record is 8 bytes shorter", "kvm/uapi/kvm_exit_ring.h",
          "\t__u32 entry_error_code;\n\t__u64 reserved[4];\n",
          "\t__u32 entry_error_code;\n\t__u64 reserved[3];\n",
          "//kvm/test/unit:abi_32bit_test"),
    Break(23, "the schema of a file is trusted", "sql/schema.c",
          "{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0}", "{SQLITE_DBCONFIG_TRUSTED_SCHEMA, 1}",
          "//analyzer/test/files:trust_test"),
    Break(24, "files of schema version 3 are taken for later ones", "sql/own.c",
          "version < 4 ? AT(tables_version3, i)", "version < 3 ? AT(tables_version3, i)",
          "//analyzer/test/files:old_files_test"),
    # Symbol versions are made of all types that are complete where a symbol is exported.
    Break(25, "a header of the ring includes one that completes a type", "kvm/ring/exit_ring.h",
          "#include <linux/list.h>\n", "#include <linux/list.h>\n#include <linux/memcontrol.h>\n",
          "kvm/test/modules_test", says="FAIL stock exports changed"),
    Break(26, "the machine's date is the host's", "testbed/bed/machine.py",
          'f"base={EPOCH_DATE},clock=vm"', '"base=utc,clock=vm"',
          "testbed/repeat", ("--machine", "tcg", "--runs", "2"),
          ("//collector", "//testbed:programs"), "recording 2 differs from the first"),
]
