-- Every module parameter of run ?1 as module.name and value; none where the text is not JSON.
SELECT ltrim(fullkey, '$.'), atom
FROM runs, json_tree(iif(json_valid(module_parameters), module_parameters, NULL))
WHERE run = ?1
  AND atom IS NOT NULL
ORDER BY 1
