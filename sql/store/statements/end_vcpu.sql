UPDATE vcpu
SET
  filtered = :filtered,
  unread = :unread,
  vmfail = :vmfail,
  open_exits = :open_exits,
  ended = :ended
WHERE id = :id;
