live --plain --count 1 --run 1 --vm fc-7 --reason HLT,CPUID --columns reason,per_s,exits,share | sed "s|, [0-9][0-9]:[0-9][0-9]:[0-9][0-9]||"
