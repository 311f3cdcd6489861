// SPDX-License-Identifier: LGPL-2.1-or-later
//
// libteleport/xen/toolstack.cpp: see domain.hpp. `rc` is a libxl code
// throughout.

#include "libteleport/xen/toolstack.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <utility>

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "libteleport/base/units.hpp"
#include "libteleport/disk/block_sysfs.hpp"
#include "libteleport/xen/config.hpp"
#include "libteleport/xen/disk_users.hpp"
#include "libteleport/xen/domain_signs.hpp"
#include "libteleport/xen/libxl_context.hpp"
#include "libteleport/xen/running_disks.hpp"
#include "libteleport/xen/xenstore.hpp"

namespace teleport {
namespace {

/// A libxl struct with its init and dispose functions.
template <class T, void (*Init)(T*), void (*Dispose)(T*)>
class libxl_value {
 public:
  libxl_value() { Init(&value_); }
  libxl_value(const libxl_value&) = delete;
  libxl_value& operator=(const libxl_value&) = delete;
  libxl_value(libxl_value&&) = delete;
  libxl_value& operator=(libxl_value&&) = delete;
  ~libxl_value() { Dispose(&value_); }
  T* get() { return &value_; }
  T* operator->() { return &value_; }

 private:
  T value_{};
};
using domain_config = libxl_value<libxl_domain_config,
                                  libxl_domain_config_init,
                                  libxl_domain_config_dispose>;
using domain_info =
    libxl_value<libxl_dominfo, libxl_dominfo_init, libxl_dominfo_dispose>;
using physical_info =
    libxl_value<libxl_physinfo, libxl_physinfo_init, libxl_physinfo_dispose>;

struct domain_list {
  int count = 0;  // before `all`, which sets it
  libxl_dominfo* all;

  explicit domain_list(libxl_ctx* ctx) : all(libxl_list_domain(ctx, &count)) {}
  domain_list(const domain_list&) = delete;
  domain_list& operator=(const domain_list&) = delete;
  domain_list(domain_list&&) = delete;
  domain_list& operator=(domain_list&&) = delete;
  ~domain_list() {
    if (all != nullptr) {
      libxl_dominfo_list_free(all, count);
    }
  }
  [[nodiscard]] const libxl_dominfo* begin() const { return all; }
  [[nodiscard]] const libxl_dominfo* end() const {
    return all == nullptr ? nullptr : all + count;
  }
};

std::string text_of(const libxl_uuid& uuid) {
  std::array<char, 37> text{};
  static_cast<void>(std::snprintf(
      text.data(), text.size(), LIBXL_UUID_FMT, LIBXL_UUID_BYTES(uuid)));
  return text.data();
}

std::string name_by_domid(libxl_ctx* ctx, std::uint32_t domid) {
  const c_text name(libxl_domid_to_name(ctx, domid));
  return name ? name.get() : "";
}

/// What Xen says of a domain, and xenstore where that counts.
result<guest_state> look_at(libxl_ctx* ctx, const libxl_dominfo& info) {
  domain_signs signs;
  signs.dying = info.dying;
  signs.shut_down = info.shutdown;
  signs.by_suspend = info.shutdown_reason == LIBXL_SHUTDOWN_REASON_SUSPEND;
  signs.paused = info.paused;
  signs.has_memory = info.current_memkb != 0;
  if (may_be_half_destroyed(signs)) {
    auto store = xenstore::open();
    if (!store) {
      return store.error();
    }
    signs.has_name = !name_by_domid(ctx, info.domid).empty();
    signs.devices =
        devices_of({[&](const std::string& path) { return store->list(path); },
                    [&](const std::string& path) { return store->read(path); }},
                   info.domid);
  }
  return state_of(signs);
}

/// What the backend itself says of a disk: `path` is its xenstore directory.
void read_backend(xenstore& store, const std::string& path, guest_disk& disk) {
  disk.read_only = store.read(path + "/mode").value_or("r") != "w";
  disk.is_cdrom = store.read(path + "/device-type").value_or("") == "cdrom";
  const std::string type = store.read(path + "/type").value_or("");
  if (!type.empty()) {
    disk.backend = type;
  }
  const auto numbers =
      read_physical_device(store.read(path + "/physical-device").value_or(""));
  if (!numbers) {
    return;
  }
  disk.major = numbers->major;
  disk.minor = numbers->minor;
  disk.device = path_of_device(disk.major, disk.minor);
  const std::string sectors =
      block_attribute(numbers_of(makedev(disk.major, disk.minor)), "size");
  std::uint64_t count = 0;
  std::from_chars(sectors.data(), sectors.data() + sectors.size(), count);
  disk.size = count * sector_bytes;
}

/// Disks by libxl's own tree, which the guest cannot write.
result<void> read_disks(std::uint32_t domid, std::vector<guest_disk>& disks) {
  auto store = xenstore::open();
  if (!store) {
    return store.error();
  }
  const std::string tree = "/libxl/" + std::to_string(domid) + "/device/vbd/";
  for (const std::string& id : store->list(tree.substr(0, tree.size() - 1))) {
    const auto backend = store->read(std::string(tree).append(id) + "/backend");
    if (!backend) {
      continue;
    }
    if (!is_dom0_backend(*backend)) {
      return error{errc::unsupported,
                   "a disk is served by a driver domain (" + *backend +
                       "), which a teleport does not follow: serve it from "
                       "dom0"};
    }
    const std::string vdev = store->read(*backend + "/dev").value_or("");
    const auto disk =
        std::find_if(disks.begin(), disks.end(), [&](const guest_disk& d) {
          return d.vdev == vdev;
        });
    if (disk == disks.end()) {
      return error{errc::system,
                   "disk '" + vdev + "' at " + *backend +
                       " is not in the guest's configuration"};
    }
    read_backend(*store, *backend, *disk);
  }
  return {};
}

}  // namespace

struct toolstack::state_data {
  std::unique_ptr<libxl_context> context;

  [[nodiscard]] libxl_ctx* ctx() const { return context->get(); }
  [[nodiscard]] result<void> done(int rc, std::string_view what) const {
    if (rc != 0) {
      return context->failure(rc, what);
    }
    return {};
  }
};

toolstack::toolstack(std::unique_ptr<state_data> data)
    : data_(std::move(data)) {}
toolstack::~toolstack() = default;

result<std::unique_ptr<toolstack>> toolstack::open() {
  auto context = libxl_context::open();
  if (!context) {
    return context.error();
  }
  auto data = std::make_unique<state_data>();
  data->context = std::move(*context);
  return std::unique_ptr<toolstack>(new toolstack(std::move(data)));
}

result<guest_info> toolstack::describe(const std::string& name_or_id) {
  libxl_ctx* ctx = data_->ctx();
  std::uint32_t domid = 0;
  if (libxl_domain_qualifier_to_domid(ctx, name_or_id.c_str(), &domid) != 0) {
    return error{errc::not_found, "no guest named '" + name_or_id + "'"};
  }
  domain_info live;
  int rc = data_->context->look_up(live.get(), domid);
  if (rc != 0) {
    return data_->context->failure(rc, "guest '" + name_or_id + "'");
  }
  if (domid == 0) {
    return error{errc::bad_input, "Domain-0 is the host itself"};
  }
  domain_config config;
  rc = libxl_retrieve_domain_configuration(ctx, domid, config.get(), nullptr);
  if (rc != 0) {
    error cause = data_->context->failure(
        rc, "configuration of guest '" + name_or_id + "'");
    cause.code = errc::unsupported;
    return cause;
  }
  const c_text json(libxl_domain_config_to_json(ctx, config.get()));
  if (!json) {
    return error{errc::system,
                 "configuration of guest '" + name_or_id +
                     "' cannot be written as JSON"};
  }
  auto guest = read_config(json.get());
  if (!guest) {
    return guest.error();
  }
  guest->domid = domid;
  guest->name = name_by_domid(ctx, domid);
  guest->uuid = text_of(live->uuid);
  guest->max_memory_kib = std::max(guest->max_memory_kib, live->max_memkb);
  if (auto r = read_disks(domid, guest->disks); !r) {
    return r.error();
  }
  return guest;
}

result<host_facts> toolstack::host() {
  libxl_ctx* ctx = data_->ctx();
  host_facts facts;
  const libxl_version_info* version = libxl_get_version_info(ctx);
  if (version == nullptr) {
    return data_->context->failure(ERROR_FAIL, "Xen's version");
  }
  facts.xen_version = std::to_string(version->xen_version_major) + "." +
                      std::to_string(version->xen_version_minor);
  facts.xen_extra =
      version->xen_version_extra != nullptr ? version->xen_version_extra : "";
  physical_info physical;
  int rc = libxl_get_physinfo(ctx, physical.get());
  if (rc != 0) {
    return data_->context->failure(rc, "the host's facts");
  }
  facts.cpu_capabilities.assign(std::begin(physical->hw_cap),
                                std::end(physical->hw_cap));
  facts.hap = physical->cap_hap;
  rc = libxl_get_free_memory(ctx, &facts.free_memory_kib);
  if (rc != 0) {
    return data_->context->failure(rc, "free memory");
  }
  const domain_list domains(ctx);
  for (const libxl_dominfo& one : domains) {
    facts.guest_names.push_back(name_by_domid(ctx, one.domid));
    facts.guest_uuids.push_back(text_of(one.uuid));
  }
  return facts;
}

result<guest_state> toolstack::state(std::uint32_t domid) {
  domain_info info;
  const int rc = data_->context->look_up(info.get(), domid);
  if (rc == ERROR_DOMAIN_NOTFOUND) {
    return guest_state::absent;
  }
  if (rc != 0) {
    return data_->context->failure(rc,
                                   "state of domain " + std::to_string(domid));
  }
  return look_at(data_->ctx(), *info.get());
}

result<std::vector<guest_seen>> toolstack::guests() {
  const domain_list domains(data_->ctx());
  if (domains.all == nullptr) {
    return data_->context->failure(ERROR_FAIL, "list of guests");
  }
  std::vector<guest_seen> found;
  for (const libxl_dominfo& one : domains) {
    if (one.domid == 0) {
      continue;
    }
    const auto state = look_at(data_->ctx(), one);
    if (!state) {
      return state.error();
    }
    found.push_back({one.domid,
                     name_by_domid(data_->ctx(), one.domid),
                     *state,
                     text_of(one.uuid),
                     one.max_memkb});
  }
  return found;
}

result<void> toolstack::resume(std::uint32_t domid) {
  const auto now = state(domid);
  if (!now) {
    return now.error();
  }
  const std::string what = "resume domain " + std::to_string(domid);
  if (*now != guest_state::suspended) {
    return error{errc::busy, what + ": it is " + std::string(name_of(*now))};
  }
  return data_->done(
      libxl_domain_resume(data_->ctx(), domid, /*suspend_cancel=*/1, nullptr),
      what);
}

result<void> toolstack::pause(std::uint32_t domid) {
  return data_->done(libxl_domain_pause(data_->ctx(), domid, nullptr),
                     "pause domain " + std::to_string(domid));
}

result<void> toolstack::unpause(std::uint32_t domid) {
  const auto now = state(domid);
  if (!now) {
    return now.error();
  }
  const std::string what = "unpause domain " + std::to_string(domid);
  if (*now == guest_state::dying) {
    return error{errc::busy, what + ": it is being destroyed"};
  }
  return data_->done(libxl_domain_unpause(data_->ctx(), domid, nullptr), what);
}

result<void> toolstack::destroy(std::uint32_t domid) {
  return data_->done(libxl_domain_destroy(data_->ctx(), domid, nullptr),
                     "destroy domain " + std::to_string(domid));
}

result<void> toolstack::rename(std::uint32_t domid,
                               const std::string& from,
                               const std::string& to) {
  return data_->done(
      libxl_domain_rename(data_->ctx(), domid, from.c_str(), to.c_str()),
      "rename '" + from + "' to '" + to + "'");
}

}  // namespace teleport
