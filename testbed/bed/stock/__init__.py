# SPDX-License-Identifier: GPL-2.0-only
"""Cases on Debian's own modules."""
