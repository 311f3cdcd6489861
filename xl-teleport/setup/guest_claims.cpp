// SPDX-License-Identifier: LGPL-2.1-or-later

#include "xl-teleport/setup/guest_claims.hpp"

#include <span>
#include <utility>

#include "libteleport/base/bytes.hpp"
#include "libteleport/base/digest.hpp"
#include "libteleport/base/lock_file.hpp"
#include "xl-teleport/setup/guest_lock.hpp"
#include "xl-teleport/setup/kept_standing.hpp"

namespace teleport {

namespace {

/// Of an identity's words, which hold characters that no file's name has.
std::string lock_of_disk(const std::string& words) {
  const auto digest = digest_extent(as_bytes(words));
  return "disk-" + to_hex(std::span(digest).first(16));
}

}  // namespace

result<guest_claims> guest_claims::take(const std::string& run_path,
                                        const guest_info& guest) {
  guest_claims claims(run_path);
  for (const std::string& uuid : {guest.uuid, uuid_of_name(guest.name)}) {
    if (const auto locked = claims.lock_uuid(uuid); !locked) {
      return locked.error();
    }
  }
  return claims;
}

/// Once: a process cannot lock a file twice.
result<void> guest_claims::lock_uuid(const std::string& uuid) {
  if (held_.contains(uuid)) {
    return {};
  }
  auto lock = lock_guest(run_path_, uuid);
  if (!lock) {
    return lock.error();
  }
  held_.emplace(uuid, std::move(*lock));
  return {};
}

result<void> guest_claims::claim(const kept_disk& kept, const disk_home& home) {
  for (const std::string& uuid : {kept.uuid, uuid_of_name(kept.guest)}) {
    if (const auto locked = lock_uuid(uuid); !locked) {
      return locked;
    }
  }
  const auto identity = home.identity();
  const std::string name =
      lock_of_disk(identity ? identity->text() : place_of(kept));
  if (held_.contains(name)) {
    return error(errc::busy, place_of(kept) + " is asked for twice");
  }
  auto lock = take_lock(run_path_, name);
  if (!lock) {
    return in_context("another session fills " + place_of(kept), lock.error());
  }
  held_.emplace(name, std::move(*lock));
  return {};
}

}  // namespace teleport
