live --plain --count 1 --run 1 --by vm --columns vm,per_s,exits,guest,handler,userspace,halted,waiting | sed "s|, [0-9][0-9]:[0-9][0-9]:[0-9][0-9]||"
