-- What each VM exit reason means: the rows of table exit_reason.
--
-- VMX (isa 1): basic exit reasons 0 to 85. sdm_defined follows one edition of
-- the Intel SDM, order number 325462-086US (December 2024), volume 3, appendix
-- C, table C-1: 35, 38, 42, 71 and 82 to 85 are not in it. Reasons past 75 have
-- no name in the kernel's uapi; theirs is the instruction's.
-- SVM (isa 2): exit codes of the AMD APM, order number 24593-3.42 (March 2024),
-- volume 2, appendix C.
--
-- Names: uapi asm/vmx.h and asm/svm.h of Linux 6.12 without EXIT_REASON_ and
-- SVM_EXIT_. kvm_handled: kvm_vmx_exit_handlers[] (vmx.c) and
-- svm_exit_handlers[] (svm.c) of Linux 6.1 and 6.12, which agree. 33
-- and 34 are answered before that table is read.
--
-- Columns: isa, number, name, sdm_defined, kvm_handled, meaning, causes, remedy.

INSERT OR REPLACE INTO exit_reason VALUES
(1, 0, 'EXCEPTION_NMI', 1, 1, 'The guest raised an exception that the exception bitmap intercepts, or an NMI arrived.', 'Page faults of a guest on shadow paging (ept=0); #UD, #DB and #BP that KVM emulates or a debugger wants; NMIs of the host''s perf and watchdog.', 'Turn EPT on; stop host profiling with NMIs; no guest debugging.'),
(1, 1, 'EXTERNAL_INTERRUPT', 1, 1, 'A host interrupt arrived while the guest ran.', 'Host timer tick, device interrupts, IPIs to kick or reschedule the vCPU.', 'Isolate the CPU (isolcpus, nohz_full), move IRQ affinity away, use posted interrupts.'),
(1, 2, 'TRIPLE_FAULT', 1, 1, 'The guest faulted while it delivered a double fault, which resets a machine.', 'Reboot by triple fault; a kernel that crashed very early.', 'None needed: it ends or resets the VM.'),
(1, 3, 'INIT_SIGNAL', 1, 0, 'An INIT signal arrived while the guest ran.', 'The host''s CPU is reset while a guest runs on it.', 'None: KVM virtualizes INIT without this exit.'),
(1, 4, 'SIPI_SIGNAL', 1, 0, 'A start-up IPI arrived in the wait-for-SIPI state.', 'Guests entered in the wait-for-SIPI activity state, which KVM uses for nested guests alone.', 'None.'),
(1, 5, 'IO_SMI', 1, 0, 'An SMI arrived right after an I/O instruction (dual-monitor treatment only).', 'A dual-monitor SMM is active.', 'None: KVM does not use it.'),
(1, 6, 'OTHER_SMI', 1, 0, 'Another SMI arrived (dual-monitor treatment only).', 'A dual-monitor SMM is active.', 'None: KVM does not use it.'),
(1, 7, 'INTERRUPT_WINDOW', 1, 1, 'The guest became able to take an interrupt that KVM holds for it.', 'An interrupt was pending while the guest had interrupts off.', 'APIC virtualization (enable_apicv) and posted interrupts; shorter sections with interrupts off.'),
(1, 8, 'NMI_WINDOW', 1, 1, 'The guest became able to take an NMI that KVM holds for it.', 'NMIs that come while another is served: guest profiling, watchdog.', 'Fewer guest NMIs (nmi_watchdog=0).'),
(1, 9, 'TASK_SWITCH', 1, 1, 'The guest attempted a hardware task switch.', 'Old 32-bit systems; double-fault tasks.', 'A guest that uses no hardware tasks.'),
(1, 10, 'CPUID', 1, 1, 'The guest executed CPUID, which always exits.', 'Boot-time feature checks, serializing code, programs that ask at each start.', 'Cache the answer in the guest; serialize with another instruction.'),
(1, 11, 'GETSEC', 1, 0, 'The guest executed GETSEC, which always exits if SMX is on.', 'Trusted execution code in the guest.', 'None: KVM does not offer SMX to guests.'),
(1, 12, 'HLT', 1, 1, 'The guest executed HLT: the vCPU is idle.', 'Guest idle loop. Its time is sleep, not overhead: see the halted part.', 'Guest or host halt polling for latency (halt_poll_ns, haltpoll governor); KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs.'),
(1, 13, 'INVD', 1, 1, 'The guest executed INVD, which always exits.', 'Firmware start-up code.', 'None needed.'),
(1, 14, 'INVLPG', 1, 1, 'The guest executed INVLPG while INVLPG exiting is on.', 'Page table changes of a guest on shadow paging.', 'Turn EPT on.'),
(1, 15, 'RDPMC', 1, 1, 'The guest read a performance counter with RDPMC.', 'perf and profilers in the guest.', 'Read counters less often.'),
(1, 16, 'RDTSC', 1, 0, 'The guest executed RDTSC while RDTSC exiting is on.', 'A nested hypervisor that intercepts it for its own guest.', 'Use a stable TSC, so that no hypervisor wants it.'),
(1, 17, 'RSM', 1, 0, 'The guest executed RSM in SMM (dual-monitor treatment only).', 'A dual-monitor SMM is active.', 'None: KVM emulates SMM without it.'),
(1, 18, 'VMCALL', 1, 1, 'The guest made a hypercall.', 'Paravirtual IPIs, yields and kicks; Hyper-V calls of Windows guests.', 'APIC virtualization instead of paravirtual IPIs; batch calls.'),
(1, 19, 'VMCLEAR', 1, 1, 'A guest hypervisor executed VMCLEAR.', 'Nested virtualization: its vCPUs move between CPUs.', 'Pin nested vCPUs; enlightened VMCS for Hyper-V guests.'),
(1, 20, 'VMLAUNCH', 1, 1, 'A guest hypervisor entered its guest for the first time.', 'Nested virtualization.', 'Fewer nested exits: each costs an entry here.'),
(1, 21, 'VMPTRLD', 1, 1, 'A guest hypervisor loaded a VMCS.', 'Nested virtualization: it switches between vCPUs.', 'Pin nested vCPUs.'),
(1, 22, 'VMPTRST', 1, 1, 'A guest hypervisor stored its VMCS pointer.', 'Nested virtualization.', 'None needed.'),
(1, 23, 'VMREAD', 1, 1, 'A guest hypervisor read a VMCS field that is not shadowed.', 'Nested virtualization.', 'VMCS shadowing (enable_shadow_vmcs).'),
(1, 24, 'VMRESUME', 1, 1, 'A guest hypervisor entered its guest again.', 'Nested virtualization: one for each exit that it handled.', 'Fewer nested exits.'),
(1, 25, 'VMWRITE', 1, 1, 'A guest hypervisor wrote a VMCS field that is not shadowed.', 'Nested virtualization.', 'VMCS shadowing (enable_shadow_vmcs).'),
(1, 26, 'VMOFF', 1, 1, 'A guest hypervisor executed VMXOFF.', 'It ends or a CPU goes offline.', 'None needed.'),
(1, 27, 'VMON', 1, 1, 'A guest hypervisor executed VMXON.', 'It starts or a CPU comes online.', 'None needed.'),
(1, 28, 'CR_ACCESS', 1, 1, 'The guest accessed CR0, CR3, CR4 or CR8 in a way that is intercepted.', 'Mode changes at boot; each context switch on shadow paging (CR3).', 'Turn EPT and unrestricted guest on.'),
(1, 29, 'DR_ACCESS', 1, 1, 'The guest accessed a debug register.', 'First use of hardware breakpoints since the vCPU was loaded.', 'No hardware breakpoints in the guest.'),
(1, 30, 'IO_INSTRUCTION', 1, 1, 'The guest executed IN, OUT, INS or OUTS on an intercepted port.', 'Serial console, PIT, PCI configuration and PM timer at boot; legacy devices.', 'virtio over MMIO or modern PCI; no serial console in use; ioeventfd; kvm-clock or TSC instead of the PM timer.'),
(1, 31, 'MSR_READ', 1, 1, 'The guest read an MSR that is intercepted.', 'Start-up checks; x2APIC registers; performance and power MSRs.', 'APIC virtualization; see which MSR with --by subkey.'),
(1, 32, 'MSR_WRITE', 1, 1, 'The guest wrote an MSR that is intercepted.', 'TSC deadline timer (0x6e0), x2APIC ICR (0x830) and EOI (0x80b).', 'APIC virtualization and IPI virtualization; fewer timers (nohz, larger slack).'),
(1, 33, 'INVALID_STATE', 1, 0, 'A VM entry failed, since the guest state was invalid.', 'Without unrestricted guest KVM emulates such states itself and synthesizes this exit (ept=0 boots); else a bug.', 'Turn EPT and unrestricted guest on.'),
(1, 34, 'MSR_LOAD_FAIL', 1, 0, 'A VM entry failed, since an MSR could not be loaded.', 'An MSR value that the CPU refuses.', 'Correct what set that MSR.'),
(1, 35, 'RESERVED_35', 0, 0, 'Not defined.', 'None.', 'None.'),
(1, 36, 'MWAIT_INSTRUCTION', 1, 1, 'The guest executed MWAIT while MWAIT exiting is on.', 'Guest idle loop with MWAIT.', 'KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs; idle with HLT.'),
(1, 37, 'MONITOR_TRAP_FLAG', 1, 1, 'The guest executed one instruction under the monitor trap flag.', 'Single stepping by a debugger or a nested hypervisor.', 'No single stepping.'),
(1, 38, 'RESERVED_38', 0, 0, 'Not defined.', 'None.', 'None.'),
(1, 39, 'MONITOR_INSTRUCTION', 1, 1, 'The guest executed MONITOR while MONITOR exiting is on.', 'Guest idle loop with MWAIT.', 'KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs; idle with HLT.'),
(1, 40, 'PAUSE_INSTRUCTION', 1, 1, 'The guest spun on PAUSE for longer than the PAUSE-loop limit.', 'Lock contention, with vCPUs preempted while they hold a lock.', 'Fewer vCPUs than CPUs; paravirtual spinlocks; a larger ple_gap or ple_window.'),
(1, 41, 'MCE_DURING_VMENTRY', 1, 1, 'A machine check came during a VM entry.', 'Failing hardware.', 'Look at the host''s machine check log.'),
(1, 42, 'RESERVED_42', 0, 0, 'Not defined.', 'None.', 'None.'),
(1, 43, 'TPR_BELOW_THRESHOLD', 1, 1, 'The guest lowered its task priority below the threshold, so a held interrupt may be delivered.', 'Windows guests on CPUs without APIC virtualization.', 'APIC virtualization (enable_apicv).'),
(1, 44, 'APIC_ACCESS', 1, 1, 'The guest accessed its local APIC page in a way that is not virtualized.', 'xAPIC registers without APIC virtualization.', 'x2APIC in the guest; APIC virtualization.'),
(1, 45, 'EOI_INDUCED', 1, 1, 'The guest ended an interrupt whose end KVM must see.', 'Level-triggered interrupts of the IOAPIC; the PIT.', 'MSI instead of level-triggered interrupts.'),
(1, 46, 'GDTR_IDTR', 1, 1, 'The guest executed LGDT, LIDT, SGDT or SIDT while they are intercepted.', 'UMIP emulation; nested hypervisors that intercept them.', 'A CPU with UMIP.'),
(1, 47, 'LDTR_TR', 1, 1, 'The guest executed LLDT, LTR, SLDT or STR while they are intercepted.', 'UMIP emulation; nested hypervisors that intercept them.', 'A CPU with UMIP.'),
(1, 48, 'EPT_VIOLATION', 1, 1, 'The guest used a guest-physical address that EPT does not allow.', 'First touch of memory; swap, balloon, dirty logging during migration; device memory seen for the first time.', 'Huge pages, memory allocated beforehand, no overcommit.'),
(1, 49, 'EPT_MISCONFIG', 1, 1, 'The guest used a guest-physical address whose EPT entry is invalid: KVM marks emulated MMIO so.', 'MMIO of emulated devices; virtio notifications by MMIO.', 'ioeventfd, vhost, device assignment; fewer register accesses.'),
(1, 50, 'INVEPT', 1, 1, 'A guest hypervisor executed INVEPT.', 'Nested virtualization: it changes its guest''s EPT.', 'Huge pages for nested guests; enlightened TLB flush.'),
(1, 51, 'RDTSCP', 1, 0, 'The guest executed RDTSCP while RDTSC exiting is on.', 'A nested hypervisor that intercepts it.', 'Use a stable TSC.'),
(1, 52, 'PREEMPTION_TIMER', 1, 1, 'The VMX preemption timer ran out: KVM''s way to a timely guest timer.', 'The guest''s APIC timer expired while it ran.', 'Fewer guest timers (nohz_full, larger timer slack).'),
(1, 53, 'INVVPID', 1, 1, 'A guest hypervisor executed INVVPID.', 'Nested virtualization: it flushes TLBs.', 'Fewer TLB flushes in the nested guest.'),
(1, 54, 'WBINVD', 1, 1, 'The guest executed WBINVD or WBNOINVD.', 'Mode and memory type changes at boot; drivers of assigned devices.', 'None needed without assigned devices.'),
(1, 55, 'XSETBV', 1, 1, 'The guest executed XSETBV, which always exits.', 'Each CPU''s start-up.', 'None needed.'),
(1, 56, 'APIC_WRITE', 1, 1, 'The guest wrote its virtual APIC page; KVM completes the write.', 'Registers that APIC virtualization does not cover, such as ICR and timer.', 'IPI virtualization (enable_ipiv); x2APIC.'),
(1, 57, 'RDRAND', 1, 1, 'The guest executed RDRAND while RDRAND exiting is on.', 'A guest whose CPU model hides RDRAND; nested hypervisors.', 'A CPU model with RDRAND.'),
(1, 58, 'INVPCID', 1, 1, 'The guest executed INVPCID while INVLPG exiting is on.', 'Page table changes of a guest on shadow paging.', 'Turn EPT on.'),
(1, 59, 'VMFUNC', 1, 1, 'The guest executed VMFUNC and it was not enabled or failed.', 'A nested hypervisor''s guest that switches EPT pointers.', 'None needed.'),
(1, 60, 'ENCLS', 1, 1, 'The guest executed an SGX system instruction that is intercepted.', 'SGX enclaves set up in the guest.', 'None needed.'),
(1, 61, 'RDSEED', 1, 1, 'The guest executed RDSEED while RDSEED exiting is on.', 'A guest whose CPU model hides RDSEED; nested hypervisors.', 'A CPU model with RDSEED.'),
(1, 62, 'PML_FULL', 1, 1, 'The page-modification log is full: 512 pages were dirtied.', 'Dirty logging: live migration of a guest that writes much.', 'Slow the guest (auto-converge) or finish the migration.'),
(1, 63, 'XSAVES', 1, 0, 'The guest executed XSAVES with a component that is intercepted.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(1, 64, 'XRSTORS', 1, 0, 'The guest executed XRSTORS with a component that is intercepted.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(1, 65, 'PCONFIG', 1, 0, 'The guest executed PCONFIG with a leaf that is intercepted.', 'Memory encryption keys in a nested guest.', 'None: KVM does not offer it.'),
(1, 66, 'SPP_EVENT', 1, 0, 'An event of sub-page write permissions: a table entry is missing or misconfigured.', 'Sub-page write protection.', 'None: KVM does not use it.'),
(1, 67, 'UMWAIT', 1, 0, 'The guest executed UMWAIT while RDTSC exiting is on.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(1, 68, 'TPAUSE', 1, 0, 'The guest executed TPAUSE while RDTSC exiting is on.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(1, 69, 'LOADIWKEY', 1, 0, 'The guest executed LOADIWKEY while it is intercepted.', 'Key Locker in the guest.', 'None: KVM does not offer it.'),
(1, 70, 'ENCLV', 1, 0, 'The guest executed an SGX virtualization instruction that is intercepted.', 'A hypervisor with SGX in the guest.', 'None: KVM does not offer it.'),
(1, 71, 'RESERVED_71', 0, 0, 'Not defined in the edition followed here; other texts call it SGX conflict.', 'None.', 'None.'),
(1, 72, 'ENQCMD', 1, 0, 'The PASID translation of ENQCMD failed.', 'Shared work queues used by a guest.', 'None: KVM does not offer it.'),
(1, 73, 'ENQCMDS', 1, 0, 'The PASID translation of ENQCMDS failed.', 'Shared work queues used by a guest.', 'None: KVM does not offer it.'),
(1, 74, 'BUS_LOCK', 1, 1, 'The guest took a bus lock.', 'Atomic operations across a cache line or on uncached memory.', 'Align the data; split_lock_detect in the guest.'),
(1, 75, 'NOTIFY', 1, 1, 'No interrupt window opened for the time of the notify window.', 'A guest that makes the CPU loop in microcode.', 'A larger notify window, if the guest is harmless.'),
(1, 76, 'SEAMCALL', 1, 0, 'The guest executed SEAMCALL.', 'A TDX host running as a guest.', 'None.'),
(1, 77, 'TDCALL', 1, 0, 'The guest executed TDCALL.', 'A TDX guest.', 'None.'),
(1, 78, 'RDMSRLIST', 1, 0, 'The guest executed RDMSRLIST on an MSR that is intercepted.', 'Batches of MSR reads.', 'None: KVM does not offer it.'),
(1, 79, 'WRMSRLIST', 1, 0, 'The guest executed WRMSRLIST on an MSR that is intercepted.', 'Batches of MSR writes.', 'None: KVM does not offer it.'),
(1, 80, 'URDMSR', 1, 0, 'The guest executed URDMSR on an MSR that is intercepted.', 'MSR reads of user programs.', 'None: KVM does not offer it.'),
(1, 81, 'UWRMSR', 1, 0, 'The guest executed UWRMSR on an MSR that is intercepted.', 'MSR writes of user programs.', 'None: KVM does not offer it.'),
(1, 82, 'RESERVED_82', 0, 0, 'Not defined.', 'None.', 'None.'),
(1, 83, 'RESERVED_83', 0, 0, 'Not defined.', 'None.', 'None.'),
(1, 84, 'MSR_READ_IMM', 0, 0, 'Not defined in the edition followed here; newer texts: RDMSR with an immediate.', 'MSR reads with the immediate form.', 'None: these kernels do not offer it.'),
(1, 85, 'MSR_WRITE_IMM', 0, 0, 'Not defined in the edition followed here; newer texts: WRMSRNS with an immediate.', 'MSR writes with the immediate form.', 'None: these kernels do not offer it.');

-- SVM: reads and writes of control and debug registers, one code per register.
WITH RECURSIVE register(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM register WHERE n < 15)
INSERT OR REPLACE INTO exit_reason
SELECT 2, n, 'READ_CR' || n, 1, n IN (0, 3, 4, 8), 'The guest read CR' || n || '.',
       'Shadow paging; CR8 reads of guests without AVIC.', 'Turn NPT on.' FROM register
UNION ALL
SELECT 2, 16 + n, 'WRITE_CR' || n, 1, n IN (0, 3, 4, 8), 'The guest wrote CR' || n || '.',
       'Mode changes at boot; each context switch on shadow paging (CR3).', 'Turn NPT on.' FROM register
UNION ALL
SELECT 2, 32 + n, 'READ_DR' || n, 1, n < 8, 'The guest read DR' || n || '.',
       'First use of hardware breakpoints since the vCPU was loaded.', 'No hardware breakpoints in the guest.' FROM register
UNION ALL
SELECT 2, 48 + n, 'WRITE_DR' || n, 1, n < 8, 'The guest wrote DR' || n || '.',
       'First use of hardware breakpoints since the vCPU was loaded.', 'No hardware breakpoints in the guest.' FROM register
UNION ALL
SELECT 2, 144 + n, 'CR' || n || '_WRITE_TRAP', 1, n IN (0, 4, 8), 'The guest has written CR' || n || ' (trap after the write).',
       'SEV-ES guests.', 'None needed.' FROM register;

-- SVM: exceptions, one code per vector.
WITH vector(n, name) AS (VALUES (0, 'DE'), (1, 'DB'), (2, 'VECTOR2'), (3, 'BP'), (4, 'OF'), (5, 'BR'), (6, 'UD'),
  (7, 'NM'), (8, 'DF'), (9, 'VECTOR9'), (10, 'TS'), (11, 'NP'), (12, 'SS'), (13, 'GP'), (14, 'PF'), (15, 'VECTOR15'),
  (16, 'MF'), (17, 'AC'), (18, 'MC'), (19, 'XF'), (20, 'VECTOR20'), (21, 'CP'), (22, 'VECTOR22'), (23, 'VECTOR23'),
  (24, 'VECTOR24'), (25, 'VECTOR25'), (26, 'VECTOR26'), (27, 'VECTOR27'), (28, 'HV'), (29, 'VC'), (30, 'SX'), (31, 'VECTOR31'))
INSERT OR REPLACE INTO exit_reason
SELECT 2, 64 + n, 'EXCP_' || name, 1, n IN (1, 3, 6, 13, 14, 17, 18), 'The guest raised exception ' || n || '.',
       'Page faults of a guest on shadow paging (npt=0); #UD, #DB and #BP that KVM emulates or a debugger wants.',
       'Turn NPT on; no guest debugging.' FROM vector;

INSERT OR REPLACE INTO exit_reason VALUES
(2, 96, 'INTR', 1, 1, 'A host interrupt arrived while the guest ran.', 'Host timer tick, device interrupts, IPIs to kick or reschedule the vCPU.', 'Isolate the CPU (isolcpus, nohz_full), move IRQ affinity away, use AVIC.'),
(2, 97, 'NMI', 1, 1, 'An NMI arrived while the guest ran.', 'The host''s perf and watchdog.', 'Stop host profiling with NMIs.'),
(2, 98, 'SMI', 1, 1, 'An SMI arrived while the guest ran.', 'Host firmware.', 'Firmware settings.'),
(2, 99, 'INIT', 1, 0, 'An INIT signal arrived while the guest ran.', 'The host''s CPU is reset while a guest runs on it.', 'None.'),
(2, 100, 'VINTR', 1, 1, 'The guest became able to take a virtual interrupt that KVM holds for it.', 'An interrupt was pending while the guest had interrupts off.', 'AVIC; shorter sections with interrupts off.'),
(2, 101, 'CR0_SEL_WRITE', 1, 1, 'The guest changed bits of CR0 other than TS and MP.', 'Mode changes at boot; cache control.', 'None needed.'),
(2, 102, 'IDTR_READ', 1, 0, 'The guest read IDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 103, 'GDTR_READ', 1, 0, 'The guest read GDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 104, 'LDTR_READ', 1, 0, 'The guest read LDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 105, 'TR_READ', 1, 0, 'The guest read TR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 106, 'IDTR_WRITE', 1, 0, 'The guest wrote IDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 107, 'GDTR_WRITE', 1, 0, 'The guest wrote GDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 108, 'LDTR_WRITE', 1, 0, 'The guest wrote LDTR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 109, 'TR_WRITE', 1, 0, 'The guest wrote TR.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 110, 'RDTSC', 1, 0, 'The guest executed RDTSC while it is intercepted.', 'A nested hypervisor that intercepts it.', 'Use a stable TSC.'),
(2, 111, 'RDPMC', 1, 1, 'The guest read a performance counter with RDPMC.', 'perf and profilers in the guest.', 'Read counters less often.'),
(2, 112, 'PUSHF', 1, 0, 'The guest executed PUSHF while it is intercepted.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 113, 'POPF', 1, 0, 'The guest executed POPF while it is intercepted.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 114, 'CPUID', 1, 1, 'The guest executed CPUID.', 'Boot-time feature checks, serializing code, programs that ask at each start.', 'Cache the answer in the guest; serialize with another instruction.'),
(2, 115, 'RSM', 1, 1, 'The guest executed RSM: it leaves its SMM.', 'Guest firmware with SMM.', 'Firmware without SMM.'),
(2, 116, 'IRET', 1, 1, 'The guest executed IRET while KVM waits for the end of an NMI.', 'Guest NMIs: profiling, watchdog.', 'Virtual NMI (vnmi); fewer guest NMIs.'),
(2, 117, 'SWINT', 1, 0, 'The guest executed INT n while it is intercepted.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 118, 'INVD', 1, 1, 'The guest executed INVD.', 'Firmware start-up code.', 'None needed.'),
(2, 119, 'PAUSE', 1, 1, 'The guest spun on PAUSE for longer than the pause filter allows.', 'Lock contention, with vCPUs preempted while they hold a lock.', 'Fewer vCPUs than CPUs; paravirtual spinlocks; a larger pause_filter_count.'),
(2, 120, 'HLT', 1, 1, 'The guest executed HLT: the vCPU is idle.', 'Guest idle loop. Its time is sleep, not overhead: see the halted part.', 'Guest or host halt polling for latency (halt_poll_ns); KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs.'),
(2, 121, 'INVLPG', 1, 1, 'The guest executed INVLPG while it is intercepted.', 'Page table changes of a guest on shadow paging.', 'Turn NPT on.'),
(2, 122, 'INVLPGA', 1, 1, 'A guest hypervisor executed INVLPGA.', 'Nested virtualization: it flushes TLB entries.', 'Fewer TLB flushes in the nested guest.'),
(2, 123, 'IOIO', 1, 1, 'The guest executed IN, OUT, INS or OUTS on an intercepted port.', 'Serial console, PIT, PCI configuration and PM timer at boot; legacy devices.', 'virtio over MMIO or modern PCI; no serial console in use; ioeventfd; kvm-clock or TSC instead of the PM timer.'),
(2, 124, 'MSR', 1, 1, 'The guest read or wrote an MSR that is intercepted.', 'Local APIC timer and x2APIC registers; start-up checks.', 'AVIC; fewer timers; see which MSR with --by subkey.'),
(2, 125, 'TASK_SWITCH', 1, 1, 'The guest attempted a hardware task switch.', 'Old 32-bit systems; double-fault tasks.', 'A guest that uses no hardware tasks.'),
(2, 126, 'FERR_FREEZE', 1, 0, 'The guest froze on a legacy floating-point error.', 'Very old floating-point error handling.', 'None needed.'),
(2, 127, 'SHUTDOWN', 1, 1, 'The guest shut down: a fault while it delivered a double fault.', 'Reboot by triple fault; a kernel that crashed very early.', 'None needed: it ends or resets the VM.'),
(2, 128, 'VMRUN', 1, 1, 'A guest hypervisor entered its guest.', 'Nested virtualization: one for each exit that it handled.', 'Fewer nested exits.'),
(2, 129, 'VMMCALL', 1, 1, 'The guest made a hypercall.', 'Paravirtual IPIs, yields and kicks; Hyper-V calls of Windows guests.', 'AVIC instead of paravirtual IPIs; batch calls.'),
(2, 130, 'VMLOAD', 1, 1, 'A guest hypervisor executed VMLOAD.', 'Nested virtualization.', 'Virtual VMLOAD and VMSAVE (vls).'),
(2, 131, 'VMSAVE', 1, 1, 'A guest hypervisor executed VMSAVE.', 'Nested virtualization.', 'Virtual VMLOAD and VMSAVE (vls).'),
(2, 132, 'STGI', 1, 1, 'A guest hypervisor set the global interrupt flag.', 'Nested virtualization.', 'Virtual GIF (vgif).'),
(2, 133, 'CLGI', 1, 1, 'A guest hypervisor cleared the global interrupt flag.', 'Nested virtualization.', 'Virtual GIF (vgif).'),
(2, 134, 'SKINIT', 1, 1, 'The guest executed SKINIT.', 'Trusted start of a guest.', 'None: KVM refuses it.'),
(2, 135, 'RDTSCP', 1, 1, 'The guest executed RDTSCP while it is intercepted.', 'A guest whose CPU model hides RDTSCP.', 'A CPU model with RDTSCP.'),
(2, 136, 'ICEBP', 1, 0, 'The guest executed INT1 (ICEBP).', 'Debuggers.', 'None needed.'),
(2, 137, 'WBINVD', 1, 1, 'The guest executed WBINVD or WBNOINVD.', 'Mode and memory type changes at boot; drivers of assigned devices.', 'None needed without assigned devices.'),
(2, 138, 'MONITOR', 1, 1, 'The guest executed MONITOR while it is intercepted.', 'Guest idle loop with MWAIT.', 'KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs; idle with HLT.'),
(2, 139, 'MWAIT', 1, 1, 'The guest executed MWAIT while it is intercepted.', 'Guest idle loop with MWAIT.', 'KVM_CAP_X86_DISABLE_EXITS on dedicated CPUs; idle with HLT.'),
(2, 140, 'MWAIT_COND', 1, 0, 'The guest executed MWAIT while the monitor was armed.', 'A nested hypervisor that intercepts it.', 'None needed.'),
(2, 141, 'XSETBV', 1, 1, 'The guest executed XSETBV.', 'Each CPU''s start-up.', 'None needed.'),
(2, 142, 'RDPRU', 1, 1, 'The guest executed RDPRU.', 'Programs that read APERF and MPERF.', 'None: KVM refuses it.'),
(2, 143, 'EFER_WRITE_TRAP', 1, 1, 'The guest has written EFER (trap after the write).', 'SEV-ES guests.', 'None needed.'),
(2, 160, 'INVLPGB', 1, 0, 'The guest executed INVLPGB while it is intercepted.', 'Broadcast TLB flushes.', 'None: KVM does not offer it.'),
(2, 161, 'INVLPGB_ILLEGAL', 1, 0, 'The guest executed INVLPGB with an operand that is not allowed.', 'Broadcast TLB flushes.', 'None: KVM does not offer it.'),
(2, 162, 'INVPCID', 1, 1, 'The guest executed INVPCID while it is intercepted.', 'Page table changes of a guest on shadow paging.', 'Turn NPT on.'),
(2, 163, 'MCOMMIT', 1, 0, 'The guest executed MCOMMIT.', 'Persistent memory code.', 'None: KVM does not offer it.'),
(2, 164, 'TLBSYNC', 1, 0, 'The guest executed TLBSYNC while it is intercepted.', 'Broadcast TLB flushes.', 'None: KVM does not offer it.'),
(2, 165, 'BUS_LOCK', 1, 0, 'The guest took a bus lock and its bus-lock counter ran out.', 'Atomic operations across a cache line or on uncached memory.', 'None: these kernels do not use it.'),
(2, 166, 'IDLE_HLT', 1, 0, 'The guest executed HLT with no virtual interrupt pending.', 'Guest idle loop.', 'None: these kernels do not use it.'),
(2, 1024, 'NPF', 1, 1, 'The guest used a guest-physical address that the nested page table does not allow.', 'First touch of memory; MMIO of emulated devices; swap, balloon, dirty logging.', 'Huge pages, memory allocated beforehand; ioeventfd, vhost, device assignment.'),
(2, 1025, 'AVIC_INCOMPLETE_IPI', 1, 1, 'AVIC could not deliver an IPI by itself.', 'The target vCPU is not running, or the IPI is of a kind AVIC does not do.', 'Pinned vCPUs with no overcommit.'),
(2, 1026, 'AVIC_UNACCELERATED_ACCESS', 1, 1, 'The guest accessed an APIC register that AVIC does not virtualize.', 'APIC timer and other registers outside AVIC.', 'x2AVIC; fewer timers.'),
(2, 1027, 'VMGEXIT', 1, 1, 'A SEV-ES guest asked its hypervisor for a service.', 'Every emulated operation of a SEV-ES or SEV-SNP guest.', 'virtio with fewer notifications; fewer CPUID and MSR accesses.'),
(2, 4026531840, 'SW', 1, 0, 'Reserved for hypervisors: never made by the CPU.', 'Hyper-V enlightenments for nested guests.', 'None needed.'),
(2, 4294967295, 'ERR', 1, 0, 'The guest state was invalid, so VMRUN failed (VMEXIT_INVALID).', 'A bug in a hypervisor, or a nested hypervisor''s bad VMCB.', 'Correct the VMCB; the kernel log has its dump.');
