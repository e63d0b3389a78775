# SPDX-License-Identifier: GPL-2.0-only
# btf.sh - BTF for modules that kvm/build has compiled with -g, so that BPF programs can attach to
# their functions. Sourced by kvm/build, which has die().

# What a kernel image is compressed with: magic bytes, and what unpacks it.
image_formats() {
	printf '%s\n' '\xfd7zXZ\x00 xz' '\x28\xb5\x2f\xfd zstd' '\x02\x21\x4c\x18 lz4' '\x1f\x8b\x08 gzip'
}

# unpack_image IMAGE FILE: writes the kernel, an ELF file, that is compressed in IMAGE.
unpack_image() {
	local magic program offset

	while read -r magic program; do
		for offset in $(LC_ALL=C grep -aobP "$magic" "$1" | cut -d: -f1); do
			command -v "$program" >/dev/null || die "$program is missing: apt-get install $program"
			# What follows the kernel makes the program fail, once it has written it.
			tail -c +$((offset + 1)) "$1" | "$program" -dc >"$2" 2>/dev/null || :
			[ "$(head -c 4 "$2" | tail -c 3)" != ELF ] || return 0
		done
	done < <(image_formats)
	rm -f "$2"
	die "$1: no kernel found in it"
}

# kernel_btf KVER IMAGE FILE: writes the kernel's own BTF, on which that of its modules rests. The
# running kernel shows it; others have it in their image, IMAGE or the one in /boot.
kernel_btf() {
	local image=${2:-/boot/vmlinuz-$1}

	if [ -z "$2" ] && [ "$1" = "$(uname -r)" ] && [ -r /sys/kernel/btf/vmlinux ]; then
		cp /sys/kernel/btf/vmlinux "$3"
		return
	fi
	[ -r "$image" ] || die "$image: no such file (apt-get install linux-image-$1, or --image FILE)"
	unpack_image "$image" "$3"
	# Not -q: readelf would die of SIGPIPE.
	readelf -SW "$3" | grep -F ' .BTF ' >/dev/null || die "$image: the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
}

# add_btf BASE MODULE: makes it from the debugging information. 1: pahole failed, and said why.
add_btf() {
	pahole -J --btf_base "$1" "$2" >&2
}
