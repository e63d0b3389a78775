sql "DELETE FROM run"
