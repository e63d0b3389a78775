-- exitscope: what changes tables that an earlier version made into those of schema.sql. push
-- --create runs it after schema.sql; where a column has its type already, nothing happens.

-- After 0.1: what a recording does not know is NULL, not 0.
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN cycles Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN halted_cycles Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN userspace_cycles Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN preempted_cycles Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN max_cycles Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN fastpath Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN nested Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN to_user Nullable(UInt64);
ALTER TABLE exitscope.exit_rollup MODIFY COLUMN synthesized Nullable(UInt64);
ALTER TABLE exitscope.exit MODIFY COLUMN flags Nullable(UInt64);
ALTER TABLE exitscope.vcpu_state MODIFY COLUMN unknown_cycles Nullable(Float64);
