# SPDX-License-Identifier: GPL-2.0-only
#
# For COMMANDs of L1 with testbed/run --qemu: . /bed/qemu

# exec_qemu MACHINE [OPTION...]: becomes Debian's QEMU with KVM, without a screen or a default
# device. A reset of the guest ends it, with status 0.
exec_qemu() {
	local machine=$1

	shift
	exec qemu-system-x86_64 -machine "$machine,accel=kvm" -cpu host -m 64 -nodefaults -no-user-config \
		-display none -no-reboot "$@"
}

# qmp PORT COMMAND [ARGUMENTS]: QEMU's answer to one command of its monitor, whose option is
# -qmp tcp:127.0.0.1:PORT,server=on,wait=off; status 1: QEMU has ended. Waits until it listens.
qmp() {
	local folder line="" answer="" status=1

	folder=$(mktemp -d)
	mkfifo "$folder/in" "$folder/out"
	while :; do
		nc 127.0.0.1 "$1" <"$folder/in" >"$folder/out" 2>/dev/null &
		exec 3>"$folder/in" 4<"$folder/out"
		read -r line <&4 && break # QEMU's greeting
		exec 3>&- 4<&-
		sleep 0.1
	done

	echo '{"execute": "qmp_capabilities"}' >&3
	read -r line <&4
	echo "{\"execute\": \"$2\"${3:+, \"arguments\": $3}}" >&3
	while read -r answer <&4; do
		case $answer in
		'{"return"'* | '{"error"'*)
			status=0
			break
			;;
		esac # else an event
	done
	exec 3>&- 4<&-
	wait $!
	rm -r "$folder"
	echo "$answer"
	return $status
}

# qmp_wait PORT STATUS: until the VM is in this state (RunState: running, paused, shutdown, ...).
qmp_wait() {
	until qmp "$1" query-status | grep -q "\"status\": \"$2\""; do
		sleep 0.1
	done
}

# qmp_stats PORT: KVM's statistic of each vCPU, as vmm prints it.
qmp_stats() {
	local vcpu=0 path exits

	for path in $(qmp "$1" query-cpus-fast | grep -o '"qom-path": "[^"]*"' | cut -d'"' -f4); do
		exits=$(qmp "$1" query-stats "{\"target\": \"vcpu\", \"vcpus\": [\"$path\"],
			\"providers\": [{\"provider\": \"kvm\", \"names\": [\"exits\"]}]}" |
			grep -o '"value": *[0-9]*' | grep -o '[0-9]*')
		echo "vmm stats vcpu=$vcpu of=qemu exits=$exits"
		vcpu=$((vcpu + 1))
	done
}

# wait_for TEXT FILE: until the file has the text.
wait_for() {
	until grep -q "$1" "$2" 2>/dev/null; do
		sleep 0.1
	done
}
