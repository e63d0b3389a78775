live --plain --count 1 --run 1 --limit 3 --columns reason,per_s,exits,time_share
