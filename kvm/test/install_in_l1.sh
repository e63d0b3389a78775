#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Runs in L1 of an emulated machine (see kvm/test/install): kvm/install and
# kvm/uninstall with good modules, bad modules and a VM in the way.
#	/kvm		this folder	/ours	modules with the exit ring, selfcheck
#	/bed/modules	stock modules
vendor=kvm_amd
grep -qw vmx /proc/cpuinfo && vendor=kvm_intel
file=$(echo $vendor | tr _ -)
failures=0

# The stock modules where modprobe finds them.
tree=/lib/modules/$(uname -r)
mkdir -p "$tree"
cp /bed/modules/irqbypass.ko /bed/modules/kvm.ko /bed/modules/$vendor.ko "$tree"
depmod
modprobe $vendor || exit 1

# expect WHAT STATUS RING COMMAND...: RING 1 if the exit ring must be there afterwards
expect() {
	what=$1 status=$2 ring=$3
	shift 3
	"$@" >/tmp/out 2>&1
	got=$?
	have=0
	[ -c /dev/kvm_exit_ring ] && have=1
	if [ $got != $status ] || [ $have != $ring ] || [ ! -d /sys/module/$vendor ]; then
		echo "FAILED: $what: status $got, ring $have"
		cat /tmp/out
		failures=$((failures + 1))
	else
		echo "ok: $what: $(tail -n 1 /tmp/out)"
	fi
}

variant() {
	rm -rf /variant
	cp -r /ours /variant
}

sleep 1000 3</dev/kvm &
sleep 1
expect "a user of KVM" 1 0 /kvm/install --modules /ours
grep -q "in use by $! (sleep)" /tmp/out || { echo "FAILED: the user is not named"; failures=$((failures + 1)); }
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
	if [ -n "$(ls -d /usr/src/* /var/lib/dkms/*/* /stock 2>/dev/null)" ]; then
		echo "FAILED: $1: something is left in DKMS"
		failures=$((failures + 1))
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

expect "good modules" 0 1 /kvm/install --modules /ours --kvm-params ring_records=4096
[ "$(cat /sys/module/kvm/parameters/ring_records)" = 4096 ] || { echo "FAILED: --kvm-params"; failures=$((failures + 1)); }
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
