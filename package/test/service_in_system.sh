# SPDX-License-Identifier: GPL-2.0-only
# service_in_system.sh - what package/test/service runs as root in a systemd of its own
#
# Prints a line for each claim, "ok CLAIM" or "FAILED CLAIM", and at last "end".
here=/srv/service_test
unit=exitscope-record@all
data=/var/lib/exitscope/all

# claim NAME COMMAND...
claim() {
	local name=$1

	shift
	if "$@" >/tmp/claim 2>&1; then
		echo "ok $name"
	else
		echo "FAILED $name"
		sed 's/^/    /' /tmp/claim
		systemctl status --no-pager $unit | sed 's/^/    /'
	fi
}

not() { ! "$@"; }

# within SECONDS COMMAND...: it succeeds in that time.
within() {
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

property() { systemctl show --value -p "$1" $unit; }

is() { [ "$1" = "$2" ] || { echo "$1 instead of $2"; false; }; }

install_package() {
	dpkg -i "$here"/exitscope_*.deb >/tmp/dpkg 2>&1 || { cat /tmp/dpkg; return 1; }
}

stand_in() {
	printf '#!/bin/sh\nexec python3 %s/rights.py "$@"\n' $here >/usr/libexec/exitscope/collector
}

# rights: all that the stand-in tried came out as it should.
rights() {
	cat $data/rights
	[ "$(grep -vc ': as it should$' $data/rights)" = 1 ] # the last line
}

state_is() { is "$(stat -c "%a %U" $data)" "750 root"; }

no_trace() {
	find /usr /var /etc -xdev \( -path /var/lib/dpkg -o -path /var/log -o -path /var/cache \) -prune -o \
		-name '*exitscope*' -print | not grep .
}

# In containers it forbids packages to start and stop services.
rm -f /usr/sbin/policy-rc.d
claim "it installs" install_package
claim "it is off until it is enabled" not systemctl is-active $unit
claim "nobody has enabled it" not systemctl is-enabled $unit
stand_in
# A process of another user, whose open files the collector has to see.
setpriv --reuid 65534 --regid 65534 --clear-groups sleep 1000 &
claim "it can be enabled and started" systemctl enable --now $unit
claim "it records" within 30 grep -sqx end $data/rights
claim "it may do what the collector needs, and no more" rights
claim "its folder is root's and the group's" state_is

main=$(property MainPID)
claim "an upgrade installs" install_package
claim "an upgrade ends no recording" is "$(property MainPID)" "$main"
stand_in

claim "it stops" systemctl stop $unit
claim "a recording that is stopped has ended properly" is "$(property Result)" success
claim "SIGTERM arrived" grep -qx "ended by SIGTERM" $data/rights

mkdir -p /etc/exitscope
echo KEEP_DAYS=0 >/etc/exitscope/all.conf
systemctl start $unit
claim "a wrong setting is a line in the journal" within 30 \
	sh -c "journalctl -q -o cat -u $unit | grep 'record-days: KEEP_DAYS=0: not a number of days'"
claim "it is tried again" within 30 sh -c "[ \$(systemctl show --value -p NRestarts $unit) -ge 2 ]"
rm /etc/exitscope/all.conf $data/rights
claim "it records when the setting is right" within 30 grep -sqx end $data/rights
rm $data/rights
claim "a recording ends at midnight" systemctl kill -s USR1 $unit
claim "then the next one begins" within 30 grep -sqx end $data/rights
claim "a recording that ended is not a failure" is "$(property Result)" success

claim "it is removed while it records" dpkg -r exitscope
claim "removal stops it" not pgrep -af rights.py
claim "removal keeps databases" test -s $data/rights
claim "it is purged" dpkg -P exitscope
claim "a purge leaves nothing" no_trace
echo end
