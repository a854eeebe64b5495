/* SPDX-License-Identifier: MIT
 * What tests/host/test_vmm_configs.py asks of Xen's own libraries, none of which needs a Xen below it:
 *     config FILE      the file as xl reads it (libxlutil), one value a line: KEY=VALUE, KEY[N]=VALUE for lists; values of
 *                      enumerations and disks are also given to the functions that xl gives them to
 *     kernel FILE      whether Xen's domain builder takes the ELF for the kernel of a PVH guest; its log is on stderr
 * Exit status 0 if Xen's libraries are content, 1 if not, with a line on stderr that says why. */
#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>
#include <xenguest.h>

#define CAPABILITIES "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "

static int complain(const char *what, const char *about)
{
    fprintf(stderr, "%s: %s\n", about, what);
    return 1;
}

/* The enumerations of xl.cfg, by the parsers of libxl that xl calls for them. */
static bool word_known(const char *key, const char *value)
{
    union {
        libxl_domain_type type;
        libxl_tsc_mode tsc;
        libxl_action_on_shutdown action;
    } parsed;
    if (!strcmp(key, "type"))
        return !libxl_domain_type_from_string(value, &parsed.type);
    if (!strcmp(key, "tsc_mode"))
        return !libxl_tsc_mode_from_string(value, &parsed.tsc);
    if (!strncmp(key, "on_", 3)) {
        char word[64];
        snprintf(word, sizeof word, "%s", value);
        for (char *c = word; *c; c++)
            *c = *c == '-' ? '_' : *c;
        return !libxl_action_on_shutdown_from_string(word, &parsed.action);
    }
    return true;
}

static bool disk_sound(XLU_Config *config, const char *text)
{
    libxl_device_disk disk;
    libxl_device_disk_init(&disk);
    bool sound = !xlu_disk_parse(config, 1, &text, &disk);
    libxl_device_disk_dispose(&disk);
    return sound;
}

static int list_show(XLU_Config *config, const char *key)
{
    XLU_ConfigList *list;
    const char *item;
    int count;
    if (xlu_cfg_get_list(config, key, &list, &count, 1))
        return complain("has no value", key);
    for (int i = 0; i < count; i++) {
        item = xlu_cfg_get_listitem(list, i);
        if (!item || (!strcmp(key, "disk") && !disk_sound(config, item)))
            return complain("libxlutil refuses an item", key);
        printf("%s[%d]=%s\n", key, i, item);
    }
    return 0;
}

static int value_show(XLU_Config *config, const char *key)
{
    const char *text;
    long number;
    if (!xlu_cfg_get_string(config, key, &text, 1)) {
        if (!word_known(key, text))
            return complain("libxl does not know this word", text);
        printf("%s=%s\n", key, text);
        return 0;
    }
    if (xlu_cfg_get_long(config, key, &number, 1))
        return list_show(config, key);
    printf("%s=%ld\n", key, number);
    return 0;
}

/* The keys are argv[3] and on: libxlutil finds values by name only. */
static int config_check(const char *path, char **keys)
{
    XLU_Config *config = xlu_cfg_init(stderr, "xl");
    int failed = !config || xlu_cfg_readfile(config, path);
    if (failed)
        return complain("libxlutil cannot read it", path);
    for (; *keys; keys++)
        failed |= value_show(config, *keys);
    xlu_cfg_destroy(config);
    return failed;
}

static int kernel_check(const char *path)
{
    xc_interface *xen = xc_interface_open(NULL, NULL, XC_OPENFLAG_DUMMY);
    struct xc_dom_image *dom = xen ? xc_dom_allocate(xen, NULL, NULL) : NULL;
    if (!dom)
        return complain("no domain builder", path);
    dom->container_type = XC_DOM_HVM_CONTAINER;
    strcpy(dom->xen_caps, CAPABILITIES);
    int failed = xc_dom_kernel_file(dom, path) || xc_dom_parse_image(dom);
    printf("guest type %s\n", failed || !dom->guest_type ? "none" : dom->guest_type);
    xc_dom_release(dom);
    xc_interface_close(xen);
    return failed ? complain("Xen's domain builder refuses it", path) : 0;
}

int main(int argc, char **argv)
{
    if (argc >= 3 && !strcmp(argv[1], "config"))
        return config_check(argv[2], argv + 3);
    if (argc == 3 && !strcmp(argv[1], "kernel"))
        return kernel_check(argv[2]);
    fprintf(stderr, "usage: %s config FILE KEY... | kernel FILE\n", argv[0]);
    return 2;
}
