runs --vcpus
