// SPDX-License-Identifier: MIT OR GPL-2.0
/*
 * The one BPF object. Each file in probes/ holds one family of kernel moments; see bpf/README.md.
 */
#include "kernel.h"

#include "probes/calls.bpf.h"
#include "probes/data.bpf.h"
#include "probes/fn_data.bpf.h"
#include "probes/fn_fin.bpf.h"
#include "probes/gai.bpf.h"
#include "probes/iter.bpf.h"
#include "probes/process.bpf.h"
#include "probes/state.bpf.h"
#include "probes/sweep.bpf.h"
#include "probes/trouble.bpf.h"
#include "probes/wire.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";
