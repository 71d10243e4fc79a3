// SPDX-License-Identifier: MIT
#include "symbol.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

static bool symbol_is(Elf *elf, size_t names, const GElf_Sym *sym, const char *name)
{
	const char *text;

	if (GELF_ST_TYPE(sym->st_info) != STT_FUNC || sym->st_shndx == SHN_UNDEF)
		return false;
	text = elf_strptr(elf, names, sym->st_name);
	return text && !strcmp(text, name);
}

/* The symbol's address as the file was linked; 0 = this section has no such symbol. */
static GElf_Addr find_in(Elf *elf, Elf_Scn *section, const char *name)
{
	GElf_Shdr head;
	GElf_Sym sym;
	Elf_Data *data;

	if (!gelf_getshdr(section, &head) || head.sh_type != SHT_DYNSYM)
		return 0;
	data = elf_getdata(section, NULL);
	for (int i = 0; data && gelf_getsym(data, i, &sym); i++)
		if (symbol_is(elf, head.sh_link, &sym, name))
			return sym.st_value;
	return 0;
}

/* From that address to a place in the file: through the segment that holds it. */
static long file_offset(Elf *elf, GElf_Addr address)
{
	GElf_Phdr h;

	for (int i = 0; gelf_getphdr(elf, i, &h); i++) {
		if (h.p_type != PT_LOAD || address < h.p_vaddr || address - h.p_vaddr >= h.p_filesz)
			continue;
		address = address - h.p_vaddr + h.p_offset;
		return address > LONG_MAX ? -ENOEXEC : (long)address;
	}
	return -ENOEXEC;
}

static long find(Elf *elf, const char *name)
{
	Elf_Scn *section = NULL;
	GElf_Addr address = 0;

	while (!address && (section = elf_nextscn(elf, section)))
		address = find_in(elf, section, name);
	return address ? file_offset(elf, address) : -ENOENT;
}

long symbol_offset(const char *path, const char *name)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	long offset = -ENOEXEC;
	Elf *elf;

	if (fd < 0)
		return -errno;
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		offset = find(elf, name);
	elf_end(elf);
	close(fd);
	return offset;
}
