list --run 1 --vcpu 0 --vm web-1 --limit 16 --columns seconds,seq,name,polled,value,requests,event,errno
