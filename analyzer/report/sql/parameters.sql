-- Every module parameter of run ?1 as module.name and value.
SELECT ltrim(fullkey, '$.'), atom
FROM runs, json_tree(module_parameters)
WHERE run = ?1
  AND json_valid(module_parameters)
  AND atom IS NOT NULL
ORDER BY 1
