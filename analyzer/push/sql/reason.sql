-- The rows of table reason.
SELECT
  isa,
  isa_name,
  number,
  name,
  sdm_defined,
  kvm_handled,
  meaning,
  causes,
  remedy
FROM reasons
