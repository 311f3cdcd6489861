// SPDX-License-Identifier: LGPL-2.1-or-later

#include "libteleport/disk/disk_home.hpp"

#include <cassert>

#include "libteleport/base/sentence.hpp"
#include "libteleport/disk/disk_store.hpp"

namespace teleport {

result<void> disk_home::check_fillable(const std::string& /*name*/) {
  return {};
}

result<disk_identity> disk_home::identify(const std::string& name) const {
  return identify_disk(name);
}

result<disk_home::names> disk_home::found() const {
  const auto backing = exists(place_.backing);
  if (!backing) {
    return backing.error();
  }
  const auto aside = exists(place_.aside);
  return aside ? result<names>(names{*backing, *aside})
               : result<names>(aside.error());
}

result<std::string> disk_home::present_name() const {
  const auto there = found();
  if (!there) {
    return there.error();
  }
  return there->aside ? place_.aside : place_.backing;
}

result<disk_identity> disk_home::identity() const {
  const auto name = present_name();
  return name ? identify(*name) : result<disk_identity>(name.error());
}

result<void> disk_home::check_new_size(std::uint64_t size) const {
  return check_disk_size(size);
}

result<bool> disk_home::has_to_move(const std::string& from,
                                    const std::string& to) const {
  if (from == to) {
    return false;
  }
  const auto from_there = exists(from);
  const auto to_there = exists(to);
  if (!from_there || !to_there) {
    return from_there ? to_there.error() : from_there.error();
  }
  if (*to_there) {
    return *from_there ? error(errc::busy, to + " exists already")
                       : result<bool>(false);
  }
  return true;
}

result<void> disk_home::move(const std::string& from, const std::string& to) {
  const auto needed = has_to_move(from, to);
  if (!needed || !*needed) {
    return needed ? result<void>() : result<void>(needed.error());
  }
  const auto closed = close(from);
  return closed ? rename(from, to) : closed;
}

result<void> disk_home::restore_name() {
  const auto needed = has_to_move(place_.aside, place_.backing);
  if (!needed || !*needed) {
    return needed ? result<void>() : result<void>(needed.error());
  }
  return rename(place_.aside, place_.backing);
}

result<void> disk_home::set_aside() {
  return move(place_.backing, place_.aside);
}

result<std::string> disk_home::bring_back() {
  const auto moved = move(place_.aside, place_.backing);
  return moved ? open(place_.backing) : result<std::string>(moved.error());
}

result<std::string> disk_home::open_aside() {
  const auto fillable = check_fillable(place_.aside);
  return fillable ? open(place_.aside) : result<std::string>(fillable.error());
}

result<void> disk_home::close_aside() {
  return close(place_.aside);
}

result<void> disk_home::remove(const std::string& name,
                               const disk_identity& which) {
  assert(name == place_.backing || name == place_.aside);
  const auto there = exists(name);
  if (!there || !*there) {
    return there ? error(errc::not_found, name + " is not there")
                 : there.error();
  }
  const auto now = identify(name);
  if (!now) {
    return now.error();
  }
  return *now == which ? remove_at(name)
                       : error(errc::mismatch,
                               name + " is another disk (" + now->text() +
                                   ") than the one that was noted (" +
                                   which.text() + ")");
}

result<void> disk_home::resize(std::uint64_t size) {
  if (auto checked = check_disk_size(size); !checked) {
    return checked;
  }
  const auto name = present_name();
  return name ? resize_at(*name, size) : result<void>(name.error());
}

result<std::unique_ptr<disk_home>> find_home(const std::string& device) {
  for (const disk_kind_entry* const one : disk_kinds) {
    auto place = one->find(device);
    if (!place) {
      return place.error();
    }
    if (!*place) {
      continue;
    }
    auto home = one->make_home(std::move(**place));
    for (const std::string& name :
         {home->place().backing, home->place().aside}) {
      if (!is_harmless_text(name)) {
        return error(errc::unsupported,
                     sendable(name) +
                         " has bytes in its name that no journal can hold: a "
                         "control character, or what is not UTF-8");
      }
    }
    const auto there = home->found();
    if (!there) {
      return there.error();
    }
    if (there->aside && home->place().aside != home->place().backing) {
      return error(errc::busy, home->place().aside + " exists already");
    }
    return home;
  }
  return error(errc::unsupported, device + " is of no kind that is known");
}

std::unique_ptr<disk_home> home_at(disk_place place) {
  const auto make = entry_of(place.kind).make_home;
  return make(std::move(place));
}

std::vector<std::string> other_names(const std::string& path) {
  // The device mapper's names have each hyphen of LVM's twice.
  std::string suffix(shadow_suffix);
  if (path.starts_with("/dev/mapper/")) {
    suffix.insert(suffix.find('-'), "-");
  }
  std::vector<std::string> names = {path + suffix};
  if (path.ends_with(suffix)) {
    names.push_back(path.substr(0, path.size() - suffix.size()));
  }
  return names;
}

}  // namespace teleport
