/* SPDX-License-Identifier: MIT
 * Decodes the Multiboot2 information that GRUB passes: one block of tags, each 8-aligned with its own size. The walk
 * goes by these sizes, never leaves the block and always advances. Tags of unknown type are skipped. The constants are
 * here because no package carries them as a header; the kernel's own Multiboot2 header is in boot.S. */
#include "arch/x86_64/boot_info.h"
#include "arch/x86_64/boot_table.h"

enum {
    INFO_HEADER_BYTES = 8, /* total size, reserved */
    INFO_BYTES_MAX = 1 << 20,
    TAG_HEADER_BYTES = 8, /* type, size */

    TAG_END = 0,
    TAG_CMDLINE = 1,
    TAG_LOADER = 2,
    TAG_MODULE = 3,
    TAG_MEMORY = 6,
    TAG_RSDP_V1 = 14,
    TAG_RSDP_V2 = 15,

    MODULE_START = 8,
    MODULE_END = 12,
    MODULE_CMDLINE = 16,
    MEMORY_ENTRY_SIZE = 8,
    MEMORY_ENTRIES = 16,
    MEMORY_ENTRY_BYTES_MIN = 24, /* base, length, type, reserved; newer loaders may append */

    RSDP_V1_BYTES = 20,
};

/* A tag inside the block: `size` counts from `bytes` and has been checked against the block's end. */
struct tag {
    paddr_t at;
    const uint8_t *bytes;
    uint32_t size;
};

static bool tag_text(const struct tag *tag, uint32_t offset, char *out, size_t out_bytes)
{
    return boot_text_copy(tag->at + offset, tag->size - offset, out, out_bytes);
}

static void module_decode(const struct tag *tag, struct boot_info *out)
{
    if (tag->size < MODULE_CMDLINE) {
        out->refused++;
        return;
    }
    const uint32_t start = load_le32(tag->bytes + MODULE_START);
    const uint32_t end = load_le32(tag->bytes + MODULE_END);
    struct boot_module *module = boot_info_add_module(out, start, end > start ? end - start : 0);
    if (module)
        (void)tag_text(tag, MODULE_CMDLINE, module->cmdline, sizeof module->cmdline);
}

static void memory_decode(const struct tag *tag, struct boot_info *out)
{
    const uint32_t step = tag->size < MEMORY_ENTRIES ? 0 : load_le32(tag->bytes + MEMORY_ENTRY_SIZE);
    if (step < MEMORY_ENTRY_BYTES_MIN) {
        out->refused++;
        return;
    }
    for (uint64_t i = MEMORY_ENTRIES; i + MEMORY_ENTRY_BYTES_MIN <= tag->size; i += step) {
        const uint8_t *entry = tag->bytes + i;
        boot_info_add_memory(out, load_le64(entry), load_le64(entry + 8), load_le32(entry + 16));
    }
}

static void rsdp_decode(const struct tag *tag, struct boot_info *out)
{
    const size_t wanted = load_le32(tag->bytes) == TAG_RSDP_V2 ? RSDP_BYTES_MAX : RSDP_V1_BYTES;
    if (tag->size - TAG_HEADER_BYTES < wanted) {
        out->refused++;
        return;
    }
    /* A loader may give both: the longer one leads to the XSDT, whatever their order. */
    if (wanted < out->rsdp_copy_bytes)
        return;
    memcpy(out->rsdp_copy, tag->bytes + TAG_HEADER_BYTES, wanted);
    out->rsdp_copy_bytes = wanted;
}

static void tag_decode(const struct tag *tag, struct boot_info *out)
{
    switch (load_le32(tag->bytes)) {
    case TAG_CMDLINE:
        out->cmdline_truncated = !tag_text(tag, TAG_HEADER_BYTES, out->cmdline, sizeof out->cmdline);
        break;
    case TAG_LOADER:
        (void)tag_text(tag, TAG_HEADER_BYTES, out->loader, sizeof out->loader);
        break;
    case TAG_MODULE:
        module_decode(tag, out);
        break;
    case TAG_MEMORY:
        memory_decode(tag, out);
        break;
    case TAG_RSDP_V1:
    case TAG_RSDP_V2:
        rsdp_decode(tag, out);
        break;
    default:
        break;
    }
}

enum status multiboot2_decode(paddr_t info, struct boot_info *out)
{
    if (info & 7)
        return STATUS_INVALID_ARGUMENT;
    const uint8_t *block = boot_table_at(info, INFO_HEADER_BYTES);
    if (!block)
        return STATUS_OUT_OF_RANGE;
    const uint32_t total = load_le32(block);
    if (total < INFO_HEADER_BYTES + TAG_HEADER_BYTES || total > INFO_BYTES_MAX)
        return STATUS_DATA_LOSS;
    if (!boot_table_at(info, total))
        return STATUS_OUT_OF_RANGE;

    memset(out, 0, sizeof *out);
    out->protocol = "Multiboot2";
    boot_info_add_reserve(out, info, total);
    uint64_t i = INFO_HEADER_BYTES;
    while (i + TAG_HEADER_BYTES <= total) {
        const struct tag tag = {.at = info + i, .bytes = block + i, .size = load_le32(block + i + 4)};
        if (tag.size < TAG_HEADER_BYTES || tag.size > total - i)
            break;
        if (load_le32(tag.bytes) == TAG_END)
            return STATUS_OK;
        tag_decode(&tag, out);
        i += (tag.size + UINT64_C(7)) & ~UINT64_C(7);
    }
    out->refused++; /* a tag with an impossible size, or no end tag: what came before it stands */
    return STATUS_OK;
}
