#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# kernel_hook.sh - builds and installs the modules of exitscope-kvm for a kernel that apt installs
#
# kvm/install --dkms puts it into /etc/kernel/postinst.d and header_postinst.d, where apt runs it
# with the kernel's release. DKMS itself does not build the package by itself (AUTOINSTALL), because
# a build that fails would fail the installation of the kernel's packages. Here it does not: that
# kernel keeps its stock modules, and one line says so. Always exits with 0.
package=exitscope-kvm
kernel=${1-}

[ -n "$kernel" ] && command -v dkms >/dev/null || exit 0
[ -e "/lib/modules/$kernel/build/include" ] || exit 0 # its headers come later, or never
[ ! -f /etc/dkms/no-autoinstall ] || exit 0

for folder in /usr/src/"$package"-[0-9]*; do
	[ -f "$folder/dkms.conf" ] || continue
	module=$package/${folder#/usr/src/"$package"-}
	case $(dkms status "$module" -k "$kernel" 2>/dev/null) in
	*installed*) continue ;;
	esac
	if ! dkms install "$module" -k "$kernel" --force </dev/null >&2; then
		# Nothing half done stays, so that all modules are of one build.
		dkms unbuild "$module" -k "$kernel" </dev/null >/dev/null 2>&1
		echo "$package: kernel $kernel keeps its stock KVM modules (above is why; later: dkms install $module -k $kernel)" >&2
	fi
done
exit 0
