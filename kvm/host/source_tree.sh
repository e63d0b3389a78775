# SPDX-License-Identifier: GPL-2.0-only
# source_tree.sh - for kvm/build: kernel sources and headers that are not Debian's packages
#
# The caller sets $me and $here, and has read usage.sh and series.sh. A tree fits the hooks of
# another series if every hunk finds its place with all lines around it (no fuzz): a hook in a
# wrong place would count too, and nobody would see it.

# check_tree TREE: ends the script if it is not a kernel's source, or has the hooks already.
check_tree() {
	local file

	[ -e "$1" ] || die "--source $1: no such folder"
	[ -d "$1" ] || die "--source $1: not a folder (unpack it first: tar -xf $1)"
	for file in Makefile arch/x86/kvm/Makefile virt/kvm/kvm_main.c; do
		[ -f "$1/$file" ] || die "--source $1: not a kernel source tree: $file is missing"
	done
	[ ! -e "$1/arch/x86/kvm/exit_ring.h" ] ||
		die "--source $1: it has the hooks already (take the tree as it was before)"
}

# check_headers DIR: ends the script if no module can be built with them.
check_headers() {
	[ -d "$1" ] || die "--headers $1: no such folder"
	[ -f "$1/Makefile" ] || die "--headers $1: not a kernel's headers: Makefile is missing"
	[ -f "$1/include/generated/utsrelease.h" ] ||
		die "--headers $1: this kernel was not built (run make there, or take the headers package of a kernel)"
	[ -f "$1/Module.symvers" ] ||
		die "--headers $1: Module.symvers is missing (make modules_prepare does not do; run make there)"
}

# headers_release DIR: as uname -r will show it.
headers_release() {
	sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$1/include/generated/utsrelease.h"
}

# tree_version TREE: x.y.z, with -rcN.
tree_version() {
	awk -F ' *= *' '
		/^VERSION/ { version = $2 }
		/^PATCHLEVEL/ { patchlevel = $2 }
		/^SUBLEVEL/ { sublevel = $2 }
		/^EXTRAVERSION/ { print version "." patchlevel "." sublevel $2; exit }' "$1/Makefile"
}

# configured DIR NAME: m, y or nothing.
configured() {
	sed -n "s/^CONFIG_$2=//p" "$1/include/config/auto.conf" 2>/dev/null
}

# modules_of DIR: kvm and the vendors' modules that this kernel has.
modules_of() {
	case $(configured "$1" KVM) in
	m) ;;
	y) die "$1: this kernel has KVM built in (CONFIG_KVM=y), which modules can't replace" ;;
	*) die "$1: this kernel has no KVM (CONFIG_KVM=m is needed)" ;;
	esac
	echo kvm
	[ "$(configured "$1" KVM_INTEL)" != m ] || echo kvm-intel
	[ "$(configured "$1" KVM_AMD)" != m ] || echo kvm-amd
}

# nearest_series VERSION: the series of all patches, the nearest first, the newer one of two. A
# major number has 20 minor ones: 6.19 came before 7.0.
nearest_series() {
	local patch

	for patch in "$here"/patches/*.patch; do
		basename "$patch" .patch
	done | awk -v version="$1" '
		function place(text, part) {
			split(text, part, ".")
			return part[1] * 20 + part[2]
		}
		{
			distance = place($1) - place(version)
			print (distance < 0 ? -distance : distance), -place($1), $1
		}' | sort -n -k 1,1 -k 2,2 | awk '{ print $3 }'
}

# apply_exactly PATCH FOLDER [OPTION...]: prints what patch says.
apply_exactly() {
	local patch=$1 folder=$2

	shift 2
	patch -f --fuzz=0 -p1 --no-backup-if-mismatch -d "$folder" "$@" <"$patch"
}

# fitting_series FOLDER VERSION: the nearest whose patch applies to FOLDER; nothing if none does.
fitting_series() {
	local series

	for series in $(nearest_series "$2"); do
		if apply_exactly "$here/patches/$series.patch" "$1" --dry-run >/dev/null 2>&1; then
			echo "$series"
			return
		fi
	done
}

# show_rejects PATCH FOLDER TO: applies what fits; prints the hunks that don't, and keeps them in TO.
show_rejects() {
	local file

	apply_exactly "$1" "$2" | awk '
		/^patching file/ { file = $3 }
		/^Hunk .* FAILED|out of .* hunks? ignored/ { print file ": " $0 }
		/^can.t find file/ { file = "a file that is not there" }' || :
	rm -rf "$3"
	(cd "$2" && find . -name '*.rej' | sort) | while read -r file; do
		mkdir -p "$3/${file%/*}"
		mv "$2/$file" "$3/$file"
		cat "$3/$file"
	done
}

# apply_nearest FOLDER VERSION TO: the hooks, into FOLDER. Ends the script if no patch fits; then
# TO has what the nearest one's rejects are.
apply_nearest() {
	local series nearest patch

	series=$(fitting_series "$1" "$2")
	if [ -n "$series" ]; then
		apply_exactly "$here/patches/$series.patch" "$1" >/dev/null
		say "Linux $2: the hooks of patches/$series.patch fit"
		return
	fi

	nearest=$(nearest_series "$2" | sed -n 1p)
	patch=$here/patches/$nearest.patch
	show_rejects "$patch" "$1" "$3" >&2
	die "Linux $2: no patch fits; what the nearest, patches/$nearest.patch, rejects is above and in $3 (kvm/README.md, Adding a kernel series)"
}

# older_source SOURCE_PACKAGE HEADERS_PACKAGE: says so where Debian's source is of an earlier revision
# than the headers, and so than the kernel: both may be of the same x.y.z.
older_source() {
	local of_source of_headers

	of_source=$(dpkg-query -W -f='${Version}' "$1" 2>/dev/null)
	of_headers=$(dpkg-query -W -f='${Version}' "$2" 2>/dev/null)
	[ -n "$of_source" ] && [ -n "$of_headers" ] &&
		dpkg --compare-versions "$of_source" lt "$of_headers" &&
		echo "$1 is $of_source, older than $2 $of_headers"
}
