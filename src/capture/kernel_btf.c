// SPDX-License-Identifier: MIT
#include "kernel_btf.h"

#include <bpf/btf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Names that the linker makes of --wrap=btf__load_vmlinux_btf. */
struct btf *__real_btf__load_vmlinux_btf(void);
struct btf *__wrap_btf__load_vmlinux_btf(void);

const void *kernel_btf_map(size_t *size)
{
	int fd = open(KERNEL_BTF_PATH, O_RDONLY | O_CLOEXEC);
	void *data = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (!fstat(fd, &st) && st.st_size > 0) {
		*size = st.st_size;
		data = mmap(NULL, *size, PROT_READ, MAP_PRIVATE, fd, 0);
	}
	close(fd);
	return data == MAP_FAILED ? NULL : data;
}

struct btf *__wrap_btf__load_vmlinux_btf(void)
{
	size_t size = 0;
	const void *data = kernel_btf_map(&size);
	struct btf *btf = data ? btf__new(data, size) : NULL;

	if (data)
		munmap((void *)data, size);
	return btf ? btf : __real_btf__load_vmlinux_btf();
}
