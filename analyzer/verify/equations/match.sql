-- Records of real exits against kvm_exit events, exit by exit.
SELECT vm, vcpu_id, reason, records - synth_records, matched,
  max(trace_only - filtered, 0) + record_only + differ,
  part(untraced, 'recorded where events were lost')
    || part(gap, 'traced where records were dropped')
    || part(min(trace_only, filtered), 'traced and filtered out')
    || part(max(trace_only - filtered, 0), 'TRACED WITHOUT A RECORD')
    || part(record_only, 'RECORDED WITHOUT A TRACE EVENT')
    || part(differ, 'OF ANOTHER REASON')
FROM counts
WHERE reason IS NOT NULL
  AND records + traced > 0
  AND EXISTS (SELECT 1 FROM crosscheck WHERE run_id = ?1 AND source = 'tracefs_entry')
