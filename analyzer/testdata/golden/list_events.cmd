list --run 1 --vm web-1 --vcpu 0 --reason 'EXTERNAL_INTERRUPT,CPUID' --limit 6 --columns seq,name,requests,event
