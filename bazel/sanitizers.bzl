"""How programs are linked that the tests start thousands of times under AddressSanitizer."""

# With the sanitizers' libraries inside and at a fixed address a program has fewer pages to relocate
# at its start and to search for leaks at its end: two thirds of the CPU time of a short command.
LINKOPTS = select({
    "//bazel:address_sanitizer": [
        "-static-libasan",
        "-static-libubsan",
        "-no-pie",
    ],
    "//conditions:default": [],
})
