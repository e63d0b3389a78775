live --plain --count 1 --run 1 --limit 3 --columns reason,per_s,exits,time_of_vcpu | sed "s|, [0-9][0-9]:[0-9][0-9]:[0-9][0-9]||"
