// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/config_rules.cpp: see config_rules.hpp. A member that is not
// here is refused unless it is empty; so are the forty of COLO, which nobody
// has called stable.

#include "libteleport/xen/config_rules.hpp"

#include <array>

namespace teleport {
namespace {

using enum member_rule;
using members = std::span<const config_member>;

constexpr auto create_info = std::to_array<config_member>({
    {"type", word},
    {"hap", flag},
    {"oos", flag},
    {"ssidref", refused, {}, "seclabel"},
    {"ssid_label", refused, {}, "seclabel"},
    {"name", name},
    {"domid", of_host},
    {"uuid", word},
    {"xsdata", refused},
    {"platformdata", refused},
    {"poolid", of_host},
    {"pool_name", of_host},
    // xl.conf's: each host has its own.
    {"run_hotplug_scripts", of_host},
    {"driver_domain", refused},
    {"passthrough", refused},
    {"xend_suspend_evtchn_compat", flag},
});

constexpr auto vnc_info = std::to_array<config_member>({
    {"enable", flag},
    {"listen", address},
    // QEMU gets it by its control socket, never as an option.
    {"passwd", text},
    {"display", number},
    {"findunused", flag},
});

/// A window on the host's own screen.
constexpr auto sdl_info = std::to_array<config_member>({
    {"enable", refused, {}, "sdl"},
    {"opengl", flag},
    {"display", refused},
    {"xauthority", refused},
});

/// QEMU reads them as one option, whose parts commas divide.
constexpr auto spice_info = std::to_array<config_member>({
    {"enable", flag},
    {"port", number},
    {"tls_port", number},
    {"host", address},
    {"disable_ticketing", flag},
    {"passwd", word},
    {"agent_mouse", flag},
    {"vdagent", flag},
    {"clipboard_sharing", flag},
    {"usbredirection", number},
    {"image_compression", word},
    {"streaming_video", word},
});

constexpr auto vga_info = std::to_array<config_member>({{"kind", word}});

constexpr auto smbios_entry = std::to_array<config_member>({
    {"key", word},
    {"value", text},
});

constexpr auto hvm = std::to_array<config_member>({
    {"firmware", boot_file},
    {"bios", word},
    {"pae", flag},
    {"apic", flag},
    {"acpi", flag},
    {"acpi_s3", flag},
    {"acpi_s4", flag},
    {"acpi_laptop_slate", flag},
    {"nx", flag},
    {"viridian", flag},
    {"viridian_enable", plain},
    {"viridian_disable", plain},
    {"timeoffset", word},
    {"hpet", flag},
    {"vpt_align", flag},
    {"mmio_hole_memkb", number},
    {"timer_mode", word},
    {"nested_hvm", flag},
    {"altp2m", flag},
    {"system_firmware", boot_file, {}, "bios_path_override"},
    {"smbios_firmware", boot_file},
    {"smbios", list, members(smbios_entry)},
    {"acpi_firmware", boot_file},
    {"hdtype", word},
    {"nographic", flag},
    {"vga", object, members(vga_info)},
    {"vnc", object, members(vnc_info)},
    {"keymap", word},
    {"sdl", object, members(sdl_info)},
    {"spice", object, members(spice_info)},
    {"gfx_passthru", refused},
    {"gfx_passthru_kind", word},
    {"serial", serial},
    {"boot", word},
    {"usb", flag},
    {"usbversion", number},
    {"usbdevice", pointer},
    {"vkb_device", flag},
    {"soundhw", word},
    {"xen_platform_pci", flag},
    {"xen_platform_pci_bar_uc", flag},
    {"usbdevice_list", pointer, {}, "usbdevice"},
    {"vendor_device", word},
    {"ms_vm_genid", plain},
    {"serial_list", serial, {}, "serial"},
    {"rdm", plain},
    {"rdm_mem_boundary_memkb", number},
    {"mca_caps", plain},
    {"pirq", flag},
});

constexpr auto pv = std::to_array<config_member>({
    {"kernel", boot_file},
    {"slack_memkb", number},
    {"bootloader", boot_file},
    {"bootloader_args", refused},
    {"cmdline", text},
    {"ramdisk", boot_file},
    {"features", word},
    {"e820_host", flag},
});

constexpr auto pvh = std::to_array<config_member>({
    {"pvshim", flag},
    {"pvshim_path", boot_file},
    {"pvshim_cmdline", text},
    {"pvshim_extra", text},
});

constexpr auto build_info = std::to_array<config_member>({
    {"max_vcpus", number},
    {"avail_vcpus", plain},
    {"cpumap", of_host},
    {"nodemap", of_host},
    {"vcpu_hard_affinity", of_host},
    {"vcpu_soft_affinity", of_host},
    {"numa_placement", of_host},
    {"tsc_mode", word},
    {"max_memkb", number},
    {"target_memkb", number},
    {"video_memkb", number},
    {"shadow_memkb", number},
    {"iommu_memkb", number},
    {"rtc_timeoffset", number},
    {"exec_ssidref", refused, {}, "seclabel"},
    {"exec_ssid_label", refused, {}, "seclabel"},
    {"localtime", flag},
    {"disable_migrate", flag},
    {"cpuid", plain},
    {"blkdev_start", word},
    {"vnuma_nodes", refused, {}, "vnuma"},
    {"max_grant_frames", number},
    {"max_maptrack_frames", number},
    {"max_grant_version", number},
    {"device_model_version", word},
    {"device_model_stubdomain",
     refused,
     {},
     "device_model_stubdomain_override"},
    {"stubdomain_memkb", number},
    {"stubdomain_kernel", refused},
    {"stubdomain_cmdline", refused},
    {"stubdomain_ramdisk", refused},
    {"device_model", refused, {}, "device_model_override"},
    {"device_model_ssidref", refused},
    {"device_model_ssid_label", refused},
    {"device_model_user", refused},
    {"extra", refused, {}, "device_model_args"},
    {"extra_pv", refused, {}, "device_model_args_pv"},
    {"extra_hvm", refused, {}, "device_model_args_hvm"},
    {"sched_params", plain},
    {"ioports", refused},
    {"irqs", refused},
    {"iomem", refused},
    {"llc_colors", refused},
    {"claim_mode", flag},
    {"event_channels", number},
    {"kernel", boot_file},
    {"cmdline", text},
    {"ramdisk", boot_file},
    {"device_tree", boot_file},
    {"acpi", flag},
    {"bootloader", boot_file},
    {"bootloader_args", refused},
    {"bootloader_restrict", flag},
    {"bootloader_user", refused},
    {"timer_mode", word},
    {"nested_hvm", flag},
    {"apic", flag},
    {"dm_restrict", flag},
    {"tee", refused},
    {"type", word},
    {"type.hvm", object, members(hvm)},
    {"type.pv", object, members(pv)},
    {"type.pvh", object, members(pvh)},
    {"type.invalid", refused},
    {"arch_arm", plain},
    {"arch_x86", plain},
    {"altp2m", word},
    {"altp2m_count", number},
    {"vmtrace_buf_kb", number},
    {"vpmu", flag},
    {"trap_unmapped_accesses", flag},
    {"xenstore_feature_mask", number},
    {"xenstore_quota", plain},
});

constexpr auto disk = std::to_array<config_member>({
    {"backend_domid", dom0, {}, "backend"},
    {"backend_domname", dom0, {}, "backend"},
    {"pdev_path", of_host},
    {"vdev", word},
    {"backend", word},
    {"format", word},
    // It attached the old device; the new one is a plain block device.
    {"script", of_host},
    {"removable", flag},
    {"readwrite", flag},
    {"is_cdrom", flag},
    {"direct_io_safe", flag},
    {"discard_enable", flag},
    {"specification", word},
    {"transport", word},
    {"irq", of_host},
    {"base", of_host},
    {"colo_enable", refused},
    {"colo_restore_enable", refused},
    {"colo_host", refused},
    {"colo_port", refused},
    {"colo_export", refused},
    {"active_disk", refused},
    {"hidden_disk", refused},
    {"trusted", flag},
    {"grant_usage", flag},
});

constexpr auto nic = std::to_array<config_member>({
    {"backend_domid", dom0, {}, "backend"},
    {"backend_domname", dom0, {}, "backend"},
    {"devid", number},
    {"mtu", number},
    {"vlan", word},
    {"model", word},
    {"mac", word},
    {"ip", address},
    {"bridge", word},
    {"ifname", word, {}, "vifname"},
    {"script", script},
    {"nictype", word},
    {"rate_bytes_per_interval", number},
    {"rate_interval_usecs", number},
    {"gatewaydev", word},
    {"trusted", flag},
});

constexpr auto vfb = std::to_array<config_member>({
    {"backend_domid", dom0, {}, "backend"},
    {"backend_domname", dom0, {}, "backend"},
    {"devid", number},
    {"vnc", object, members(vnc_info)},
    {"sdl", object, members(sdl_info)},
    {"keymap", word},
});

constexpr auto vkb = std::to_array<config_member>({
    {"backend_domid", dom0, {}, "backend"},
    {"backend_domname", dom0, {}, "backend"},
    {"devid", number},
    {"backend_type", word},
    {"unique_id", word},
    {"feature_disable_keyboard", flag},
    {"feature_disable_pointer", flag},
    {"feature_abs_pointer", flag},
    {"feature_raw_pointer", flag},
    {"feature_multi_touch", flag},
    {"width", number},
    {"height", number},
    {"multi_touch_width", number},
    {"multi_touch_height", number},
    {"multi_touch_num_contacts", number},
});

constexpr auto domain_config = std::to_array<config_member>({
    {"c_info", object, members(create_info)},
    {"b_info", object, members(build_info)},
    {"disks", disks, members(disk)},
    {"nics", list, members(nic)},
    {"pcidevs", refused, {}, "pci"},
    {"rdms", refused, {}, "rdm"},
    {"dtdevs", refused, {}, "dtdev"},
    {"vfbs", list, members(vfb)},
    {"vkbs", list, members(vkb)},
    {"virtios", refused, {}, "virtio"},
    {"vtpms", refused, {}, "vtpm"},
    {"p9s", refused, {}, "p9"},
    {"pvcallsifs", refused, {}, "pvcalls"},
    {"vdispls", refused, {}, "vdispl"},
    {"vsnds", refused, {}, "vsnd"},
    {"channels", refused, {}, "channel"},
    {"usbctrls", refused, {}, "usbctrl"},
    {"usbdevs", refused, {}, "usbdev"},
    {"on_poweroff", word},
    {"on_reboot", word},
    {"on_watchdog", word},
    {"on_crash", word},
    {"on_soft_reset", word},
});

}  // namespace

std::span<const config_member> config_members() noexcept {
  return domain_config;
}

}  // namespace teleport
