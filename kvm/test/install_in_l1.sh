#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine (see kvm/test/install_test): kvm/install and
# kvm/uninstall with good modules, bad modules and a VM in the way.
#	/kvm		this folder	/ours	modules with the exit ring, selfcheck
#	/bed/modules	stock modules
. /test/l1_functions.sh
modprobe $vendor || exit 1

sleep 1000 3</dev/kvm &
sleep 1
expect "a user of KVM" 1 0 /kvm/install --modules /ours
grep -q "in use by $! (sleep)" /tmp/out || failed "the user is not named"
kill $!
wait $! 2>/dev/null

variant
head -c 20000 /ours/$file.ko >/variant/$file.ko
expect "a damaged vendor module" 1 0 /kvm/install --modules /variant
variant
cp /bed/modules/$vendor.ko /variant/$file.ko
expect "a stock vendor module" 1 0 /kvm/install --modules /variant
variant
printf '#!/bin/sh\necho no record; exit 1\n' >/variant/selfcheck
expect "a check that fails" 1 0 /kvm/install --modules /variant
variant
printf '#!/bin/sh\nsleep 2\n' >/variant/selfcheck
ended() {
	(
		until [ -c /dev/kvm_exit_ring ]; do sleep 0.1; done
		kill -TERM "$(cat /tmp/pid)"
	) &
	sh -c 'echo $$ >/tmp/pid; exec /kvm/install --modules /variant'
}
expect "SIGTERM while it checks" 1 0 ended
variant
rm /variant/kvm.ko
expect "a missing module" 1 0 /kvm/install --modules /variant
expect "a wrong parameter value" 1 0 /kvm/install --modules /ours --kvm-params ring_records=x
expect "stock modules stay" 0 0 /kvm/uninstall

# In place of DKMS, which needs a compiler: the modules of /built, installed over
# the stock ones.
mkdir -p /usr/src /usr/sbin "/.cache/kvm/$(uname -r)"
cp /ours/selfcheck "/.cache/kvm/$(uname -r)"
cat >/usr/sbin/dkms <<END
#!/bin/sh
name=/var/lib/dkms/\$2
case \$1 in
add) [ -f "/usr/src/\$(echo "\$2" | tr / -)/dkms.conf" ] && mkdir -p "\$name" ;;
build) mkdir -p "\$name/$(uname -r)/$(uname -m)" && cp -r /built "\$name/$(uname -r)/$(uname -m)/module" ;;
install) mkdir -p /stock && mv $tree/*.ko /stock && cp /stock/irqbypass.ko /built/*.ko $tree && depmod ;;
remove) rm -rf "\$name" && { [ ! -d /stock ] || { rm $tree/*.ko && mv /stock/* $tree && rmdir /stock && depmod; }; } ;;
esac
END
chmod +x /usr/sbin/dkms

# gone WHAT: nothing of ours is left in DKMS
gone() {
	if [ -n "$(ls -d /usr/src/* /var/lib/dkms/*/* /etc/kernel/*/* /stock 2>/dev/null)" ]; then
		failed "$1: something is left in DKMS"
	fi
}

expect "DKMS fails to build" 1 0 /kvm/install --dkms
gone "DKMS fails to build"
cp -r /variant /built
cp /ours/kvm.ko /built
cp /bed/modules/$vendor.ko /built/$file.ko
expect "DKMS builds what doesn't record" 1 0 /kvm/install --dkms
gone "DKMS builds what doesn't record"
cp /ours/*.ko /built
expect "DKMS" 0 1 /kvm/install --dkms
rmmod $vendor kvm
expect "DKMS, the next boot" 0 1 modprobe $vendor
expect "DKMS, once more" 0 1 /kvm/install --dkms
expect "DKMS, back" 0 0 /kvm/uninstall
gone "DKMS, back"

expect "hooks=0" 0 0 /kvm/install --modules /ours --kvm-params hooks=0
[ "$(cat /sys/module/kvm/parameters/hooks)" = N ] || failed "hooks=0"
expect "hooks=0, back" 0 0 /kvm/uninstall

# Fewer records than the self-check makes exits; it is not to wait for itself.
expect "a small ring" 0 1 /kvm/install --modules /ours --kvm-params "ring_records=32 on_full=wait"
[ "$(cat /sys/module/kvm/parameters/ring_records)" = 32 ] || failed "--kvm-params, two"
expect "good modules" 0 1 /kvm/install --modules /ours --kvm-params ring_records=4096
[ "$(cat /sys/module/kvm/parameters/ring_records)" = 4096 ] || failed "--kvm-params"
expect "once more" 0 1 /kvm/install --modules /ours
sleep 1000 3</dev/kvm &
sleep 1
expect "a user of KVM at the end" 1 1 /kvm/uninstall
kill $!
wait $! 2>/dev/null
expect "back" 0 0 /kvm/uninstall
mkdir -p /etc
echo nobody:x:65534:65534::/:/bin/sh >/etc/passwd
expect "not root" 1 0 su -s /bin/sh nobody -c '/kvm/install --modules /ours'
[ $vendor = kvm_intel ] || expect "vmx_caps refuses to load" 1 0 sh -c 'insmod /ours/vmx_caps.ko || exit 1'
[ $failures = 0 ]
