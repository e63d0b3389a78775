# SPDX-License-Identifier: GPL-2.0-only
# mdoc.awk - text as mdoc(7) takes it; for the scripts that make man pages

function escape(text) {
	gsub(/\\/, "\\e", text)
	gsub(/"/, "\\(dq", text)
	if (text ~ /^[.']/)
		text = "\\&" text
	return text
}
