# SPDX-License-Identifier: MIT
# bats-support and bats-assert, which every test loads anew: their own load.bash starts a process for each of their files,
# and that takes longer than many a test.

for part in "${BATS_LIB_PATH:-/usr/lib/bats}"/bats-{support,assert}/src/*.bash; do
    # shellcheck source=/dev/null
    source "$part"
done
unset part
