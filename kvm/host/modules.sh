# SPDX-License-Identifier: GPL-2.0-only
# modules.sh - what kvm/install and kvm/uninstall share (POSIX sh, also busybox)
#
# The caller sets $me, its name in messages, and $here, the folder kvm/.
package=exitscope-kvm # its name for DKMS
series_table=$here/series
. "$here/host/usage.sh"
. "$here/host/series.sh"
version=$(cat "$here/../VERSION")

# kvm_intel or kvm_amd, whichever this CPU takes.
vendor_module() {
	if grep -qw vmx /proc/cpuinfo; then
		echo kvm_intel
	elif grep -qw svm /proc/cpuinfo; then
		echo kvm_amd
	else
		die "this CPU has neither VMX nor SVM, or the firmware turned it off (VT-x or SVM in its setup)"
	fi
}

loaded() {
	[ -d "/sys/module/$1/holders" ]
}

# Whether kvm.ko is the one with the exit ring.
ours_loaded() {
	[ -e /sys/module/kvm/parameters/ring_records ]
}

# Processes that hold VMs or the exit ring, as "PID (name)", with commas.
kvm_users() {
	comma=
	ls -l /proc/[0-9]*/fd 2>/dev/null | awk '
		/^\/proc\// { split($0, part, "/") }
		/ -> (\/dev\/kvm|\/dev\/kvm_exit_ring|anon_inode:kvm-.*)$/ { print part[3] }' |
		sort -un | while read -r pid; do
		printf '%s%s (%s)' "$comma" "$pid" "$(cat "/proc/$pid/comm" 2>/dev/null)"
		comma=", "
	done
}

# What else than the vendor module uses kvm.ko.
kvm_holders() {
	for holder in /sys/module/kvm/holders/*; do
		case ${holder##*/} in
		kvm_intel | kvm_amd | '*') ;;
		*) printf '%s ' "${holder##*/}" ;;
		esac
	done
}

# Ends the program if the modules are in use. They may be so a moment later: then
# the unloading fails and nothing has changed.
refuse_if_busy() {
	users=$(kvm_users)
	[ -z "$users" ] || die "KVM is in use by $users: end these programs first"
	holders=$(kvm_holders)
	[ -z "$holders" ] || die "kvm.ko is in use by the module(s) $holders: unload them first"
	for module in kvm_intel kvm_amd; do
		[ "$(cat "/sys/module/$module/refcnt" 2>/dev/null || echo 0)" = 0 ] ||
			die "$module is in use: end all VMs first"
	done
}

# Unloads the KVM modules that are loaded. Returns 1 if one can't be unloaded.
unload_kvm() {
	for module in kvm_intel kvm_amd kvm; do
		if loaded $module && ! rmmod $module; then
			return 1
		fi
	done
}

# dkms_conf: dkms.conf with the package's version and its kernels filled in.
dkms_conf() {
	kernels=$(series_list | sed 's/\./\\\\./g' | tr '\n' '|' | sed 's/|$//')
	sed -e "s/@VERSION@/$version/" -e "s/@KERNELS@/$kernels/" "$here/dkms.conf"
}

# dkms_copy FOLDER: the package as DKMS takes it.
dkms_copy() {
	mkdir -p "$1" && cp -r "$here"/* "$here/../VERSION" "$1/" && dkms_conf >"$1/dkms.conf"
}

# Folders of what apt runs when it installs a kernel or its headers
kernel_hooks="/etc/kernel/postinst.d /etc/kernel/header_postinst.d"

# dkms_add_hooks: kernels that apt installs later get modules too, where they can be built.
dkms_add_hooks() {
	for folder in $kernel_hooks; do
		mkdir -p "$folder" && cp "$here/host/kernel_hook.sh" "$folder/$package" &&
			chmod 755 "$folder/$package" || return 1
	done
}

# The Debian package brings its own modules: taking them from under it would leave it without its
# files, and later kernels without modules.
refuse_if_packaged() {
	[ "$(dpkg-query -W -f='${db:Status-Status}' exitscope-dkms 2>/dev/null)" != installed ] ||
		die "the package exitscope-dkms is installed: apt purge exitscope-dkms first"
}

# Takes every version of the package out of DKMS.
dkms_forget() {
	for folder in $kernel_hooks; do
		rm -f "$folder/$package"
	done
	for folder in /var/lib/dkms/$package/[0-9]*; do
		[ -d "$folder" ] || continue
		dkms remove "$package/${folder##*/}" --all >&2 || return 1
		rm -rf "/usr/src/$package-${folder##*/}"
	done
}

# Loads Debian's modules, or those that DKMS installed over them.
load_installed() {
	modprobe "$1"
}
