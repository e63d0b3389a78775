#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Stands where Bazel would download a Java program for `bazel coverage`.
echo "bazel coverage is not set up in this project" >&2
exit 1
